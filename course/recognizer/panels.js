// Part 3: the panels. What the networks receive, what they answer, a look inside each.

const PIXELS = 28; // a side of the picture that the networks receive
const MOST_BARS = 12; // of one model; where it has more classes, the most probable are shown
const SHOWN_BARS = 10; // of those
const BLACK = { shape: [1, 1], pixels: new Uint8Array(1) };

// Patches: [column, row], from 0, where the picture is cut into grid * grid of them.

function patchAt(place, grid) {
  return place.map((part) => Math.min(grid - 1, Math.max(0, Math.floor(part * grid))));
}

/** The patch in which a pixel of a square picture lies; pixels are counted row by row. */
function patchOf(index, side, grid) {
  return patchAt([(index % side) / side, Math.floor(index / side) / side], grid);
}

function middleOf(patch, grid) {
  return patch.map((number) => (number + 0.5) / grid);
}

/** The patch that a key leads to; null for a key that leads nowhere. */
function neighbor(patch, key, grid) {
  const moves = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
    Home: [-grid, -grid],
    End: [grid, grid],
  };
  if (!(key in moves)) return null;
  return patch.map((number, i) => Math.min(grid - 1, Math.max(0, number + moves[key][i])));
}

/** The patch with the most ink in a square picture. */
function inkiest(pixels, grid) {
  const side = Math.sqrt(pixels.length);
  const ink = new Array(grid * grid).fill(0);
  pixels.forEach((level, i) => {
    const [column, row] = patchOf(i, side, grid);
    ink[row * grid + column] += level;
  });
  const most = ink.indexOf(Math.max(...ink));
  return [most % grid, Math.floor(most / grid)];
}

/** Where a patch looks most, `most` being counted row by row. */
function inWords([column, row], most, grid) {
  const name = (column, row) => `row ${row + 1}, column ${column + 1}`;
  const there =
    most === row * grid + column ? "itself" : name(most % grid, Math.floor(most / grid));
  return `${name(column, row)} looks most at ${there}`;
}

/** The three pictures between the drawing and the network. */
class Steps {
  constructor(model) {
    this.model = model;
    const titles = ["1. cut out", "2. scaled into 20 × 20", "3. centered in 28 × 28"];
    this.canvases = titles.map((title) => make("canvas", { role: "img", "aria-label": title }));
    this.captions = titles.map((title) => make("figcaption", {}, title));
    const figures = titles.map((_, i) => make("figure", {}, this.canvases[i], this.captions[i]));
    this.element = make(
      "section.recognizer-steps",
      { "aria-label": "What the networks receive" },
      make("h4", {}, "What the networks receive"),
      make("div", {}, ...figures),
    );
    model.on("change:result", () => this.show());
    this.show();
  }

  get received() {
    return this.canvases[2];
  }

  show() {
    const { steps = [], size } = this.model.get("result");
    this.captions[0].textContent = size ? `1. cut out: ${size[1]} × ${size[0]}` : "1. cut out";
    for (const [i, canvas] of this.canvases.entries()) {
      const { shape, pixels } = steps[i] ?? BLACK;
      const levels = bytesOf(pixels);
      paintPixels(canvas, shape[1], shape[0], (index) => grey(levels[index]));
    }
  }
}

/** The numbers of the classes that get a bar: all in their order, or the most probable first. */
function classesToShow(probabilities, count) {
  const all = [...Array(count).keys()];
  if (count <= MOST_BARS) return all;
  if (probabilities) all.sort((a, b) => probabilities[b] - probabilities[a]);
  return all.slice(0, SHOWN_BARS);
}

