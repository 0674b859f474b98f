// The backprop stepper, part 1 of 4: the arithmetic, which tests compare with course/xor.py.
//
// A network 2 -> hidden -> 1 is one array of numbers, in the order of the model's parameters:
// w1[0, :], w1[1, :], b1, w2[:, 0], b2. backprop_stepper.py puts common.js and the four parts one after
// the other into the module that the page loads.

export const CASES = [
  { x: [0, 0], y: 0 },
  { x: [0, 1], y: 1 },
  { x: [1, 0], y: 1 },
  { x: [1, 1], y: 0 },
];

export const hiddenUnits = (network) => (network.length - 1) / 4;

const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** The network that XOR(seed, hidden) begins with: xorshift64 and Xavier's limits, in float32. */
export function newNetwork(seed, hidden) {
  const bits = 2n ** 64n - 1n;
  let state = BigInt(seed) & bits || 0x9e3779b97f4a7c15n;
  const weights = (fanIn, fanOut) => {
    const limit = Math.fround(Math.sqrt(Math.fround(6 / (fanIn + fanOut))));
    return Array.from({ length: fanIn * fanOut }, () => {
      state ^= (state << 13n) & bits;
      state ^= state >> 7n;
      state ^= (state << 17n) & bits;
      const random = Math.fround(Number(state >> 32n)) / 2 ** 32;
      return Math.fround(-limit + Math.fround(Math.fround(2 * limit) * random));
    });
  };
  return [...weights(2, hidden), ...Array(hidden).fill(0), ...weights(hidden, 1), 0];
}

/** Every number on the way from x [2] to the answer a2. */
export function forward(network, x) {
  const hidden = hiddenUnits(network);
  const z1 = Array(hidden);
  const a1 = Array(hidden);
  let z2 = network[4 * hidden];
  for (let j = 0; j < hidden; j++) {
    z1[j] = x[0] * network[j] + x[1] * network[hidden + j] + network[2 * hidden + j];
    a1[j] = sigmoid(z1[j]);
    z2 += a1[j] * network[3 * hidden + j];
  }
  return { z1, a1, z2, a2: sigmoid(z2) };
}

/** Every number on the way back; `dnetwork` is the gradient, in the order of the network. */
export function backward(network, x, y) {
  const hidden = hiddenUnits(network);
  const { a1, a2 } = forward(network, x);
  const da2 = a2 - y;
  const dz2 = da2 * a2 * (1 - a2);
  const da1 = a1.map((_, j) => dz2 * network[3 * hidden + j]);
  const dz1 = a1.map((a, j) => da1[j] * a * (1 - a));
  const dw1 = x.flatMap((value) => dz1.map((dz) => dz * value));
  return { da2, dz2, da1, dz1, dnetwork: [...dw1, ...dz1, ...a1.map((a) => dz2 * a), dz2] };
}

/** The network after one step of gradient descent on one case. */
export function updated(network, x, y, learningRate) {
  const { dnetwork } = backward(network, x, y);
  return network.map((number, i) => number - learningRate * dnetwork[i]);
}

/** One step on each case; returns the network after it and the mean loss, as `train_epochs`. */
export function trainEpoch(network, learningRate) {
  let loss = 0;
  for (const { x, y } of CASES) {
    loss += (forward(network, x).a2 - y) ** 2 / 2;
    network = updated(network, x, y, learningRate);
  }
  return { network, loss: loss / CASES.length };
}

/** The mean loss over the four cases and how many answers are on the right side of 1/2. */
export function evaluate(network) {
  const answers = CASES.map(({ x }) => forward(network, x).a2);
  const loss = answers.reduce((sum, a, n) => sum + (a - CASES[n].y) ** 2 / 2, 0);
  const right = answers.filter((a, n) => a > 0.5 === CASES[n].y > 0.5).length;
  return { loss: loss / CASES.length, right };
}

// ---- One number at a time ------------------------------------------------------------------------

/** A number with three digits that count, the way one writes it on paper. */
export function text(number) {
  if (Number.isInteger(number)) return String(number).replace("-", "−");
  const size = Math.abs(number);
  let digits = number.toFixed(3);
  if (size < 1e-4) digits = number.toExponential(1);
  else if (size < 0.1) digits = number.toPrecision(3);
  return digits.replaceAll("-", "−");
}

/**
 * All numbers of one step of training, in the order in which they are computed.
 *
 * Each has its `name` as in course/xor.py, its `value`, the `rule` it comes from and the same in
 * `numbers`, the `part` of the step it belongs to, and the `edge` or `node` of the graph that it is
 * at. Those of the way back are gradients (`isGradient`).
 */
