// Part 2: what the page is made of. Pictures to point at, nine numbers, the sum behind a place.

const ZOOM = 6; // pixels on the screen for one of the digit, on an ordinary screen
const DEAD = 0.0005; // numbers this small are shown as 0

const range = (count) => [...Array(count).keys()];

const named = (title, action, ...children) =>
  button(children, action, { title, "aria-label": title });

/** A number as it is read, with a true minus sign. */
const told = (number) => (Math.abs(number) < DEAD ? "0" : number.toFixed(2).replace("-", "−"));

// Colors: [red, green, blue]. Digits are white on black; other numbers blue above 0, red below.

const grey = (level) => [level, level, level].map((channel) => Math.round(255 * channel));
const BLUES = [grey(1), [67, 147, 195], [5, 48, 97]];
const REDS = [grey(1), [214, 96, 77], [103, 0, 31]];

function signed(value, largest) {
  const strength = Math.min(1, Math.abs(value) / (largest || 1)) * 2;
  const colors = value < 0 ? REDS : BLUES;
  const half = strength > 1 ? 1 : 0;
  const mix = (from, to) => from + (to - from) * (strength - half);
  return colors[half].map((channel, i) => Math.round(mix(channel, colors[half + 1][i])));
}

/** Black or white, whichever can be read on a color (WCAG's relative luminance). */
function readable(color) {
  const linear = color.map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 ? "black" : "white";
}

const largestOf = (numbers) => Math.max(...numbers.map(Math.abs));
const strongestOf = (numbers) => numbers.map(Math.abs).indexOf(largestOf(numbers));
const signedIn = (numbers) => {
  const largest = largestOf(numbers);
  return (value) => signed(value, largest);
};

/** Fill a canvas with square pixels, one for each number. */
function paint(canvas, numbers, color) {
  const side = Math.sqrt(numbers.length);
  canvas.width = canvas.height = side;
  const image = new ImageData(side, side);
  numbers.forEach((number, p) => {
    image.data.set([...color(number), 255], 4 * p);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** A picture in which pointer or arrow keys choose a place; `chosen(row, column)` hears of it. */
class Picture {
  constructor(title, side, help, chosen) {
    Object.assign(this, { title, side, help });
    this.canvas = make("canvas", { tabIndex: 0, role: "slider" });
    this.caption = make("figcaption", {}, title);
    this.element = make("figure", {}, this.canvas, this.caption);
    this.canvas.addEventListener("pointermove", (event) => {
      const [x, y] = this.at(event);
      const inside = (n) => Math.min(side - 1, Math.max(0, Math.floor(n)));
      chosen(inside(y), inside(x));
    });
    this.canvas.addEventListener("focus", () => {
      if (this.canvas.matches(":focus-visible")) chosen(...this.place);
    });
    this.canvas.addEventListener("keydown", (event) => {
      const place = moved(this.place, event.key, side);
      if (!place) return;
      event.preventDefault();
      chosen(...place);
    });
  }

  /** Where a pointer is, in pixels of the picture. */
  at({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.side / box.width;
    return [(clientX - box.left) * scale, (clientY - box.top) * scale];
  }

  /** Show numbers, with frames around the places `lit`; from their middle the keys go on. */
  show(numbers, color, lit) {
    this.numbers = numbers;
    this.place = rowAndColumn(lit[lit.length >> 1], this.side);
    const small = make("canvas");
    paint(small, numbers, color);
    const unit = (ZOOM * Math.ceil(window.devicePixelRatio || 1) * SIDE) / this.side;
    this.canvas.width = this.canvas.height = unit * this.side;
    const context = this.canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, this.canvas.width, this.canvas.height);
    const corners = lit.map((p) => rowAndColumn(p, this.side).map((n) => n * unit));
    // dark around light, so that the frame is seen on every ground
    for (const [style, grow] of [
      ["black", 2],
      ["white", 1],
      ["#56B4E9", 0],
    ]) {
      context.fillStyle = style;
      outline(context, corners, unit, (1 + grow) * Math.ceil(unit / 12));
    }
    this.describe();
  }

  describe() {
    const [row, column] = this.place;
    const attributes = {
      "aria-label": `${this.title}; ${this.help}`,
      "aria-valuemin": 1,
      "aria-valuemax": this.side ** 2,
      "aria-valuenow": row * this.side + column + 1,
      "aria-valuetext": `row ${row}, column ${column}: ${told(this.numbers[row * this.side + column])}`,
    };
    for (const [key, value] of Object.entries(attributes)) this.canvas.setAttribute(key, value);
  }
}

/** Draw a frame of a width around squares at these corners, [y, x], that may adjoin each other. */
function outline(context, corners, unit, width) {
  const has = (y, x) => corners.some(([b, a]) => b === y && a === x);
  for (const [y, x] of corners) {
    const [left, top, long] = [x - width, y - width, unit + 2 * width];
    if (!has(y - unit, x)) context.fillRect(left, top, long, width);
    if (!has(y + unit, x)) context.fillRect(left, y + unit, long, width);
    if (!has(y, x - unit)) context.fillRect(left, top, width, long);
    if (!has(y, x + unit)) context.fillRect(x + unit, top, width, long);
  }
}

/** Nine numbers, three by three; `weights` can be written into. */
class Nine {
  constructor(title, changed) {
    this.cells = range(9).map((i) => {
      if (!changed) return make("span");
      const name = `weight, row ${Math.floor(i / 3)}, column ${i % 3}`;
      const cell = make("input", { type: "number", step: 0.1, "aria-label": name });
      cell.addEventListener("input", () => changed(i, Number(cell.value)));
      return cell;
    });
    this.caption = make("figcaption", {}, title);
    const grid = make("div.kernel-hover-nine", {}, ...this.cells);
    this.element = make("figure", {}, grid, this.caption);
  }

  show(numbers, color, title) {
    if (title) this.caption.textContent = title;
    numbers.forEach((number, i) => {
      const cell = this.cells[i];
      const ground = color(number);
      cell.style.background = `rgb(${ground})`;
      cell.style.color = readable(ground);
      if (cell.tagName === "SPAN") cell.textContent = told(number);
      else if (!cell.matches(":focus")) cell.value = Number(number.toFixed(2));
    });
  }
}

/** The nine products behind a place, their sum, and what became of it, in numbers and words. */
class Sum {
  constructor(edit, reset) {
    this.pixels = new Nine("pixels");
    this.kernel = new Nine("weights", edit);
    this.products = new Nine("products");
    this.sentence = make("p");
    const sign = (text) => make("span.kernel-hover-sign", { "aria-hidden": "true" }, text);
    const back = named("Reset weights", reset, "Reset weights");
    this.element = section(
      "The sum behind it",
      this.pixels.element,
      sign("×"),
      this.kernel.element,
      sign("="),
      this.products.element,
      make("div.kernel-hover-words", {}, this.sentence, back),
    );
  }

  show(pixels, kernel, sentence) {
    const products = kernel.map((weight, i) => weight * pixels[i]);
    const largest = largestOf(kernel);
    this.pixels.show(pixels, grey);
    this.kernel.show(kernel, (value) => signed(value, largest));
    this.products.show(products, (value) => signed(value, largest));
    this.sentence.textContent = sentence;
  }
}
