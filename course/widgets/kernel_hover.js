// Part 2: the page. Pictures to point at, the sum behind the place that was chosen, digits to draw.

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

const PICTURES = {
  input: ["digit", SIDE, "arrow keys choose a pixel, Space puts ink on it"],
  z: ["answers of the kernel", SIDE, "arrow keys choose an answer"],
  a: ["after the ReLU", SIDE, "arrow keys choose a number"],
  pooled: ["pooled", HALF, "arrow keys choose a number"],
};

/** Everything that is shown of one widget. */
class KernelHover {
  constructor(model) {
    const { names, kernels, biases, w, b } = model.get("network");
    this.names = names;
    this.given = inPieces(unpack(kernels, Float32Array), 9);
    this.weights = {
      kernels: structuredClone(this.given),
      biases: unpack(biases, Float32Array),
      w: unpack(w, Float32Array),
      b: unpack(b, Float32Array),
    };
    this.isNetwork = this.weights.b.length > 0; // else there are kernels alone
    const levels = unpack(model.get("digits"), Uint8Array).map((level) => level / 255);
    this.digits = inPieces(levels, SIDE ** 2);
    this.image = this.digits[0];
    this.channel = 0;
    this.choice = { kind: "z", row: 0, column: 0 };
    this.pictures = this.makePictures();
    this.logits = this.weights.b.map((_, digit) => this.makeLogit(digit));
    this.kernels = names.map((name, k) => this.makeKernel(name, k));
    this.sum = new Sum(
      (i, value) => this.edit(this.weights.kernels[this.channel].with(i, value)),
      () => this.edit(this.given[this.channel]),
    );
    letDraw(
      this.pictures.input,
      () => this.image,
      (image) => this.take(image),
    );
    this.compute();
    const [row, column] = rowAndColumn(strongestOf(this.map.z));
    this.choose({ kind: "z", row, column });
  }

  get parts() {
    const figures = Object.values(this.pictures).map(({ element }) => element);
    const rows = make("div.kernel-hover-logits", {}, ...this.logits.map(({ row }) => row));
    const logits = make("figure", {}, rows, make("figcaption", {}, "logits, and shares"));
    if (this.isNetwork) figures.push(logits);
    return [
      section("Which digit", ...this.makeDigits()),
      section("Which kernel", ...this.kernels.map(({ element }) => element)),
      section("The pictures", ...figures),
      this.sum.element,
    ];
  }

  makeDigits() {
    const buttons = this.digits.map((image, n) => {
      const small = make("canvas");
      paint(small, image, grey);
      return named(`digit ${n + 1}`, () => this.take(image), small);
    });
    const empty = () => this.take(new Array(SIDE ** 2).fill(0));
    const hint = make("span", {}, "and draw into the picture below");
    return [...buttons, named("Clear the picture", empty, "Clear"), hint];
  }

  makePictures() {
    const kinds = Object.keys(PICTURES).slice(0, this.isNetwork ? 4 : 2);
    const picture = (kind) =>
      new Picture(...PICTURES[kind], (row, column) => this.choose({ kind, row, column }));
    return Object.fromEntries(kinds.map((kind) => [kind, picture(kind)]));
  }

  makeLogit(digit) {
    const choose = () => this.choose({ kind: "logit", digit });
    const [bar, value] = [make("i"), make("span")];
    const title = `the logit of the ${digit}, and its share`;
    const row = make("button", { type: "button", title }, make("b", {}, `${digit}: `), bar, value);
    for (const event of ["click", "pointerenter", "focus"]) row.addEventListener(event, choose);
    return { row, bar, value };
  }

  makeKernel(name, k) {
    const [kernel, map] = [make("canvas.kernel-hover-kernel"), make("canvas")];
    const choose = () => {
      this.channel = k;
      this.show();
    };
    const element = named(name, choose, kernel, map, this.isNetwork ? "" : name);
    return { element, kernel, map };
  }

  // what changes

  take(image) {
    this.image = image;
    this.compute();
  }

  edit(kernel) {
    this.weights.kernels[this.channel] = kernel;
    this.compute();
  }

  choose(choice) {
    this.choice = choice;
    this.show();
  }

  compute() {
    this.found = forward(this.image, this.weights);
    this.found.maps.forEach(({ z, a }, k) => {
      const kernel = this.weights.kernels[k];
      paint(this.kernels[k].kernel, kernel, signedIn(kernel));
      paint(this.kernels[k].map, this.isNetwork ? a : z, signedIn(z));
    });
    this.show();
  }

  // what is seen

  get map() {
    return this.found.maps[this.channel];
  }

