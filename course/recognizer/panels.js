// Part 3: the panels. What the networks receive, what they answer, a look inside each.

const BLACK = { shape: [1, 1], pixels: new Uint8Array(1) };

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

/** One model: its answer, ten bars, and a look inside. */
class ModelPanel {
  constructor(name, token) {
    this.name = name;
    this.token = token; // which patch attention is shown for; all panels share it
    this.answer = make("strong");
    this.rows = [...Array(10).keys()].map((digit) => {
      const fill = make("i");
      const value = make("span");
      const row = make("li", {}, make("b", {}, String(digit)), make("div", {}, fill), value);
      return { row, fill, value };
    });
    this.bars = make("ol", {}, ...this.rows.map(({ row }) => row));
    this.look = make("canvas", { role: "img" });
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
    token.follow(this.look);
  }

  show(reading, received) {
    const { probabilities, digit, look, error = "" } = reading ?? {};
    this.element.dataset.digit = digit ?? "";
    this.answer.textContent = digit === undefined ? "" : `reads ${digit}`;
    this.problem.textContent = error;
    this.bars.hidden = Boolean(error) && !probabilities;
    this.figure.hidden = Boolean(error);
    this.rows.forEach(({ row, fill, value }, i) => {
      row.classList.toggle("winner", i === digit);
      fill.style.width = `${100 * (probabilities?.[i] ?? 0)}%`;
      value.textContent = probabilities ? percent(probabilities[i]) : "";
    });
    this.figure.style.visibility = look ? "visible" : "hidden";
    if (look) this.showLook(look, digit, received);
  }

  /** See insight.py for what the shapes mean. */
  showLook({ shape, pixels }, digit, received) {
    const levels = new Int8Array(bytesOf(pixels)); // up to 127, or -127
    const square = shape.join() === "28,28";
    if (square) this.showEvidence(levels, digit);
    else if (shape.length === 3) this.showMaps(levels, ...shape);
    else this.showAttention(levels, shape[0], received);
    const pointable = !square && shape.length === 2;
    this.look.classList.toggle("pointable", pointable);
    this.look.tabIndex = pointable ? 0 : -1;
    this.look.setAttribute("aria-label", `${this.name}: ${this.caption.textContent}`);
  }

  /** Blue speaks for the answer, orange against it. */
  showEvidence(levels, digit) {
    paintPixels(this.look, 28, 28, (index) => {
      const strength = Math.sqrt(Math.abs(levels[index]) / 127); // so that weak evidence shows, too
      const color = levels[index] < 0 ? [230, 159, 0] : [86, 180, 233];
      return color.map((channel) => channel * strength);
    });
    this.caption.replaceChildren(
      make("span.for", {}, "for"),
      ` and `,
      make("span.against", {}, "against"),
      ` ${digit}, pixel by pixel`,
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

  /** The drawing, orange where the chosen token looks; the token itself is framed. */
  showAttention(levels, count, received) {
    const grid = Math.sqrt(count);
    const size = 28 / grid; // of a patch, in pixels
    const [column, line] = this.token.among(grid, received);
    const weights = levels.subarray((line * grid + column) * count).subarray(0, count);
    const most = Math.max(1, ...weights);
    const heat = Array.from(weights, (weight) => Math.sqrt(weight / most)); // little shows, too
    const small = make("canvas");
    paintPixels(small, 28, 28, (index) => {
      const hot = heat[Math.floor(index / 28 / size) * grid + Math.floor((index % 28) / size)];
      const ink = received[index] * 0.6 * (1 - hot / 2);
      return [ink + 230 * hot, ink + 159 * hot, ink];
    });
    const finer = 6; // than a pixel, so that the frame is thin
    this.look.width = this.look.height = 28 * finer;
    const context = this.look.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, 28 * finer, 28 * finer);
    context.strokeStyle = "#56B4E9";
    context.lineWidth = 3;
    context.strokeRect(column * size * finer, line * size * finer, size * finer, size * finer);
    this.caption.textContent = "where the framed patch looks; point at another";
  }
}

/** The place on the 28x28 picture that pointer or arrow keys have chosen. */
class Token {
  constructor(changed) {
    this.changed = changed;
    this.place = null; // [x, y], each 0 to 1; null until chosen
  }

  follow(canvas) {
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      this.choose((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    });
    canvas.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (!(event.key in moves)) return;
      event.preventDefault();
      event.stopPropagation();
      const [x, y] = this.place ?? [0.5, 0.5];
      this.choose(x + moves[event.key][0] / 7, y + moves[event.key][1] / 7);
    });
  }

  choose(...place) {
    this.place = place.map((part) => Math.min(0.999, Math.max(0, part)));
    this.changed();
  }

  /** Column and line of the chosen token; where nothing was chosen, that with the most ink. */
  among(grid, received) {
    if (this.place) return this.place.map((part) => Math.floor(part * grid));
    const ink = new Array(grid * grid).fill(0);
    received.forEach((level, i) => {
      ink[Math.floor((i / 28 / 28) * grid) * grid + Math.floor(((i % 28) / 28) * grid)] += level;
    });
    const most = ink.indexOf(Math.max(...ink));
    return [most % grid, Math.floor(most / grid)];
  }
}

/** The panels of all models, and one sentence for screen readers. */
class Reading {
  constructor(model, surface) {
    Object.assign(this, { model, surface });
    this.token = new Token(() => this.show());
    this.panels = model.get("names").map((name) => new ModelPanel(name, this.token));
    this.element = make("div.recognizer-models", {}, ...this.panels.map((panel) => panel.element));
    this.spoken = make("p.recognizer-spoken", { role: "status" });
    model.on("change:result", () => this.show());
    model.on("change:answered", () => this.speak());
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
    const parts = models.map(([name, { digit, probabilities, error }]) =>
      error ? `${name}: ${error}` : `${name} reads ${digit}, ${percent(probabilities[digit])}`,
    );
    this.spoken.textContent = parts.join(". ") || "Nothing is drawn.";
  }
}