export function steps(network, x, y) {
  const hidden = hiddenUnits(network);
  const { z1, a1, z2, a2 } = forward(network, x);
  const { da2, dz2, da1, dz1, dnetwork } = backward(network, x, y);
  const found = [];
  let part = "";
  const add = (place, name, value, rule, numbers) =>
    found.push({ part, ...place, name, value, rule, numbers, isGradient: part.startsWith("Back") });

  part = "Forward: the hidden units";
  for (let j = 0; j < hidden; j++) {
    const bias = network[2 * hidden + j];
    let sum = 0;
    for (const i of [0, 1]) {
      const w = network[i * hidden + j];
      const before = i ? `${text(sum)} + ` : "";
      const rule = i ? `z1[${j}] + x[1] · w1[1, ${j}]` : `x[0] · w1[0, ${j}]`;
      sum += x[i] * w;
      add({ edge: `w1-${i}-${j}` }, `z1[${j}]`, sum, rule, `${before}${text(x[i])} · ${text(w)}`);
    }
    const place = { node: `h-${j}` };
    add(place, `z1[${j}]`, z1[j], `z1[${j}] + b1[${j}]`, `${text(sum)} + ${text(bias)}`);
    add(place, `a1[${j}]`, a1[j], `σ(z1[${j}])`, `1 / (1 + exp(−(${text(z1[j])})))`);
  }
  part = "Forward: the output";
  let sum = 0;
  for (let j = 0; j < hidden; j++) {
    const w = network[3 * hidden + j];
    const before = j ? `${text(sum)} + ` : "";
    const rule = `${j ? "z2 + " : ""}a1[${j}] · w2[${j}]`;
    sum += a1[j] * w;
    add({ edge: `w2-${j}` }, "z2", sum, rule, `${before}${text(a1[j])} · ${text(w)}`);
  }
  add({ node: "out" }, "z2", z2, "z2 + b2", `${text(sum)} + ${text(network[4 * hidden])}`);
  add({ node: "out" }, "a2", a2, "σ(z2)", `1 / (1 + exp(−(${text(z2)})))`);
  const loss = (a2 - y) ** 2 / 2;
  add({ node: "loss" }, "loss", loss, "(a2 − y)² / 2", `(${text(a2)} − ${text(y)})² / 2`);

  part = "Back: the output";
  add({ node: "loss" }, "da2", da2, "a2 − y", `${text(a2)} − ${text(y)}`);
  const slope = (a) => `${text(a)} · (1 − ${text(a)})`;
  add({ node: "out" }, "dz2", dz2, "da2 · a2 (1 − a2)", `${text(da2)} · ${slope(a2)}`);
  add({ node: "out" }, "db2", dz2, "dz2", text(dz2));
  for (let j = 0; j < hidden; j++) {
    const value = dnetwork[3 * hidden + j];
    add({ edge: `w2-${j}` }, `dw2[${j}]`, value, `dz2 · a1[${j}]`, `${text(dz2)} · ${text(a1[j])}`);
  }
  part = "Back: the hidden units";
  for (let j = 0; j < hidden; j++) {
    const w = network[3 * hidden + j];
    const at = { node: `h-${j}` };
    const back = `${text(dz2)} · ${text(w)}`;
    add({ edge: `w2-${j}` }, `da1[${j}]`, da1[j], `dz2 · w2[${j}]`, back);
    const rule = `da1[${j}] · a1[${j}] (1 − a1[${j}])`;
    add(at, `dz1[${j}]`, dz1[j], rule, `${text(da1[j])} · ${slope(a1[j])}`);
    add(at, `db1[${j}]`, dz1[j], `dz1[${j}]`, text(dz1[j]));
    for (const i of [0, 1]) {
      const numbers = `${text(dz1[j])} · ${text(x[i])}`;
      const value = dnetwork[i * hidden + j];
      add({ edge: `w1-${i}-${j}` }, `dw1[${i}, ${j}]`, value, `dz1[${j}] · x[${i}]`, numbers);
    }
  }
  return found;
}

/** What to say of somebody's guess at a gradient. */
export function verdict(guess, value) {
  const error = Math.abs(guess - value);
  if (error <= 0.02 * Math.abs(value) || error < 1e-6) return "Right.";
  if (value !== 0 && Math.abs(guess + value) <= 0.02 * Math.abs(value))
    return "The size is right, the sign is the other one.";
  if (value === 0) return "It is exactly 0: one of its factors is.";
  return `Not quite: you said ${text(guess)}.`;
}

// ---- Lines ---------------------------------------------------------------------------------------

/** The two ends of the line a x + b y + c = 0 within the square from low to high; null if none. */
export function lineInSquare([a, b, c], low, high) {
  const ends = [];
  const keep = (x, y) => {
    const inside = [x, y].every((place) => place >= low - 1e-9 && place <= high + 1e-9);
    if (inside && !ends.some((end) => Math.hypot(end[0] - x, end[1] - y) < 1e-9)) ends.push([x, y]);
  };
  for (const side of [low, high]) {
    if (b !== 0) keep(side, -(a * side + c) / b);
    if (a !== 0) keep(-(b * side + c) / a, side);
  }
  return ends.length >= 2 ? ends.slice(0, 2) : null;
}

/**
 * Where values on a grid (rows of n, at 0 to n - 1) pass `level`: pieces of line [x1, y1, x2, y2].
 *
 * In each square of four values, the sides on which two neighbors lie on both sides of the level are
 * joined: two of them, or four, which are taken in pairs.
 */
export function contour(values, n, level) {
  const pieces = [];
  for (let y = 0; y + 1 < n; y++) {
    for (let x = 0; x + 1 < n; x++) {
      const corners = [
        [x, y],
        [x + 1, y],
        [x + 1, y + 1],
        [x, y + 1],
      ]; // prettier than a formula
      const over = corners.map(([column, row]) => values[row * n + column] - level);
      const crossings = [];
      for (let k = 0; k < 4; k++) {
        const next = (k + 1) % 4;
        if (over[k] > 0 === over[next] > 0) continue;
        const share = over[k] / (over[k] - over[next]);
        crossings.push(corners[k].map((place, i) => place + share * (corners[next][i] - place)));
      }
      for (let k = 0; k + 1 < crossings.length; k += 2)
        pieces.push([...crossings[k], ...crossings[k + 1]]);
    }
  }
  return pieces;
}
