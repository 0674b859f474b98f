// Part 4: the learner's own drawings, saved under their labels, and how they are read.

/** The keys that save a drawing while one collects: key -> label. */
function keysOf(classNames) {
  const letters = classNames.every((name) => [...name].length === 1);
  const keys = letters ? classNames : classNames.slice(0, 9).map((_, label) => String(label + 1));
  return Object.fromEntries(keys.map((key, label) => [key, label]));
}

/** Saving under a label, and what the models make of all that was saved. */
class Collection {
  constructor(model, conversation, surface) {
    Object.assign(this, { model, conversation, surface });
    const { class_names: classNames = [], is_digits: isDigits } = model.get("own");
    Object.assign(this, { classNames, isDigits, labelOfKey: keysOf(classNames) });
    this.things = isDigits ? "digits" : "drawings";
    const collect = () => {
      this.collect.setAttribute("aria-pressed", String(!this.collecting));
      this.show();
      if (this.collecting) surface.canvas.focus();
    };
    const about = `Ask for one ${isDigits ? "digit" : "drawing"} after the other`;
    this.collect = button("Collect", collect, { title: about });
    this.collect.setAttribute("aria-pressed", "false");
    this.wish = make("p.recognizer-wish", { role: "status" });
    this.labels = classNames.map((name, label) =>
      this.named(name, `Save the drawing as ${this.a(name)}`, () => surface.save(label)),
    );
    const last = `Remove last saved ${isDigits ? "digit" : "drawing"}`;
    this.remove = this.named("Remove last", last, () => conversation.ask("remove"));
    this.summary = make("p", { role: "status" });
    this.table = make("table");
    this.element = make(
      "section.recognizer-own",
      { "aria-label": `Your own ${this.things}` },
      make("h4", {}, `Your own ${this.things}`),
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
    model.on("change:names", () => this.arrange());
    for (const trait of ["own", "tuned", "busy"]) model.on(`change:${trait}`, () => this.show());
    this.arrange();
  }

  /** A button that shows less than it is called. */
  named(text, name, action) {
    return button(text, action, { title: name, "aria-label": name });
  }

  /** "a 3", or just the name where nobody knows its article. */
  a(name) {
    return this.isDigits ? `a ${name}` : name;
  }

  /** A line of the table for each model that reads now. */
  arrange() {
    const names = this.model.get("names");
    this.lines = names.map((name) => this.line(name));
    this.halves = [make("th", { scope: "col" }), make("th", { scope: "col" })];
    this.table.replaceChildren(
      make("tr", {}, make("th", { scope: "col" }, "read right"), ...this.halves),
      ...this.lines.map(({ row }) => row),
    );
    this.show();
  }

  line(name) {
    const asking = (text, about, action) =>
      this.named(text, about, () => this.conversation.ask(action, { model: name }));
    const tune = asking("Fine-tune", `Fine-tune ${name} on your digits`, "fine-tune");
    const restore = asking("Undo", `Undo the fine-tuning of ${name}`, "restore");
    const [lesson, test, change] = [make("td"), make("td"), make("td")];
    const row = make(
      "tr",
      { "data-model": name },
      make("th", { scope: "row" }, name),
      lesson,
      test,
    );
    if (this.isDigits) row.append(make("td", {}, tune, restore), change);
    return { name, tune, restore, lesson, test, change, row };
  }

  get collecting() {
    return this.collect.getAttribute("aria-pressed") === "true";
  }

  /** What to draw next, and how it is saved. */
  ask(wanted) {
    if (!this.collecting) return "";
    const key = Object.keys(this.labelOfKey).find((key) => this.labelOfKey[key] === wanted);
    const what = this.a(this.classNames[wanted]);
    return `${this.isDigits ? "Draw" : "Draw:"} ${what}, then press ${key ?? "its button"}.`;
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
    this.surface.want(this.collecting ? this.a(this.classNames[wanted]) : null, this.labelOfKey);
    this.wish.textContent = this.ask(wanted);
    const invitation = this.isDigits
      ? "Save drawings under their digits; here you see how well each model reads your hand."
      : "Save drawings under their names.";
    const summary = total ? `${total} of your ${this.things}, in ${own.folder}.` : invitation;
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
