// Part 5: the page. Picture files, the choice of networks, and everything put together.

const LARGEST_FILE = 8e6; // bytes; the server takes messages up to 10 MB

/** The networks that may read: those that were given, and those on the shelf, to be chosen. */
class Choice {
  constructor(model, conversation) {
    Object.assign(this, { model, conversation });
    this.list = make("ul");
    this.element = make(
      "details.recognizer-choice",
      {},
      make("summary", {}, "Choose networks"),
      this.list,
      make(
        "p",
        {},
        "Saved ones come from ",
        make("code", {}, "python -m course train MODEL --save NAME"),
        ".",
      ),
    );
    this.element.addEventListener("toggle", () => {
      if (this.element.open) conversation.ask("shelf"); // something may have been saved meanwhile
    });
    model.on("change:offers", () => this.show());
    model.on("change:answered", () => this.show()); // what could not be chosen is not
    this.show();
  }

  show() {
    if (!this.element.open) return;
    const focused = this.list.querySelector(":focus")?.dataset.model;
    this.list.replaceChildren(...this.model.get("offers").map((offer) => this.item(offer)));
    if (focused) this.list.querySelector(`[data-model=${CSS.escape(focused)}]`)?.focus();
  }

  item({ name, about, chosen, problem }) {
    const box = make("input", { type: "checkbox", checked: chosen, "data-model": name });
    box.disabled = Boolean(problem) && !chosen;
    box.addEventListener("change", () =>
      this.conversation.ask("choose", { model: name, chosen: box.checked }),
    );
    const words = make("span", {}, problem || about);
    return make("li", {}, make("label", {}, box, make("b", {}, name), words));
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
  const choice = new Choice(model, conversation);
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
    make("div.recognizer-right", {}, steps.element, reading.element, choice.element),
    collection.element,
    reading.spoken,
  );
  notice("");
  return () => conversation.end();
}

export default { render };
