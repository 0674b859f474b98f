// The backprop stepper, part 3 of 4: training, with the plane, the hidden space and the loss moving.

const GRID = 45; // values on a side of the plane
const EDGE = { low: -0.25, high: 1.25 }; // of the plane
const SIDE = 220; // of each figure, in its own units
const SPEEDS = [1, 10, 100]; // epochs a picture
const PICTURES = 60; // that a press stands for where nothing may move
const BLUE = [33, 102, 172];
const RED = [178, 24, 43];

/** White at 1/2, blue towards 1 and red towards 0, as in the course's figures. */
function heat(answer) {
  const share = Math.min(1, 1.6 * Math.abs(answer - 0.5));
  return (answer > 0.5 ? BLUE : RED).map((level) => Math.round(255 - share * (255 - level)));
}

/** The loss so far as points [epoch, loss], thinned so that a long run has not more of them. */
class History {
  constructor(loss) {
    this.epoch = 0;
    this.points = [[0, loss]];
  }

  add(epochs, loss) {
    this.epoch += epochs;
    if (this.epoch < 1.01 * this.points.at(-2)?.[0]) this.points.pop();
    this.points.push([this.epoch, loss]);
  }
}

/** Training of `state.network` on the four cases; `changed` is called after every move. */
class Training {
  constructor(state, changed) {
    Object.assign(this, { state, changed });
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.play = button("Play", () => (this.frame ? this.pause() : this.start()));
    this.speed = choice(SPEEDS, 10);
    const hidden = hiddenUnits(state.network);
    this.hidden = choice([...new Set([1, 2, 3, 4, hidden])], hidden);
    this.seed = make("input", { type: "number", min: 0, step: 1, value: state.seed });
    this.told = make("p.backprop-told", { role: "status" });
    this.plane = make("canvas", { width: GRID, height: GRID });
    this.plane.setAttribute("aria-hidden", "true"); // the drawing above it has the words
    this.lines = figure();
    this.space = figure();
    this.loss = figure();
    const axes = [0, 1].map((i) => choice([0], 0, { "aria-label": `unit ${i ? "up" : "across"}` }));
    for (const axis of axes) axis.addEventListener("change", () => this.show());
    this.axes = axes;
    this.still.addEventListener("change", () => this.show());
    this.forget();
    this.element = make(
      "section.backprop-training",
      { "aria-label": "Training" },
      make(
        "div.backprop-row",
        {},
        this.play,
        button("One epoch", () => this.advance(1)),
        labeled("Epochs a picture", this.speed),
        labeled("Hidden units", this.hidden),
        labeled("Seed", this.seed),
        button("New start", () => this.renew()),
      ),
      this.told,
      make(
        "div.backprop-figures",
        {},
        captioned(
          "The plane of the two inputs",
          make("div.backprop-plane", {}, this.plane, this.lines),
        ),
        captioned(
          "The hidden space",
          this.space,
          labeled("across", axes[0]),
          labeled("up", axes[1]),
        ),
        captioned("Loss, over 1 + epochs", this.loss),
      ),
    );
  }

  /** Begin a new history, of the network that is there now. */
  forget() {
    this.history = new History(evaluate(this.state.network).loss);
    const { network } = this.state;
    const units = [...Array(hiddenUnits(network)).keys()];
    const weight = (j) => Math.abs(network[3 * units.length + j]);
    const chosen = [...units].sort((a, b) => weight(b) - weight(a)).slice(0, 2);
    chosen.sort((a, b) => a - b); // two that matter
    this.axes.forEach((axis, i) => {
      axis.replaceChildren(...units.map((j) => make("option", { value: j }, `unit ${j}`)));
      axis.value = chosen[i] ?? 0;
    });
  }

  renew() {
    const seed = Math.max(0, Math.trunc(Number(this.seed.value) || 0));
    this.seed.value = seed;
    this.state.replace(newNetwork(seed, Number(this.hidden.value)));
    this.forget();
    this.changed();
  }

  start() {
    if (this.still.matches) {
      this.advance(PICTURES * Number(this.speed.value));
      return;
    }
    const next = () => {
      this.frame = requestAnimationFrame(next);
      this.advance(Number(this.speed.value));
    };
    this.frame = requestAnimationFrame(next);
    this.show();
  }

