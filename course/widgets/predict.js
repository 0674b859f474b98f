// The page's side of a prediction, see predict.py, which puts common.js and sketch.js before it.
//
// What Python knows lies in the model's traits, so that two views and a reloaded page agree.

const SILENT =
  "The kernel does not answer. If it is busy with another cell, your answer is kept as soon as " +
  "that is done; if it was restarted or shut down, run this cell again.";

let made = 0; // questions on this page, for ids

/** A field to type a number into. */
class NumberField {
  constructor(model, send, ids) {
    Object.assign(this, { model, send });
    const { unit } = model.get("asks");
    this.input = make("input", {
      type: "text",
      autocomplete: "off",
      "aria-labelledby": unit ? `${ids.question} ${ids.unit}` : ids.question,
      "aria-describedby": ids.status,
    });
    this.element = make(
      "form",
      {},
      this.input,
      make("span", { id: ids.unit, textContent: unit }),
      make("button", { type: "submit", textContent: "Keep" }),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    const answer = model.get("answer");
    if (answer !== null) this.input.value = String(answer);
  }

  submit() {
    if (this.input.value.trim()) this.send(this.input.value);
  }

  /** Enter in the field; JupyterLab would take it for itself. */
  key(event) {
    const isOurs = event.key === "Enter" && event.target === this.input;
    if (isOurs) this.submit();
    return isOurs;
  }

  show(state) {
    this.element.hidden = state === "compared";
    this.input.setAttribute("aria-invalid", String(Boolean(this.model.get("error"))));
  }
}

/** A button for each choice; the keys 1 to 9 press them, too. */
class ChoiceButtons {
  constructor(model, send, ids) {
    this.model = model;
    this.buttons = model.get("asks").choices.map((text, index) => {
      const button = make("button", { type: "button" }, text);
      button.addEventListener("click", () => {
        if (model.get("state") !== "compared") send(index);
      });
      return button;
    });
    this.element = make(
      "div.predict-choices",
      { role: "group", "aria-labelledby": ids.question },
      ...this.buttons,
    );
  }

  key(event) {
    const button = this.buttons[Number(event.key) - 1];
    button?.click();
    return Boolean(button);
  }

  show(state) {
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(button.textContent === this.model.get("answer")));
      button.setAttribute("aria-disabled", String(state === "compared"));
    }
  }
}

const FIELDS = { number: NumberField, choice: ChoiceButtons, curve: Sketch };

export default {
  render({ model, el }) {
    const number = ++made;
    const id = (part) => `predict-${number}-${part}`;
    const parts = ["question", "unit", "how", "status"];
    const ids = Object.fromEntries(parts.map((part) => [part, id(part)]));
    const question = make("p", { id: ids.question });
    question.append(make("b", { textContent: "Predict: " }), model.get("question"));
    const status = make("p.predict-status", { id: ids.status, role: "status", tabIndex: -1 });
    const notice = make("p.predict-notice", { role: "status" });
    let silence = "";
    const post = new Post(model, SILENT, (text) => {
      silence = text;
      show();
    });
    const send = (answer) => post.send({ answer });
    const field = new FIELDS[model.get("asks").kind](model, send, ids);
    const skip = make("button.predict-skip", {
      type: "button",
      textContent: "skip",
      title: "Escape skips, too",
    });
    skip.addEventListener("click", () => send(null));
    field.element.append(skip);

    function show() {
      const state = model.get("state");
      root.dataset.state = state; // for tests and style sheets
      field.show(state);
      skip.hidden = state !== "open";
      const more = state === "answered" ? " You can change it until the result is there." : "";
      status.textContent = model.get("error") || model.get("words") + more;
      notice.textContent = silence || model.get("note");
      const focused = document.activeElement;
      if (root.contains(focused) && focused.closest("[hidden]")) status.focus();
    }

    const root = make("section.predict", {}, question, field.element, status, notice);
    root.setAttribute("aria-labelledby", ids.question);
    root.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape" && model.get("state") === "open") send(null);
      else if (!field.key?.(event)) return;
      event.preventDefault();
      event.stopPropagation(); // or the notebook would act on it, too
    });
    el.append(root);
    model.on("change:answered change:state change:words change:error change:note", show);
    show();
    return () => post.end();
  },
};
