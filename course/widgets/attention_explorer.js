// The attention explorer, part 2 of 2: the page. Everything happens here; Python is not asked.

const PANEL = 252; // a side of each picture, in pixels
const PLACE = "#F0E442"; // the patch that looks, and its row
const LOOK = [86, 180, 233]; // where it looks
const SIGNS = "http://www.w3.org/2000/svg";

const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
const temperatureOf = (slider) => 10 ** Number(slider.value);
const indexOfLargest = (numbers) => numbers.indexOf(Math.max(...numbers));

/** The token that a key leads to in a grid; null for a key that leads nowhere. */
function neighbor(token, key, rows, columns) {
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  if (key === "Home") return 0;
  if (key === "End") return rows * columns - 1;
  if (!(key in moves)) return null;
  const [down, right] = moves[key];
  const within = (number, count) => Math.min(count - 1, Math.max(0, number));
  const row = within(Math.floor(token / columns) + down, rows);
  return row * columns + within((token % columns) + right, columns);
}

/** The patch with the most ink. */
function inkiest(image, patch) {
  const patches = cutPatches(image, patch);
  return indexOfLargest([...Array(patches.rows).keys()].map((i) => sum(rowOf(patches, i))));
}

/** Paint numbers from 0 to 1 as pixels; `color` says [red, green, blue] of one. */
function paint(canvas, { rows, columns, data }, color) {
  const image = new ImageData(columns, rows);
  data.forEach((number, index) => {
    image.data.set([...color(number), 255], 4 * index);
  });
  const small = make("canvas", { width: columns, height: rows });
  small.getContext("2d").putImageData(image, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  return context;
}

const gray = (ink) => [255 * ink, 255 * ink, 255 * ink];
/** From black over blue to white. */
const heat = (amount) =>
  LOOK.map((channel) =>
    amount < 0.7 ? (channel * amount) / 0.7 : channel + ((255 - channel) * (amount - 0.7)) / 0.3,
  );

/** A frame around a part of a picture, dark on both sides, so that it is seen on any ground. */
function frame(context, x, y, width, height, color, dashes = []) {
  for (const [style, line, pattern] of [
    ["black", 5, []],
    [color, 2.5, dashes],
  ]) {
    context.strokeStyle = style;
    context.lineWidth = line;
    context.setLineDash(pattern);
    context.strokeRect(x, y, width, height);
  }
}

/** A row of signed bars; `show(numbers)` draws them, up for what is above 0. */
class Bars {
  constructor(label) {
    this.svg = document.createElementNS(SIGNS, "svg");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.value = make("output");
    this.label = label;
    this.element = make("div.attention-bars", {}, make("span", {}, label), this.svg, this.value);
  }

  show(numbers, value) {
    const most = Math.max(...numbers.map(Math.abs)) || 1;
    this.svg.setAttribute("viewBox", `0 -1 ${numbers.length} 2`);
    this.svg.setAttribute("aria-label", `${this.label}: ${numbers.length} numbers. ${value}`);
    this.svg.replaceChildren(
      ...Array.from(numbers, (number, k) => {
        const bar = document.createElementNS(SIGNS, "rect");
        const height = Math.abs(number) / most;
        const place = { x: k + 0.1, width: 0.8, y: number > 0 ? -height : 0, height };
        for (const [name, size] of Object.entries(place)) bar.setAttribute(name, size);
        bar.setAttribute("class", number > 0 ? "above" : "below");
        return bar;
      }),
    );
    this.value.textContent = value;
  }
}

/** A picture of all patches, on which pointer and arrow keys choose one; a click holds it. */
class Patches {
  constructor(title, label, grid, choose) {
    Object.assign(this, { grid, choose, token: 0, held: false });
    this.canvas = make("canvas", {
      width: 2 * PANEL,
      height: 2 * PANEL * (grid.rows / grid.columns),
      tabindex: 0,
      role: "slider",
      "aria-label": label,
      "aria-valuemin": 1,
      "aria-valuemax": grid.rows * grid.columns,
    });
    this.caption = make("figcaption");
    this.element = make("figure", {}, make("h4", {}, title), this.canvas, this.caption);
    this.canvas.addEventListener("pointermove", (event) => {
      if (!this.held) this.point(this.at(event));
    });
    this.canvas.addEventListener("pointerdown", (event) => {
      this.held = event.pointerType === "mouse" && !this.held;
      this.point(this.at(event), true);
    });
    this.canvas.addEventListener("keydown", (event) => {
      const token = neighbor(this.token, event.key, grid.rows, grid.columns);
      if (token === null) return;
      event.preventDefault(); // of scrolling
      this.point(token, true);
    });
  }

  at({ offsetX, offsetY }) {
    const { rows, columns } = this.grid;
    const [x, y] = [offsetX / this.canvas.clientWidth, offsetY / this.canvas.clientHeight];
    const within = (part, count) => Math.min(count - 1, Math.max(0, Math.floor(part * count)));
    return within(y, rows) * columns + within(x, columns);
  }

  point(token, always = false) {
    if (always || token !== this.token) this.choose(token);
  }

  /** The digit, and `over(context, size of a patch)` on it. */
  show(image, token, words, over = () => {}, note = "") {
    this.token = token;
    const { columns } = this.grid;
    const context = paint(this.canvas, image, gray);
    const size = this.canvas.width / columns;
    over(context, size);
    const corner = [(token % columns) * size, Math.floor(token / columns) * size];
    frame(context, ...corner, size, size, ...this.frame);
    this.caption.textContent = this.held ? `${words}; held: click to let go` : words + note;
    this.canvas.setAttribute("aria-valuenow", token + 1);
    this.canvas.setAttribute("aria-valuetext", words);
  }
}

/** All of the page. */
class AttentionExplorer {
  constructor(model) {
    const names = Object.entries(model.get("weights"));
    this.weights = Object.fromEntries(names.map(([name, array]) => [name, unpack(array)]));
    this.options = model.get("options");
    const { height, width, patch } = this.options;
    const all = unpack(model.get("digits"));
    this.digits = [...Array(all.rows).keys()].map((n) => ({
      rows: height,
      columns: width,
      data: rowOf(all, n),
    }));
    this.grid = { rows: height / patch, columns: width / patch };
    this.makePanels();
    this.element = make(
      "div.attention-explorer",
      {},
      this.makeControls(),
      make("div.attention-panels", {}, this.looking.element, this.looked.element, this.whole),
      this.makeFormula(),
    );
    // or the notebook would act on it, too
    this.element.addEventListener("keydown", (event) => event.stopPropagation());
    this.choose(0);
  }

  makeControls() {
    const group = `digit-${Math.random()}`; // views of one page must not share it
    const choices = this.digits.map((image, n) => {
      const picture = make("canvas", { width: 42, height: 42 });
      paint(picture, image, gray);
      const button = make("input", { type: "radio", name: group, "aria-label": `digit ${n + 1}` });
      button.checked = n === 0;
      button.addEventListener("change", () => this.choose(n));
      return make("label", {}, picture, button);
    });
    this.temperature = make("input", { type: "range", min: -1, max: 1, step: 0.05, value: 0 });
    this.temperature.setAttribute("aria-label", "temperature");
    this.degrees = make("output");
    this.temperature.addEventListener("input", () => this.soften());
    this.positions = make("input", { type: "checkbox" });
    this.positions.checked = true;
    this.positions.addEventListener("change", () => this.compute());
    return make(
      "div.attention-controls",
      {},
      make("fieldset", {}, make("legend", {}, "Digit"), ...choices),
      make("label", {}, "Temperature", this.temperature, this.degrees),
      make("label", {}, this.positions, "Positions"),
    );
  }

  makePanels() {
    const keys = "arrow keys choose another";
    this.looking = new Patches("Who looks", `The patch that looks; ${keys}`, this.grid, (token) => {
      this.query = token;
      if (!this.looked.held) this.key = null;
      this.show();
    });
    this.looking.frame = [PLACE];
    const label = `The patch that is looked at; ${keys}`;
    this.looked = new Patches("Where it looks", label, this.grid, (token) => {
      this.key = token;
      this.show();
    });
    this.looked.frame = ["white", [8, 6]];
    this.matrix = make("canvas", { width: 2 * PANEL, height: 2 * PANEL, role: "img" });
    this.matrix.addEventListener("pointermove", (event) => this.pointMatrix(event));
    this.matrix.addEventListener("pointerdown", (event) => {
      const isHeld = event.pointerType === "mouse" && !this.looking.held;
      this.looking.held = this.looked.held = false;
      this.pointMatrix(event);
      this.looking.held = this.looked.held = isHeld;
      this.show();
    });
    this.about = make("figcaption");
    const title = make("h4", {}, "Everyone: a row each");
    this.whole = make("figure", {}, title, this.matrix, this.about);
  }

  makeFormula() {
    this.bars = ["query", "key", "products"].map((name) => new Bars(name));
    this.formula = make("p");
    return make("section", {}, ...this.bars.map((bars) => bars.element), this.formula);
  }

  pointMatrix({ offsetX, offsetY }) {
    const { clientWidth, clientHeight } = this.matrix;
    const count = this.scores.rows;
    const within = (part) => Math.min(count - 1, Math.max(0, Math.floor(part * count)));
    if (!this.looking.held) this.query = within(offsetY / clientHeight);
    if (!this.looked.held) this.key = within(offsetX / clientWidth);
    this.show();
  }

  choose(number) {
    this.image = this.digits[number];
    this.query = inkiest(this.image, this.options.patch);
    this.key = null; // the patch that is looked at most
    this.looking.held = this.looked.held = false;
    this.compute();
  }

  compute() {
    const { image, weights, options, positions } = this;
    Object.assign(this, { computed: lookAround(image, weights, options, positions.checked) });
    this.scores = this.computed.scores;
    this.soften();
  }

  soften() {
    const temperature = temperatureOf(this.temperature);
    this.degrees.textContent = temperature.toFixed(2);
    this.temperature.setAttribute("aria-valuetext", temperature.toFixed(2));
    this.attention = attentionOf(this.scores, temperature);
    this.show();
  }

  name(token) {
    const { columns } = this.grid;
    return `row ${Math.floor(token / columns) + 1}, column ${(token % columns) + 1}`;
  }

  show() {
    const row = rowOf(this.attention, this.query);
    const key = this.key ?? indexOfLargest(row);
    this.looking.show(this.image, this.query, this.name(this.query));
    const words = `${this.name(key)} gets ${percent(row[key])}`;
    const shares = (context, size) => this.paintShares(context, size, row);
    this.looked.show(this.image, key, words, shares, "; the areas are the shares");
    this.showMatrix(key);
    this.showFormula(key, row[key]);
  }

  /** On each patch a square, its area the patch's share beside the greatest one. */
  paintShares(context, size, row) {
    const most = Math.max(...row);
    context.fillStyle = `rgba(${LOOK}, 0.8)`;
    row.forEach((share, token) => {
      const side = size * Math.sqrt(share / most);
      const middle = [token % this.grid.columns, Math.floor(token / this.grid.columns)];
      const [x, y] = middle.map((number) => (number + 0.5) * size - side / 2);
      context.fillRect(x, y, side, side);
    });
  }

  showMatrix(key) {
    const most = Math.max(...this.attention.data);
    const { rows, columns, data } = this.attention;
    const roots = { rows, columns, data: data.map((share) => Math.sqrt(share / most)) };
    const context = paint(this.matrix, roots, heat);
    const size = this.matrix.width / rows;
    frame(context, 0, this.query * size, this.matrix.width, size, PLACE);
    frame(context, key * size, this.query * size, size, size, "white");
    const share = lookedAt(rowOf(this.attention, this.query));
    const words = `The framed row looks at about ${share.toFixed(1)} of ${rows} patches.`;
    this.about.textContent = words;
    this.matrix.setAttribute("aria-label", `Attention matrix, the brighter the more. ${words}`);
  }

  showFormula(key, share) {
    const { query, key: keys, scores } = this.computed;
    const numbers = products(query, keys, this.query, key);
    const total = sum(numbers);
    this.bars[0].show(rowOf(query, this.query), this.name(this.query));
    this.bars[1].show(rowOf(keys, key), this.name(key));
    this.bars[2].show(numbers, `sum ${total.toFixed(2)}`);
    const score = scores.data[this.query * scores.columns + key];
    this.formula.textContent =
      `query · key = ${total.toFixed(2)};  / √${query.columns} = ${score.toFixed(2)};  ` +
      `/ temperature = ${(score / temperatureOf(this.temperature)).toFixed(2)};  ` +
      `the softmax of its row makes ${percent(share)} of it`;
  }
}

/** anywidget calls this once for every view of a widget. */
function render({ model, el }) {
  el.append(new AttentionExplorer(model).element);
}

export default { render };