/** One model: its answer, a bar for each class, and a look inside. */
class ModelPanel {
  constructor(name, classNames, token) {
    this.name = name;
    this.classNames = classNames;
    this.token = token; // which patch attention is shown for; all panels share it
    this.answer = make("strong");
    this.rows = classesToShow(null, classNames.length).map(() => {
      const [label, fill, value] = [make("b"), make("i"), make("span")];
      return { row: make("li", {}, label, make("div", {}, fill), value), label, fill, value };
    });
    this.bars = make("ol", {}, ...this.rows.map(({ row }) => row));
    const longest = Math.max(1, ...classNames.map((className) => className.length));
    this.bars.style.setProperty("--label", `${Math.min(longest, 12)}ch`);
    this.look = make("canvas");
    this.grid = 0; // patches on a side of the picture, where attention is shown
    this.look.addEventListener("pointermove", (event) => this.grid && token.pointed(event));
    this.look.addEventListener("keydown", (event) => this.steer(event));
    this.caption = make("figcaption");
    this.figure = make("figure", {}, this.look, this.caption);
    this.problem = make("p.recognizer-problem");
    this.element = make(
      "section.recognizer-model",
      { "data-model": name, "aria-label": name },
      make("h4", {}, `${name} `, this.answer),
      this.bars,
      this.figure,
      this.problem,
    );
  }

  show(reading, received) {
    const { probabilities, digit, name = "", look, error = "" } = reading ?? {};
    this.element.dataset.digit = name;
    this.answer.textContent = name && `reads ${name}`;
    this.problem.textContent = error;
    this.bars.hidden = Boolean(error) && !probabilities;
    this.figure.hidden = Boolean(error);
    const shown = classesToShow(probabilities, this.classNames.length);
    this.rows.forEach(({ row, label, fill, value }, i) => {
      const number = shown[i];
      label.textContent = label.title = this.classNames[number];
      row.classList.toggle("winner", number === digit);
      fill.style.width = `${100 * (probabilities?.[number] ?? 0)}%`;
      value.textContent = probabilities ? percent(probabilities[number]) : "";
    });
    this.figure.style.visibility = look ? "visible" : "hidden";
    if (look) this.showLook(look, name, received);
  }

  /** See insight.py for what the shapes mean. */
  showLook({ shape, pixels }, name, received) {
    const levels = new Int8Array(bytesOf(pixels)); // up to 127, or -127
    this.grid = shape.length === 2 && shape[0] !== PIXELS ? Math.sqrt(shape[0]) : 0;
    if (shape.length === 3) this.showMaps(levels, ...shape);
    else if (this.grid) this.showAttention(levels, received);
    else this.showEvidence(levels, name);
    this.look.classList.toggle("pointable", this.grid > 0);
    this.look.tabIndex = this.grid ? 0 : -1;
    if (this.grid) return;
    this.look.setAttribute("role", "img");
    this.look.setAttribute("aria-label", `${this.name}: ${this.caption.textContent}`);
  }

  /** An arrow key on the attention panel: to the patch beside the one that is shown. */
  steer(event) {
    const patch = this.grid && neighbor(this.patch, event.key, this.grid);
    if (!patch) return;
    event.preventDefault();
    event.stopPropagation(); // or the notebook would act on it, too
    this.token.choose(middleOf(patch, this.grid));
  }

  /** Blue speaks for the answer, orange against it. */
  showEvidence(levels, name) {
    paintPixels(this.look, PIXELS, PIXELS, (index) => {
      const strength = Math.sqrt(Math.abs(levels[index]) / 127); // so that weak evidence shows, too
      const color = levels[index] < 0 ? [230, 159, 0] : [86, 180, 233];
      return color.map((channel) => channel * strength);
    });
    this.caption.replaceChildren(
      make("span.for", {}, "for"),
      ` and `,
      make("span.against", {}, "against"),
      ` ${name}, pixel by pixel`,
    );
  }

  /** All maps in one picture, as wide as high, with a gap between them. */
  showMaps(levels, count, height, width) {
    const columns = Math.ceil(Math.sqrt(count));
    const [w, h] = [width + 1, height + 1];
    const rows = Math.ceil(count / columns);
    paintPixels(this.look, columns * w - 1, rows * h - 1, (index) => {
      const [x, y] = [index % (columns * w - 1), Math.floor(index / (columns * w - 1))];
      const map = Math.floor(y / h) * columns + Math.floor(x / w);
      if (x % w === width || y % h === height || map >= count) return grey(70);
      const level = levels[(map * height + (y % h)) * width + (x % w)];
      return grey(255 * Math.sqrt(level / 127)); // so that little shows, too
    });
    this.caption.textContent = `the ${count} maps of its first convolution`;
  }