  show() {
    const place = this.placeOfInterest();
    const lit = related(place.kind, place.row, place.column, this.map);
    const color = signedIn(this.map.z);
    for (const [kind, picture] of Object.entries(this.pictures)) {
      picture.show(
        kind === "input" ? this.image : this.map[kind],
        kind === "input" ? grey : color,
        lit[kind],
      );
    }
    this.kernels.forEach(({ element }, k) => {
      element.setAttribute("aria-pressed", String(k === this.channel));
    });
    this.showLogits();
    this.showSum(place, lit);
  }

  /** The chosen place; for a logit, that of the pooled number which says most for or against it. */
  placeOfInterest() {
    if (this.choice.kind !== "logit") return this.choice;
    const shares = this.sharesOf(this.choice.digit, this.channel);
    const [row, column] = rowAndColumn(strongestOf(shares), HALF);
    return { kind: "pooled", row, column };
  }

  sharesOf(digit, k) {
    return contributions(
      this.found.maps[k].pooled,
      k,
      digit,
      this.weights.w,
      this.weights.b.length,
    );
  }

  showLogits() {
    const { logits, probabilities } = this.found;
    const best = logits.indexOf(Math.max(...logits));
    this.logits.forEach(({ row, bar, value }, digit) => {
      const share = `${Math.round(100 * probabilities[digit])} %`;
      bar.style.setProperty("--share", probabilities[digit]);
      value.textContent = `${told(logits[digit])}, ${share}`;
      row.setAttribute("aria-pressed", String(this.choice.digit === digit));
      row.classList.toggle("best", digit === best);
    });
  }

  showSum({ kind, row, column }, lit) {
    const kernel = this.weights.kernels[this.channel];
    if (kind === "input") {
      const pixel = this.image[lit.input[0]];
      this.sum.show(new Array(9).fill(pixel), kernel, this.aboutPixel(pixel, lit));
      return;
    }
    const p = lit.z[0];
    const nine = windowAt(this.image, ...rowAndColumn(p));
    const words = [this.aboutAnswer(p, nine, kernel)];
    if (kind !== "z") words.push(`ReLU: ${told(this.map.a[p])}.`);
    if (kind === "pooled") words.unshift(this.aboutPooled(row, column));
    if (this.choice.kind === "logit")
      words.unshift(this.aboutLogit(this.choice.digit, row, column));
    this.sum.show(nine, kernel, words.join(" "));
  }

  aboutPixel(pixel, { z }) {
    return (
      `This pixel, ${told(pixel)}, is met by the kernel at ${z.length} places, each time by another ` +
      "weight. Each product goes into another answer: those that are framed."
    );
  }

  aboutAnswer(p, nine, kernel) {
    const bias = this.weights.biases[this.channel];
    const total = sum(nine.map((pixel, i) => kernel[i] * pixel));
    const added = this.isNetwork ? `, with the bias ${told(bias)}: ${told(this.map.z[p])}` : "";
    return `The nine products add up to ${told(total)}${added}.`;
  }

  aboutPooled(row, column) {
    const four = poolWindow(row, column).map((q) => told(this.map.a[q]));
    return `The largest of ${four.join(", ")} is kept; the frames lead to where it was.`;
  }

  aboutLogit(digit, row, column) {
    const sums = this.found.maps.map((_, k) => told(sum(this.sharesOf(digit, k))));
    const strongest = this.sharesOf(digit, this.channel)[row * HALF + column];
    return (
      `The logit of the ${digit}, ${told(this.found.logits[digit])}, is its bias, ` +
      `${told(this.weights.b[digit])}, and what the maps add: ${sums.join(", ")}. In this map the ` +
      `framed number weighs most: ${told(strongest)}.`
    );
  }
}

function section(name, ...children) {
  return make("section", { "aria-label": name }, ...children);
}

function inPieces(numbers, length) {
  return range(numbers.length / length).map((n) => numbers.slice(n * length, (n + 1) * length));
}

/** Let the pressed pointer, and the space bar, put ink on a picture. */
function letDraw(picture, image, take) {
  const { canvas } = picture;
  let last = null;
  const ink = (from, to) =>
    take(line(from, to).reduce((drawn, [x, y]) => inked(drawn, x, y), image()));
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    last = picture.at(event);
    ink(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const now = picture.at(event);
    ink(last, now);
    last = now;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      last = null;
    });
  }
  canvas.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    const middle = picture.place.map((n) => n + 0.5).reverse();
    ink(middle, middle);
  });
}

/** Put the widget on the page. Of `model` it needs only `get`, so a page without a kernel will do. */
function render({ model, el }) {
  el.classList.add("kernel-hover");
  el.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes Space and the arrows
  el.append(...new KernelHover(model).parts);
}

export default { render };