  pause() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.show();
  }

  advance(epochs) {
    const learningRate = this.state.learningRate;
    let network = this.state.present;
    for (let epoch = 0; epoch < epochs; epoch++)
      network = trainEpoch(network, learningRate).network;
    this.state.replace(network);
    this.history.add(epochs, evaluate(network).loss);
    this.changed();
  }

  show() {
    const network = this.state.present;
    const { loss, right } = evaluate(network);
    const jump = `On by ${PICTURES * Number(this.speed.value)} epochs`;
    this.play.textContent = this.frame ? "Pause" : this.still.matches ? jump : "Play";
    this.told.setAttribute("aria-live", this.frame ? "off" : "polite");
    this.told.textContent = `Epoch ${this.history.epoch.toLocaleString("en")}: loss ${text(loss)}, ${right} of 4 right.`;
    this.showPlane(network, right);
    this.showSpace(network);
    this.showLoss();
  }

  showPlane(network, right) {
    const place = (index) => EDGE.low + ((EDGE.high - EDGE.low) * index) / (GRID - 1);
    const answers = Array.from({ length: GRID * GRID }, (_, index) => {
      const [column, row] = [index % GRID, GRID - 1 - Math.floor(index / GRID)];
      return forward(network, [place(column), place(row)]).a2;
    });
    const image = new ImageData(GRID, GRID);
    image.data.set(answers.flatMap((answer) => [...heat(answer), 255]));
    this.plane.getContext("2d").putImageData(image, 0, 0);

    const on = (number) => ((number - EDGE.low) / (EDGE.high - EDGE.low)) * SIDE;
    const hidden = hiddenUnits(network);
    const units = [...Array(hidden).keys()].flatMap((j) => {
      const line = [network[j], network[hidden + j], network[2 * hidden + j]];
      const ends = lineInSquare(line, EDGE.low, EDGE.high);
      if (!ends) return [];
      const [[x1, y1], [x2, y2]] = ends.map(([x, y]) => [on(x), SIDE - on(y)]);
      const share = 0.06 + 0.05 * j; // where lines meet at an end, their names do not
      const at = { x: x1 + share * (x2 - x1), y: y1 + share * (y2 - y1) };
      return [draw("line.unit", { x1, y1, x2, y2 }), draw("text.unit", at, String(j))];
    });
    const boundary = contour(answers, GRID, 0.5).map(([x1, y1, x2, y2]) => {
      const [a, b, c, d] = [x1, y1, x2, y2].map((index) => (index / (GRID - 1)) * SIDE);
      return draw("line.boundary", { x1: a, y1: b, x2: c, y2: d });
    });
    const points = CASES.flatMap(({ x, y }) => point(on(x[0]), SIDE - on(x[1]), y, String(y)));
    this.lines.replaceChildren(...units, ...boundary, ...points);
    const words = CASES.map(({ x }) => `${x.join(" and ")}: ${text(forward(network, x).a2)}`);
    this.lines.setAttribute("aria-label", `Answers to ${words.join(", ")}; ${right} of 4 right.`);
  }

  showSpace(network) {
    const hidden = hiddenUnits(network);
    const [across, up] = this.axes.map((axis) => Number(axis.value));
    const on = (number) => 20 + number * (SIDE - 40);
    const places = CASES.map(({ x }) => forward(network, x).a1);
    const parts = [draw("rect.frame", { x: 20, y: 20, width: SIDE - 40, height: SIDE - 40 })];
    const output = [network[3 * hidden], network[3 * hidden + 1], network[4 * hidden]];
    const ends = hidden === 2 && across !== up && lineInSquare(output, 0, 1);
    if (ends) {
      const turned = across ? ends.map(([x, y]) => [y, x]) : ends;
      const [[x1, y1], [x2, y2]] = turned.map(([x, y]) => [on(x), SIDE - on(y)]);
      parts.push(draw("line.boundary", { x1, y1, x2, y2 }));
    }
    places.forEach((a, n) => {
      const { x, y } = CASES[n];
      parts.push(...point(on(a[across]), SIDE - on(a[up]), y, x.join("")));
    });
    this.space.replaceChildren(...parts);
    const words = places.map(
      (a, n) => `${CASES[n].x.join(" and ")}: ${text(a[across])}, ${text(a[up])}`,
    );
    const label = `Activations of the units ${across} and ${up}: ${words.join("; ")}.`;
    this.space.setAttribute("aria-label", label);
  }

  showLoss() {
    const { points, epoch } = this.history;
    const top = Math.max(0.15, ...points.map(([, loss]) => loss));
    const across = Math.log10(Math.max(1000, 1 + epoch));
    const on = ([epoch, loss]) => [
      30 + (Math.log10(1 + epoch) / across) * (SIDE - 50),
      SIDE - 20 - (loss / top) * (SIDE - 40),
    ];
    const [, eighth] = on([0, 1 / 8]);
    const ticks = [...Array(Math.floor(across) + 1).keys()].map((power) =>
      draw("text.tick", { x: on([10 ** power - 1, 0])[0], y: SIDE - 4 }, `${10 ** power}`),
    );
    const path = points.map((point) => on(point).join(" ")).join("L");
    const [x, y] = on(points.at(-1));
    this.loss.replaceChildren(
      draw("path.frame", { d: `M30 20V${SIDE - 20}H${SIDE - 20}` }),
      draw("line.unit", { x1: 30, y1: eighth, x2: SIDE - 20, y2: eighth }),
      draw("text.tick", { x: 15, y: eighth + 4 }, "1/8"),
      draw("text.tick", { x: 15, y: SIDE - 16 }, "0"),
      ...ticks,
      draw("path.loss", { d: `M${path}` }),
      draw("circle.loss", { cx: x, cy: y, r: 4 }),
    );
    const loss = text(points.at(-1)[1]);
    this.loss.setAttribute("aria-label", `The loss from ${text(points[0][1])} to ${loss}.`);
  }
}

const figure = () => draw("svg", { role: "img", viewBox: `0 0 ${SIDE} ${SIDE}` });

/** A case in a figure: a circle where the target is 0, a square where it is 1. */
function point(x, y, target, name) {
  const circle = draw("circle.point", { cx: x, cy: y, r: 10 });
  const square = draw("rect.point", { x: x - 10, y: y - 10, width: 20, height: 20 });
  return [target ? square : circle, draw("text.point", { x, y: y + 4 }, name)];
}

function captioned(title, ...parts) {
  return make("figure", {}, make("figcaption", {}, title), ...parts);
}
