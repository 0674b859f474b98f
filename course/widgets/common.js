// What the pages of several widgets use; their Python puts it in front of their own module.
// What is below the functions happens once for a whole page, whichever widget comes first.

const GONE = "The kernel was restarted or is gone: run this cell again.";
const PATIENCE = 3000; // ms without an answer until the page says so

/** Make an element: `tag.class`, its properties and attributes, its children. */
function make(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** The same for an element of a drawing (SVG), which has attributes alone. */
function draw(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A button that shows `content`, a text or several children, and acts while it is enabled. */
function button(content, action, properties = {}) {
  const element = make("button", { type: "button", ...properties }, ...[content].flat());
  element.addEventListener("click", () => {
    if (element.getAttribute("aria-disabled") !== "true") action();
  });
  return element;
}

/** Let a button be used, or not; by `disabled` it would lose the focus of whoever has pressed it. */
function enable(element, isEnabled) {
  element.setAttribute("aria-disabled", String(!isEnabled));
}

/**
 * Sends messages, and notices when nobody takes them: then `notice` gets a text, `silent` or GONE,
 * and "" when there is an answer after all. Each message carries a number, `request`, which comes
 * back in the trait `answered`.
 */
class Post {
  constructor(model, silent, notice) {
    Object.assign(this, { model, silent, notice });
    model.on("change:answered", () => this.heard());
    // JupyterLab tells at once when a restarted kernel has forgotten the widget; others may not
    model.on("comm_live_update", () => this.give(GONE));
  }

  send(content) {
    this.request = Math.max(this.request ?? 0, this.model.get("answered")) + 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.give(this.silent), PATIENCE);
    try {
      this.model.send({ ...content, request: this.request });
    } catch {
      this.give(GONE); // the connection is closed
    }
  }

  give(text) {
    this.end();
    this.notice(text);
  }

  heard() {
    if (this.model.get("answered") < this.request) return;
    this.end();
    this.notice("");
  }

  end() {
    clearTimeout(this.timer);
  }
}

/** What a picture of the course says of itself: the Description that its PNG holds, if any. */
function description(source) {
  const start = source.indexOf(",") + 1;
  const bytes = atob(source.slice(start, start + 8000)); // it comes before the pixels
  const keyword = "Description\0\0\0\0\0"; // not compressed, in no named language
  for (let at = 8; at + 8 < bytes.length; ) {
    const length = [0, 1, 2, 3].reduce((sum, k) => 256 * sum + bytes.charCodeAt(at + k), 0);
    const body = bytes.slice(at + 8, at + 8 + length);
    if (body.startsWith(keyword)) {
      const text = Uint8Array.from(body.slice(keyword.length), (byte) => byte.charCodeAt(0));
      return new TextDecoder().decode(text);
    }
    at += 12 + length;
  }
  return "";
}

/** Name what JupyterLab and ipywidgets leave without a name: pictures, and sliders' handles. */
function nameEverything() {
  const pictures = ".jp-RenderedImage img:not([alt])[src^='data:image/png;base64,']";
  for (const picture of document.querySelectorAll(pictures)) {
    const text = description(picture.src);
    if (text) picture.alt = text;
  }
  const handles = ".widget-slider .noUi-handle:not([aria-label])";
  for (const handle of document.querySelectorAll(handles)) {
    const label = handle.closest(".widget-slider").querySelector(".widget-label");
    if (label?.textContent) handle.setAttribute("aria-label", label.textContent);
  }
}

// A living widget hides the line above it that `without_kernel.py` leaves.
const HIDE_LINE = `.jp-OutputArea-child:has(.course-without-kernel):has(
    + .jp-OutputArea-child > .jp-OutputArea-output > .lm-Widget) { display: none }`;

if (globalThis.document && !document.getElementById("course-page")) {
  document.head.append(make("style", { id: "course-page", textContent: HIDE_LINE }));
  const options = { childList: true, subtree: true };
  new MutationObserver(nameEverything).observe(document.body, options);
  nameEverything();
}
