// Part 2: the canvas, on which mouse, finger, pen and keys make strokes.

const SIDE = 280; // of the canvas, in its own pixels
const PAUSE = 80; // ms between two messages while drawing, so that the one at pen-up need not wait
const NOTHING = { strokes: [], picture: new DataView(new ArrayBuffer(0)) };
const HOW_TO_DRAW =
  "Drawing surface. Draw with the mouse, a finger or a pen. With the keyboard: arrow " +
  "keys move the pen, with Shift in small steps; Space puts it down and lifts it; Control Z takes " +
  "a stroke back, Delete clears. While you collect, a key saves the drawing: for digits the digit.";

const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const percent = (share) => `${(100 * share).toFixed(1)} %`;

const grey = (level) => [level, level, level];

/** Fill a canvas of the given size; `color(index)` gives [red, green, blue]. */
function paintPixels(canvas, width, height, color) {
  if (canvas.width !== width) canvas.width = width; // an assignment alone costs a layout
  if (canvas.height !== height) canvas.height = height;
  const image = new ImageData(width, height);
  for (let index = 0; index < width * height; index++) {
    const [red, green, blue] = color(index);
    image.data[4 * index] = red;
    image.data[4 * index + 1] = green;
    image.data[4 * index + 2] = blue;
    image.data[4 * index + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** The drawing surface with its brush and eraser. */
class Surface {
  constructor(model, conversation) {
    Object.assign(this, { model, conversation });
    this.stroke = null; // the one being drawn; what came before it is in `before`
    this.sent = 0; // how many of its points Python has, or is about to get,
    this.sentAt = 0; // and since when
    this.pointer = null; // id of the mouse, finger or pen that draws it
    this.cleared = null; // what Clear or saving took away, for Undo
    this.wanted = null; // what to draw, while drawings are collected
    this.labelOfKey = {}; // and the keys that save it: key -> label
    this.pen = { x: SIDE / 2, y: SIDE / 2, shown: false }; // of the keyboard
    this.sharpness = Math.max(1, Math.round(window.devicePixelRatio || 1));
    this.canvas = make("canvas.recognizer-surface", {
      width: SIDE * this.sharpness,
      height: SIDE * this.sharpness,
      tabIndex: 0,
      role: "application",
      "aria-label": HOW_TO_DRAW,
    });
    this.brush = make("input", { type: "range", min: 8, max: 40, value: 20 });
    this.width = make("output", { textContent: "20" });
    this.brush.addEventListener("input", () => {
      this.width.textContent = this.brush.value;
    });
    const erase = () => this.eraser.setAttribute("aria-pressed", String(!this.erasing));
    this.eraser = button("Erase", erase, { title: "Draw in black" });
    this.eraser.setAttribute("aria-pressed", "false");
    const on = (name, action) => this.canvas.addEventListener(name, action);
    on("pointerdown", (event) => this.pointerDown(event));
    on("pointermove", (event) => this.pointerMove(event));
    on("pointerup", (event) => this.pointerUp(event));
    on("pointercancel", (event) => this.pointerUp(event));
    on("keydown", (event) => this.keyDown(event));
    on("blur", () => this.leave());
    model.on("change:strokes", () => this.paint());
    model.on("change:picture", () => this.paint());
    model.on("change:answered", () => this.paint()); // a drawing that could not be saved is back
    this.paint();
  }

  get erasing() {
    return this.eraser.getAttribute("aria-pressed") === "true";
  }

  // strokes

  begin(point) {
    this.before = this.conversation.drawing.strokes;
    this.stroke = { points: [point], width: Number(this.brush.value) };
    if (this.erasing) this.stroke.erase = true;
    this.cleared = null;
    this.send();
    this.paint();
  }

  extend(point) {
    const [x, y] = this.stroke.points.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) < 1) return;
    this.stroke.points.push(point);
  }

  finish() {
    if (!this.stroke) return;
    if (this.stroke.points.length > this.sent) this.send();
    this.stroke = null;
    this.paint();
  }

  /** The stroke has grown: show it, and send it unless that was done a moment ago. */
  grown() {
    if (performance.now() - this.sentAt > PAUSE) this.send();
    this.paint();
  }

  send() {
    this.sent = this.stroke.points.length;
    this.sentAt = performance.now();
    const snapshot = { ...this.stroke, points: [...this.stroke.points] };
    this.conversation.drawingChanged({ strokes: [...this.before, snapshot] });
  }

  replace(drawing) {
    this.conversation.drawingChanged(drawing);
    this.paint();
  }

  undo() {
    this.finish();
    const { strokes } = this.conversation.drawing;
    if (strokes.length) this.replace({ strokes: strokes.slice(0, -1) });
    else this.replace(this.cleared ?? NOTHING);
    this.cleared = null;
  }

  clear() {
    this.finish();
    const drawn = this.conversation.drawing;
    if (!drawn.strokes.length && !drawn.picture.byteLength) return;
    this.replace(NOTHING);
    this.cleared = drawn;
  }

  /** Let the drawing be saved under a label; the next one is drawn on an empty canvas. */
  save(label) {
    this.finish();
    this.cleared = this.conversation.drawing;
    this.conversation.ask("save", { label }, { leaves: NOTHING });
    this.paint();
  }

  /** Ask for this, "a 3", null for anything, until it is saved by a button or one of the keys. */
  want(what, labelOfKey) {
    this.wanted = what;
    this.labelOfKey = labelOfKey;
    this.paint();
  }

  // mouse, finger, pen

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = SIDE / box.width;
    const round = (number) => Math.round(10 * number) / 10;
    return [round((event.clientX - box.left) * scale), round((event.clientY - box.top) * scale)];
  }

  pointerDown(event) {
    if (event.button !== 0 || this.stroke) return;
    event.preventDefault(); // no text is selected, no page scrolled
    this.canvas.focus({ preventScroll: true, focusVisible: false });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.pen.shown = false;
    this.begin(this.at(event));
  }

  pointerMove(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    const all = event.getCoalescedEvents?.() ?? []; // several between two frames
    for (const one of all.length ? all : [event]) this.extend(this.at(one));
    this.grown();
  }

  pointerUp(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    if (event.type === "pointerup") this.extend(this.at(event));
    this.pointer = null;
    this.finish();
  }

  // keys

  keyDown(event) {
    const step = event.shiftKey ? 2 : 10;
    const moves = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, -step],
      ArrowDown: [0, step],
    };
    if (event.key in moves) this.movePen(...moves[event.key]);
    else if (event.key === " ") this.togglePen();
    else if (event.key === "Escape") this.leave();
    else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) this.undo();
    else if (this.isLabel(event)) this.save(this.labelOfKey[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation(); // or the notebook would act on it, too
  }

  isLabel({ key, ctrlKey, metaKey, altKey }) {
    const saves = this.wanted !== null && Object.hasOwn(this.labelOfKey, key);
    return saves && !(ctrlKey || metaKey || altKey);
  }

  movePen(dx, dy) {
    const within = (number) => Math.min(SIDE, Math.max(0, number));
    Object.assign(this.pen, {
      x: within(this.pen.x + dx),
      y: within(this.pen.y + dy),
      shown: true,
    });
    if (this.stroke && this.pointer === null) {
      this.extend([this.pen.x, this.pen.y]);
      this.grown();
    }
    this.paint();
  }

  togglePen() {
    if (this.pointer !== null) return;
    this.pen.shown = true;
    if (this.stroke) this.finish();
    else this.begin([this.pen.x, this.pen.y]);
    this.paint();
  }

  leave() {
    this.pen.shown = false;
    if (this.stroke && this.pointer === null) this.finish();
    this.paint();
  }

  // pixels

  paint() {
    const context = this.canvas.getContext("2d");
    context.setTransform(this.sharpness, 0, 0, this.sharpness, 0, 0);
    context.imageSmoothingEnabled = false;
    context.fillStyle = "black";
    context.fillRect(0, 0, SIDE, SIDE);
    const { strokes, picture } = this.conversation.drawing;
    if (picture.byteLength) {
      const pixels = make("canvas");
      paintPixels(pixels, SIDE, SIDE, (index) => grey(bytesOf(picture)[index]));
      context.drawImage(pixels, 0, 0);
    }
    if (!strokes.length && !picture.byteLength) this.paintHint(context);
    context.lineCap = context.lineJoin = "round";
    const now = this.stroke ? [...this.before, this.stroke] : strokes;
    for (const stroke of now) this.paintStroke(context, stroke);
    if (this.pen.shown) this.paintPen(context);
  }

  paintHint(context) {
    context.fillStyle = "#999"; // 7 to 1 on black
    context.font = "15px sans-serif";
    context.textAlign = "center";
    const anything = this.model.get("own").is_digits === false ? "" : "a digit";
    const words = ["draw", this.wanted ?? anything, "here"].filter(Boolean);
    context.fillText(words.join(" "), SIDE / 2, SIDE / 2, SIDE);
  }

  paintStroke(context, { points, width, erase }) {
    context.strokeStyle = erase ? "black" : "white";
    context.lineWidth = width;
    context.beginPath();
    for (const point of [points[0], ...points]) context.lineTo(...point); // a dot is a line, too
    context.stroke();
  }

  paintPen(context) {
    context.strokeStyle = this.stroke ? "#D55E00" : "#56B4E9";
    context.lineWidth = 2;
    context.beginPath();
    context.arc(this.pen.x, this.pen.y, Number(this.brush.value) / 2, 0, 2 * Math.PI);
    context.stroke();
  }
}
