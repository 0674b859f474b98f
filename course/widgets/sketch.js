// A curve sketched over empty axes, with mouse, finger, pen or keys; predict.js shows it.
//
// A sketch is kept as one y for each of COLUMNS places from left to right, null where nothing was
// drawn. With the keyboard, every few columns there is a handle; moving it bends the curve as far
// as the handles beside it.

const COLUMNS = 31;
const BETWEEN = 6; // columns from one handle to the next
const REST = 400; // ms after a key until the curve is sent
const FRAME = { left: 56, right: 408, top: 12, bottom: 212, width: 424, height: 256 };
const HOW_TO_SKETCH =
  "Draw from left to right with the mouse, a finger or a pen. With the keyboard, Tab leads to a " +
  "point of the curve: up and down move it (with Shift a little), left and right lead to the next.";

/** The x of a column. */
const xOf = (column, [left, right]) => left + (column / (COLUMNS - 1)) * (right - left);

/** The columns of points [x, y] in order, with straight lines between them. */
function columnsOf(points, [left, right]) {
  const values = new Array(COLUMNS).fill(null);
  let last = null;
  for (const [x, y] of points ?? []) {
    const next = [((x - left) / (right - left)) * (COLUMNS - 1), y];
    drawLine(values, last ?? next, next);
    last = next;
  }
  return values;
}

/** As many digits as a hand can mean. */
const tidy = (number) => Number(number.toPrecision(4));

/** Points [x, y] of the columns in which something was drawn. */
function pointsOf(values, range) {
  const points = values.map((y, column) => [tidy(xOf(column, range)), y === null ? y : tidy(y)]);
  return points.filter(([, y]) => y !== null);
}

/** Draw a straight line from [column, y] to [column, y], over what was there. */
function drawLine(values, from, to) {
  const [[start, y], [end, z]] = from[0] <= to[0] ? [from, to] : [to, from];
  const [first, last] = [Math.round(start), Math.round(end)];
  for (let column = Math.max(0, first); column <= Math.min(COLUMNS - 1, last); column++) {
    const part = end > start ? (column - start) / (end - start) : 1;
    values[column] = y + Math.min(1, Math.max(0, part)) * (z - y);
  }
  const under = Math.min(COLUMNS - 1, Math.max(0, Math.round(to[0])));
  values[under] = to[1]; // where the pen is now
}

/** A curve from end to end: what was drawn, level beyond its ends, or else `level` all the way. */
function completed(values, level) {
  const drawn = values.flatMap((y, column) => (y === null ? [] : [[column, y]]));
  if (!drawn.length) return values.map(() => level);
  const ends = [[0, drawn[0][1]], ...drawn, [COLUMNS - 1, drawn.at(-1)[1]]];
  return columnsOf(ends, [0, COLUMNS - 1]);
}

/** Bend a curve by `change` at a handle, and less and less up to the handles beside it. */
function bent(values, handle, change, [low, high]) {
  return values.map((y, column) => {
    const share = Math.max(0, 1 - Math.abs(column - handle) / BETWEEN);
    return Math.min(high, Math.max(low, y + share * change));
  });
}

/** A number for an axis or a sentence. */
const inShort = (number) => String(Number(number.toPrecision(3)));

/** The axes, the curve, and its handles. */
class Sketch {
  constructor(model, send, ids) {
    Object.assign(this, { model, send, ...model.get("asks") });
    this.pen = null; // [column, y] while a pointer draws
    this.line = draw("polyline", { class: "predict-line" });
    this.handles = [...Array(COLUMNS).keys()].filter((column) => column % BETWEEN === 0);
    this.circles = this.handles.map((column, index) => this.makeHandle(column, index));
    const { width, height } = FRAME;
    this.picture = draw(
      "svg",
      {
        class: "predict-sketch",
        viewBox: `0 0 ${width} ${height}`,
        width,
        role: "group",
        "aria-labelledby": ids.question,
        "aria-describedby": ids.how,
      },
      ...this.makeAxes(),
      this.line,
      ...this.circles,
    );
    this.how = make("p.predict-how", { id: ids.how, textContent: HOW_TO_SKETCH });
    this.element = make("div", {}, this.picture, this.how);
    this.listen();
    model.on("change:answer", () => this.take());
    this.take();
  }

  // places

  across(x) {
    return FRAME.left + ((x - this.x[0]) / (this.x[1] - this.x[0])) * (FRAME.right - FRAME.left);
  }

  up(y) {
    return FRAME.bottom - ((y - this.y[0]) / (this.y[1] - this.y[0])) * (FRAME.bottom - FRAME.top);
  }

  /** [column, y] under a pointer. */
  at({ clientX, clientY }) {
    const box = this.picture.getBoundingClientRect();
    const across = (clientX - box.left) * (FRAME.width / box.width);
    const down = (clientY - box.top) * (FRAME.height / box.height);
    const [low, high] = this.y;
    const y = low + ((FRAME.bottom - down) / (FRAME.bottom - FRAME.top)) * (high - low);
    const column = ((across - FRAME.left) / (FRAME.right - FRAME.left)) * (COLUMNS - 1);
    return [column, Math.min(high, Math.max(low, y))];
  }

  // what is there at first

