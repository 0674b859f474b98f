// Part 4: the page. The learner's own digits, picture files, and everything put together.

const LARGEST_FILE = 8e6; // bytes; the server takes messages up to 10 MB

/** Saving under a label, and what the models make of all that was saved. */
class Collection {
  constructor(model, conversation, surface) {
    Object.assign(this, { model, surface });
    const named = (text, name, action) => button(text, action, { title: name, "aria-label": name });
    const asking = (text, name, action, details) =>
      named(text, name, () => conversation.ask(action, details));
    const collect = () => {
      this.collect.setAttribute("aria-pressed", String(!this.collecting));
      this.show();
      if (this.collecting) surface.canvas.focus();
    };
    this.collect = button("Collect", collect, { title: "Ask for one digit after the other" });
    this.collect.setAttribute("aria-pressed", "false");
    this.wish = make("p.recognizer-wish", { role: "status" });
    this.labels = [...Array(10).keys()].map((label) =>
      named(String(label), `Save the drawing as a ${label}`, () => surface.save(label)),
    );
    this.remove = asking("Remove last", "Remove last saved digit", "remove");
    this.summary = make("p", { role: "status" });
    this.lines = model.get("names").map((model) => {
      const tune = asking("Fine-tune", `Fine-tune ${model} on your digits`, "fine-tune", { model });
      const restore = asking("Undo", `Undo the fine-tuning of ${model}`, "restore", { model });
      const [lesson, test, change] = [make("td"), make("td"), make("td")];
      const row = make(
        "tr",
        { "data-model": model },
        make("th", { scope: "row" }, model),
        lesson,
        test,
        make("td", {}, tune, restore),
        change,
      );
      return { name: model, tune, restore, lesson, test, change, row };
    });
    this.halves = [make("th", { scope: "col" }), make("th", { scope: "col" })];
    this.table = make(
      "table",
      {},
      make("tr", {}, make("th", { scope: "col" }, "read right"), ...this.halves),
      ...this.lines.map(({ row }) => row),
    );
    this.element = make(
      "section.recognizer-own",
      { "aria-label": "Your own digits" },
      make("h4", {}, "Your own digits"),
      make(
        "div.recognizer-save",
        {},
        this.collect,
        make("span", {}, "Save as"),
        ...this.labels,
        this.remove,
      ),
      this.summary,
      this.table,
    );
    for (const trait of ["own", "tuned", "busy"]) model.on(`change:${trait}`, () => this.show());
    this.show();
  }

  get collecting() {
    return this.collect.getAttribute("aria-pressed") === "true";
  }

  show() {
    const { counts = [], kept = 0, wanted, accuracy = {}, ...own } = this.model.get("own");
    const tuned = this.model.get("tuned");
    const busy = Boolean(this.model.get("busy"));
    const total = counts.reduce((sum, count) => sum + count, 0);
    this.labels.forEach((element, i) => {
      element.dataset.count = counts[i] || "";
      element.title = `${counts[i] ?? 0} saved so far`;
      element.classList.toggle("wanted", this.collecting && i === wanted);
      enable(element, !busy);
    });
    enable(this.remove, !busy && total > 0);
    this.surface.want(this.collecting ? wanted : null);
    this.wish.textContent = this.collecting ? `Draw a ${wanted}, then press ${wanted}.` : "";
    const summary = total
      ? `${total} of your digits, in ${own.folder}.`
      : "Save drawings under their digits; here you see how well each model reads your hand.";
    this.summary.textContent = [own.problem, summary].filter(Boolean).join(" ");
    this.table.hidden = total === 0;
    this.halves[0].textContent = `${total - kept} to train on`;
    this.halves[1].textContent = `${kept} kept for the test`;
    for (const line of this.lines) {
      const shares = accuracy[line.name];
      const change = tuned[line.name];
      line.row.hidden = !shares;
      [line.lesson, line.test].forEach((cell, half) => {
        cell.textContent = shares?.[half] == null ? "–" : percent(shares[half]);
      });
      for (const element of [line.tune, line.restore]) enable(element, !busy);
      if (!change && line.restore.matches(":focus")) line.tune.focus(); // as it goes away
      line.restore.hidden = !change;
      line.change.textContent = change ? this.tell(change) : "";
    }
  }

  tell({ digits, own, new: { before, after }, mnist, mnist_digits, mnist_is_test }) {
    const change = (shares) => shares.map(percent).join(" → ");
    const test = before == null ? "none kept for a test yet" : change([before, after]);
    const known = mnist_is_test ? "test digits" : "training digits, seen before:";
    return (
      `your ${digits} to train on: ${change(own)}, it has seen them now; ` +
      `your test: ${test}; ` +
      `${mnist_digits.toLocaleString("en")} of MNIST's ${known} ${change(mnist)}`
    );
  }
}

/** Let picture files come in: chosen, dropped or pasted. Returns the button to choose one. */
function acceptPictures(el, conversation, notice) {
  const send = async (file) => {
    if (!file) return;
    if (file.size > LARGEST_FILE) {
      notice(`${file.name} is larger than ${LARGEST_FILE / 1e6} MB; make it smaller first.`);
      return;
    }
    conversation.ask("picture", {}, { buffers: [await file.arrayBuffer()] });
  };
  el.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.stopPropagation();
  });
  el.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation(); // or the notebook would take the file
    send(event.dataTransfer.files[0]);
  });
  el.addEventListener("paste", (event) => {
    const file = event.clipboardData.files[0];
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    send(file);
  });
  const label = "Picture file";
  const input = make("input", { type: "file", accept: "image/*", hidden: true, ariaLabel: label });
  input.addEventListener("change", () => {
    send(input.files[0]);
    input.value = ""; // the same file may be chosen again
  });
  const title = "Or drop or paste a picture here";
  return [button("Picture …", () => input.click(), { title }), input];
}

/** Put everything on the page; anywidget calls this once for every view of a widget. */
function render({ model, el }) {
  const problem = make("p.recognizer-notice", { role: "alert" });
  const notice = (silence) => {
    problem.textContent = silence || model.get("error") || model.get("busy");
    problem.classList.toggle("busy", !silence && !model.get("error"));
  };
  const conversation = new Conversation(model, el, notice);
  const surface = new Surface(model, conversation);
  const steps = new Steps(model);
  const reading = new Reading(model, surface);
  const collection = new Collection(model, conversation, surface);
  steps.received.addEventListener("pointermove", (event) => reading.token.pointed(event));
  for (const trait of ["error", "busy"]) model.on(`change:${trait}`, () => notice(""));

  const tools = make(
    "div.recognizer-tools",
    {},
    button("Undo", () => surface.undo(), { title: "Take the last stroke back" }),
    button("Clear", () => surface.clear(), { title: "Empty the canvas" }),
    surface.eraser,
    ...acceptPictures(el, conversation, notice),
    make("label", {}, "Brush ", surface.brush, surface.width),
  );
  el.classList.add("recognizer");
  el.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes Space, Enter and the arrows
  el.append(
    make("div.recognizer-left", {}, collection.wish, surface.canvas, tools, problem),
    make("div.recognizer-right", {}, steps.element, reading.element),
    collection.element,
    reading.spoken,
  );
  notice("");
  return () => conversation.end();
}

export default { render };
