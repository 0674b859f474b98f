// Part 4: the page. The learner's own digits, picture files, and everything put together.

const LARGEST_FILE = 8e6; // bytes; the server takes messages up to 10 MB

/** Saving under a label, and what the models make of all that was saved. */
class Collection {
  constructor(model, conversation) {
    Object.assign(this, { model, conversation });
    const asking = (text, title, action, details) => {
      const element = button(text, title, () => conversation.ask(action, details));
      element.setAttribute("aria-label", title);
      return element;
    };
    this.labels = [...Array(10).keys()].map((label) =>
      asking(String(label), `Save the drawing as a ${label}`, "save", { label }),
    );
    this.remove = asking("Remove last", "Remove last saved digit", "remove");
    this.summary = make("p", { role: "status" });
    this.lines = model.get("names").map((model) => {
      const tune = asking("Fine-tune", `Fine-tune ${model} on your digits`, "fine-tune", { model });
      const restore = asking("Undo", `Undo the fine-tuning of ${model}`, "restore", { model });
      const [accuracy, change] = [make("td"), make("td")];
      const row = make(
        "tr",
        { "data-model": model },
        make("th", { scope: "row" }, model),
        accuracy,
        make("td", {}, tune, restore),
        change,
      );
      return { name: model, tune, restore, accuracy, change, row };
    });
    this.element = make(
      "section.recognizer-own",
      { "aria-label": "Your own test set" },
      make("h4", {}, "Your own test set"),
      make("div.recognizer-save", {}, make("span", {}, "Save as"), ...this.labels, this.remove),
      this.summary,
      make("table", {}, ...this.lines.map(({ row }) => row)),
    );
    for (const trait of ["own", "tuned", "busy"]) model.on(`change:${trait}`, () => this.show());
    this.show();
  }

  show() {
    const { counts = [], accuracy = {}, folder = "", problem = "" } = this.model.get("own");
    const tuned = this.model.get("tuned");
    const busy = Boolean(this.model.get("busy"));
    const total = counts.reduce((sum, count) => sum + count, 0);
    this.labels.forEach((element, i) => {
      element.dataset.count = counts[i] || "";
      element.title = `${counts[i] ?? 0} saved so far`;
      enable(element, !busy);
    });
    enable(this.remove, !busy && total > 0);
    const summary = total
      ? `${total} of your digits, in ${folder}. Read right:`
      : "Save drawings under their digits; here you see how well each model reads your hand.";
    this.summary.textContent = [problem, summary].filter(Boolean).join(" ");
    for (const line of this.lines) {
      const share = accuracy[line.name];
      const change = tuned[line.name];
      line.row.hidden = share == null;
      line.accuracy.textContent = share == null ? "" : percent(share);
      for (const element of [line.tune, line.restore]) enable(element, !busy);
      if (!change && line.restore.matches(":focus")) line.tune.focus(); // as it goes away
      line.restore.hidden = !change;
      line.change.textContent = change ? this.tell(change) : "";
    }
  }

  tell({ digits, own, test, test_digits }) {
    const [before, after] = own.map(percent);
    const [kept, left] = test.map(percent);
    return (
      `your ${digits}: ${before} → ${after} (it has seen them now); ` +
      `${test_digits.toLocaleString("en")} test digits: ${kept} → ${left}`
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
    conversation.ask("picture", {}, [await file.arrayBuffer()]);
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
  const input = make("input", { type: "file", accept: "image/*", hidden: true });
  input.addEventListener("change", () => {
    send(input.files[0]);
    input.value = ""; // the same file may be chosen again
  });
  return [button("Picture …", "Or drop or paste a picture here", () => input.click()), input];
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
  const collection = new Collection(model, conversation);
  steps.received.addEventListener("pointermove", (event) => reading.token.pointed(event));
  for (const trait of ["error", "busy"]) model.on(`change:${trait}`, () => notice(""));

  const tools = make(
    "div.recognizer-tools",
    {},
    button("Undo", "Take the last stroke back", () => surface.undo()),
    button("Clear", "Empty the canvas", () => surface.clear()),
    surface.eraser,
    ...acceptPictures(el, conversation, notice),
    make("label", {}, "Brush ", surface.brush, surface.width),
  );
  el.classList.add("recognizer");
  el.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes Space, Enter and the arrows
  el.append(
    make("div.recognizer-left", {}, surface.canvas, tools, problem),
    make("div.recognizer-right", {}, steps.element, reading.element),
    collection.element,
    reading.spoken,
  );
  notice("");
  return () => conversation.end();
}

export default { render };