  makeAxes() {
    const { left, right, top, bottom, height } = FRAME;
    const text = (words, attributes) => {
      const element = draw("text", attributes);
      element.textContent = words;
      return element;
    };
    const middle = ([low, high]) => [low, (low + high) / 2, high];
    const [x, y] = this.axes;
    const turned = `translate(12 ${(top + bottom) / 2}) rotate(-90)`;
    return [
      draw("rect", {
        class: "predict-paper",
        x: left,
        y: top,
        width: right - left,
        height: bottom - top,
      }),
      draw("path", { class: "predict-axes", d: `M${left} ${top}V${bottom}H${right}` }),
      ...middle(this.x).map((value) =>
        text(inShort(value), { x: this.across(value), y: bottom + 16, "text-anchor": "middle" }),
      ),
      ...middle(this.y).map((value) =>
        text(inShort(value), { x: left - 6, y: this.up(value) + 4, "text-anchor": "end" }),
      ),
      text(x, { x: (left + right) / 2, y: height - 8, "text-anchor": "middle" }),
      text(y, { transform: turned, "text-anchor": "middle" }),
    ];
  }

  makeHandle(column, index) {
    const [x, y] = this.axes;
    return draw("circle", {
      class: "predict-handle",
      r: 6,
      cx: this.across(xOf(column, this.x)),
      tabindex: index ? -1 : 0, // one of them is in the order of Tab
      role: "slider",
      "aria-orientation": "vertical",
      "aria-label": `${y} at ${x} ${inShort(xOf(column, this.x))}`,
      "aria-valuemin": this.y[0],
      "aria-valuemax": this.y[1],
    });
  }

  listen() {
    const on = (name, action) => this.picture.addEventListener(name, action);
    on("pointerdown", (event) => this.pointerDown(event));
    on("pointermove", (event) => this.pointerMove(event));
    on("pointerup", (event) => this.pointerUp(event));
    on("pointercancel", (event) => this.pointerUp(event));
    on("focusout", () => this.sendNow());
  }

  // mouse, finger, pen

  get isFixed() {
    return this.model.get("state") === "compared";
  }

  pointerDown(event) {
    if (event.button !== 0 || this.pen || this.isFixed) return;
    event.preventDefault(); // no text is selected, no page scrolled
    this.circles.find(({ tabIndex }) => tabIndex === 0).focus({ preventScroll: true });
    this.picture.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.pen = this.at(event);
    drawLine(this.values, this.pen, this.pen);
    this.paint();
  }

  pointerMove(event) {
    if (!this.pen || event.pointerId !== this.pointer) return;
    const all = event.getCoalescedEvents?.() ?? []; // several between two frames
    for (const one of all.length ? all : [event]) {
      const next = this.at(one);
      drawLine(this.values, this.pen, next);
      this.pen = next;
    }
    this.paint();
  }

  pointerUp(event) {
    if (!this.pen || event.pointerId !== this.pointer) return;
    this.pen = null;
    this.changed = true;
    this.sendNow();
  }

  // keys

  /** Deal with a key at one of the handles; says whether it did. */
  key(event) {
    const index = this.circles.indexOf(event.target);
    if (index < 0 || this.isFixed) return false;
    const [low, high] = this.y;
    const step = (high - low) / (event.shiftKey ? 100 : 20);
    const y = this.whole[this.handles[index]];
    const changes = { ArrowUp: step, ArrowDown: -step, Home: low - y, End: high - y };
    const moves = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key in changes) this.bend(this.handles[index], changes[event.key]);
    else if (event.key in moves) this.goTo(index + moves[event.key]);
    else if (event.key === "Enter") this.sendNow();
    else return false;
    return true;
  }

  bend(handle, change) {
    this.values = bent(this.whole, handle, change, this.y);
    this.changed = true;
    this.paint();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.sendNow(), REST);
  }

  /** The curve from end to end, as the keys bend it. */
  get whole() {
    return completed(this.values, (this.y[0] + this.y[1]) / 2);
  }

  goTo(index) {
    const circle = this.circles[index];
    if (!circle) return;
    for (const other of this.circles) other.setAttribute("tabindex", other === circle ? 0 : -1);
    circle.focus();
  }

  // both

  sendNow() {
    clearTimeout(this.resting);
    if (this.changed && !this.pen) this.send(pointsOf(this.values, this.x));
    this.changed &&= Boolean(this.pen);
  }

  /** Show what Python has kept, unless something newer is here. */
  take() {
    if (this.pen || this.changed) return;
    this.values = columnsOf(this.model.get("answer"), this.x);
    this.paint();
  }

  paint() {
    const points = pointsOf(this.values, this.x).map(([x, y]) => [this.across(x), this.up(y)]);
    this.line.setAttribute("points", points.join(" "));
    const { whole } = this;
    this.handles.forEach((column, index) => {
      const circle = this.circles[index];
      circle.setAttribute("cy", this.up(whole[column]));
      circle.setAttribute("aria-valuenow", inShort(whole[column]));
    });
  }

  show(state) {
    this.how.hidden = state === "compared";
    for (const circle of this.circles) {
      circle.toggleAttribute("hidden", state === "compared");
      circle.setAttribute("aria-disabled", String(state === "compared"));
    }
  }
}