  /** The drawing, orange where the chosen patch looks; the patch itself is framed. */
  showAttention(levels, received) {
    const { grid, look } = this;
    this.patch = this.token.among(grid, received);
    const [column, row] = this.patch;
    const here = row * grid + column;
    const weights = levels.subarray(here * grid * grid, (here + 1) * grid * grid);
    const most = Math.max(...weights);
    const heat = Array.from(weights, (weight) => Math.sqrt(weight / (most || 1))); // little shows
    const small = make("canvas");
    paintPixels(small, PIXELS, PIXELS, (index) => {
      const [column, row] = patchOf(index, PIXELS, grid);
      const hot = heat[row * grid + column];
      const ink = received[index] * 0.6 * (1 - hot / 2);
      return [ink + 230 * hot, ink + 159 * hot, ink];
    });
    const side = 6 * PIXELS; // finer than the pixels, so that the frame is thin
    const size = side / grid; // of a patch
    look.width = look.height = side;
    const context = look.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, side, side);
    context.strokeStyle = "#56B4E9";
    context.lineWidth = 3;
    context.strokeRect(column * size, row * size, size, size);
    this.describeAttention(here, weights.indexOf(most));
  }

  /** A slider over the patches to whoever does not see it: what it says changes with each move. */
  describeAttention(here, most) {
    const words = inWords(this.patch, most, this.grid);
    this.caption.textContent = `${words}; point at another`;
    const attributes = {
      role: "slider",
      "aria-label": `${this.name}: where the framed patch looks; arrow keys choose another`,
      "aria-valuemin": 1,
      "aria-valuemax": this.grid ** 2,
      "aria-valuenow": here + 1,
      "aria-valuetext": words,
    };
    for (const [key, value] of Object.entries(attributes)) this.look.setAttribute(key, value);
  }
}

/** The place on the picture that pointer or keys have chosen, whatever patches it is cut into. */
class Token {
  constructor(changed) {
    this.changed = changed;
    this.place = null; // [x, y], each 0 to 1; null until chosen
  }

  pointed({ currentTarget, clientX, clientY }) {
    const box = currentTarget.getBoundingClientRect();
    this.choose([(clientX - box.left) / box.width, (clientY - box.top) / box.height]);
  }

  choose(place) {
    this.place = place;
    this.changed();
  }

  /** Column and row of the chosen patch; where none was chosen, of that with the most ink. */
  among(grid, received) {
    return this.place ? patchAt(this.place, grid) : inkiest(received, grid);
  }
}

/** The panels of all models, and one sentence for screen readers. */
class Reading {
  constructor(model, surface) {
    Object.assign(this, { model, surface });
    this.token = new Token(() => this.show());
    this.element = make("div.recognizer-models");
    this.spoken = make("p.recognizer-spoken", { role: "status" });
    model.on("change:names", () => this.arrange());
    model.on("change:result", () => this.show());
    model.on("change:answered", () => this.speak());
    this.arrange();
  }

  /** A panel for each model that reads now. */
  arrange() {
    const outputs = this.model.get("outputs");
    this.panels = this.model
      .get("names")
      .map((name) => new ModelPanel(name, outputs[name] ?? [], this.token));
    this.element.replaceChildren(...this.panels.map((panel) => panel.element));
    this.show();
  }

  show() {
    const { steps = [], models = {} } = this.model.get("result");
    const received = steps.length ? bytesOf(steps[2].pixels) : null;
    for (const panel of this.panels) panel.show(models[panel.name], received);
  }

  speak() {
    if (this.surface.stroke) return; // not while drawing
    const models = Object.entries(this.model.get("result").models ?? {});
    const parts = models.map(([name, { digit, name: answer, probabilities, error }]) =>
      error ? `${name}: ${error}` : `${name} reads ${answer}, ${percent(probabilities[digit])}`,
    );
    this.spoken.textContent = parts.join(". ") || "Nothing is drawn.";
  }
}
