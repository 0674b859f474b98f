// The backprop stepper, part 2 of 4: the network as a graph, with every number known so far.

const WIDTH = 860; // of the graph, in its own units
const ROW = 92; // from one hidden unit to the next
const NODE = { width: 188, height: 76 };
const AT = { inputs: 44, hidden: 420, output: 763 }; // middles of the three columns
const SHARE = [0.75, 0.42]; // of its edge that lies before a weight of x[0], of x[1]

let graphs = 0; // two graphs in a page need arrowheads of their own

/** `show` draws a view: network, x, y, `known` (name -> value) and `step`, the last number. */
class Graph {
  constructor() {
    this.arrow = `backprop-arrow-${graphs++}`;
    this.element = draw("svg.backprop-graph", { role: "img" });
  }

  show(view) {
    const hidden = hiddenUnits(view.network);
    const height = Math.max(ROW * hidden, 2.6 * ROW) + 8;
    this.view = { ...view, hidden, height };
    this.element.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    this.element.setAttribute("aria-label", this.inWords());
    const triangle = draw("path.arrow", { d: "M0 0L8 4L0 8z" });
    const box = { markerWidth: 8, markerHeight: 8, refX: 7, refY: 4, orient: "auto-start-reverse" };
    const arrow = draw(
      "marker",
      { id: this.arrow, markerUnits: "userSpaceOnUse", ...box },
      triangle,
    );
    const units = [...Array(hidden).keys()];
    const edges = units.flatMap((j) => [this.edge(0, j), this.edge(1, j), this.outgoing(j)]);
    this.element.replaceChildren(
      draw("defs", {}, arrow),
      ...edges.map(({ line }) => line),
      this.line({ node: "loss" }, [AT.output, this.outputY], [AT.output, this.lossY], 1),
      ...edges.map(({ label }) => label),
      ...[0, 1].map((i) => this.input(i)),
      ...units.map((j) => this.unit(j)),
      this.output(),
      this.loss(),
    );
  }

  inWords() {
    const { hidden, known, step } = this.view;
    const last = step ? ` The last is ${step.name}, ${text(step.value)}.` : "";
    return `The network: 2 inputs, ${hidden} hidden units, 1 output. ${known.size} numbers are known.${last}`;
  }

  rowOf(j) {
    return (this.view.height * (j + 0.5)) / this.view.hidden;
  }

  inputY(i) {
    return this.view.height / 2 + (i ? 1 : -1) * 0.8 * ROW;
  }

  get outputY() {
    return this.view.height / 2 - 0.5 * ROW;
  }

  get lossY() {
    return this.view.height / 2 + 0.7 * ROW;
  }

  isNow({ edge, node }) {
    const { step } = this.view;
    return Boolean(step) && (edge ? step.edge === edge : step.node === node);
  }

  /** A line that carries a weight: thick for a large one, dashed for a negative one. */
  line(place, [x1, y1], [x2, y2], weight) {
    const width = 1 + Math.min(4, Math.abs(weight));
    const line = draw("line.edge", { x1, y1, x2, y2, "stroke-width": width });
    if (weight < 0) line.setAttribute("stroke-dasharray", "7 5");
    if (this.isNow(place)) {
      const head = this.view.step.isGradient ? "marker-start" : "marker-end";
      line.classList.add("now");
      line.setAttribute(head, `url(#${this.arrow})`);
    }
    return line;
  }

  /** An edge from `start` to `end`, its weight and, once it is known, its gradient. */
  weighted(edge, start, end, share, weight, gradient) {
    const [x, y] = start.map((place, i) => place + share * (end[i] - place));
    const d = this.view.known.get(gradient);
    const lines = [
      [[text(weight), "value"]],
      [[d === undefined ? "" : `d ${text(d)}`, "gradient"]],
    ];
    const size = { width: 66, height: d === undefined ? 17 : 32 };
    const label = this.texts(x, y, lines, size, "label");
    return { line: this.line({ edge }, start, end, weight), label };
  }

  edge(i, j) {
    const { network, hidden } = this.view;
    const start = [AT.inputs + 40, this.inputY(i)];
    const end = [AT.hidden - NODE.width / 2, this.rowOf(j)];
    const weight = network[i * hidden + j];
    return this.weighted(`w1-${i}-${j}`, start, end, SHARE[i], weight, `dw1[${i}, ${j}]`);
  }

  outgoing(j) {
    const { network, hidden } = this.view;
    const start = [AT.hidden + NODE.width / 2, this.rowOf(j)];
    const end = [AT.output - NODE.width / 2, this.outputY];
    return this.weighted(`w2-${j}`, start, end, 0.45, network[3 * hidden + j], `dw2[${j}]`);
  }

  /** Lines of text around (x, y), in a box; a line is pieces [text, class], of which some are "". */
  texts(x, y, lines, { width, height }, look) {
    const shown = lines
      .map((line) => line.filter(([piece]) => piece))
      .filter((line) => line.length);
    const top = y - (shown.length - 1) * 7.5 + 4;
    const pieces = (line) =>
      line.map(([piece, kind], i) => draw(`tspan.${kind}`, {}, i ? `   ${piece}` : piece));
    return draw(
      `g.${look}`,
      {},
      draw("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 6 }),
      ...shown.map((line, row) => draw("text", { x, y: top + 15 * row }, ...pieces(line))),
    );
  }

  /** A node: its name, its bias and whatever is known of z, a and their gradients. */
  node(name, title, x, y, lines, size = NODE) {
    const look = this.isNow({ node: name }) ? "node.now" : "node";
    return this.texts(x, y, [[[title, "title"]], ...lines], size, look);
  }

  input(i) {
    const size = { width: 80, height: 46 };
    return this.node(
      "",
      `x[${i}]`,
      AT.inputs,
      this.inputY(i),
      [[[text(this.view.x[i]), "value"]]],
      size,
    );
  }

  /** The lines of a unit whose bias is `bias` and whose numbers are called like z and a. */
  numbers(bias, db, z, a) {
    const { known } = this.view;
    const tell = (name, key) => (known.has(key) ? `${name} ${text(known.get(key))}` : "");
    const join = (parts, sign) => parts.filter(Boolean).join(sign);
    return [
      [
        [`b ${text(bias)}`, "value"],
        [tell("db", db), "gradient"],
      ],
      [[join([tell("z", z), tell("a", a)], " → "), "value"]],
      [[join([tell("dz", `d${z}`), tell("da", `d${a}`)], " ← "), "gradient"]],
    ];
  }

  unit(j) {
    const { network, hidden } = this.view;
    const names = [`db1[${j}]`, `z1[${j}]`, `a1[${j}]`];
    const lines = this.numbers(network[2 * hidden + j], ...names);
    return this.node(`h-${j}`, `hidden unit ${j}`, AT.hidden, this.rowOf(j), lines);
  }

  output() {
    const { network, hidden } = this.view;
    const lines = this.numbers(network[4 * hidden], "db2", "z2", "a2");
    return this.node("out", "output", AT.output, this.outputY, lines);
  }

  loss() {
    const { known, y } = this.view;
    const loss = known.has("loss") ? `loss ${text(known.get("loss"))}` : "";
    const size = { width: NODE.width, height: 46 };
    return this.node("loss", `target ${text(y)}`, AT.output, this.lossY, [[[loss, "value"]]], size);
  }
}
