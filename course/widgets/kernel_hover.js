// Part 3: the page. The pictures from the digit to the answer, and digits to draw.

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
