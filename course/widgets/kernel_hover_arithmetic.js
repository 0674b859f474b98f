// The kernel over a digit, part 1: the arithmetic. The network of lesson 03 for one picture, and
// what is computed from what.
//
// A picture is an array of SIDE * SIDE numbers, row by row; a kernel has nine. course/cnn.py computes
// the same for batches.

export const SIDE = 28; // of a digit, and of each answer: padding 1 keeps the size
export const HALF = SIDE / 2; // of a pooled picture
const OFFSETS = [-1, 0, 1].flatMap((row) => [-1, 0, 1].map((column) => [row, column]));

/** Numbers that Python has packed: the bytes of a float32 or uint8 array as base64. */
export function unpack(text, Type) {
  return Array.from(new Type(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer));
}

export const rowAndColumn = (p, side = SIDE) => [Math.floor(p / side), p % side];

const isInside = (row, column) => row >= 0 && row < SIDE && column >= 0 && column < SIDE;

/** The nine pixels under a kernel that is centered at a place; beyond the border there are zeros. */
export function windowAt(image, row, column) {
  return OFFSETS.map(([i, j]) =>
    isInside(row + i, column + j) ? image[(row + i) * SIDE + column + j] : 0,
  );
}

export const productsAt = (image, kernel, row, column) =>
  windowAt(image, row, column).map((pixel, i) => kernel[i] * pixel);

export const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

export function convolve(image, kernel, bias) {
  return image.map((_, p) => bias + sum(productsAt(image, kernel, ...rowAndColumn(p))));
}

export const relu = (z) => z.map((value) => Math.max(value, 0));

/** The places of the four answers that a pooled pixel is the largest of. */
export function poolWindow(row, column) {
  return [0, 1, SIDE, SIDE + 1].map((step) => 2 * row * SIDE + 2 * column + step);
}

/** The largest of each 2 x 2 window, and where it was; of equals the first, as in course/cnn.py. */
export function maxPool(a) {
  const where = Array.from({ length: HALF * HALF }, (_, p) =>
    poolWindow(...rowAndColumn(p, HALF)).reduce((best, q) => (a[q] > a[best] ? q : best)),
  );
  return { pooled: where.map((q) => a[q]), where };
}

/** What each pooled number of one map adds to the logit of a digit; `w` is (features, digits). */
export function contributions(pooled, channel, digit, w, digits) {
  return pooled.map((value, p) => value * w[(channel * HALF * HALF + p) * digits + digit]);
}

export function softmax(logits) {
  const largest = Math.max(...logits);
  const shares = logits.map((logit) => Math.exp(logit - largest));
  return shares.map((share) => share / sum(shares));
}

/** The whole network: {maps: [{z, a, pooled, where}, ...], logits, probabilities}. */
export function forward(image, { kernels, biases, w, b }) {
  const maps = kernels.map((kernel, k) => {
    const z = convolve(image, kernel, biases[k]);
    const a = relu(z);
    return { z, a, ...maxPool(a) };
  });
  const logits = b.map((bias, digit) =>
    maps.reduce(
      (total, { pooled }, k) => total + sum(contributions(pooled, k, digit, w, b.length)),
      bias,
    ),
  );
  return { maps, logits, probabilities: softmax(logits) };
}

const index = (row, column) => row * SIDE + column;

/** The pixels that one answer is computed from, or the answers that one pixel goes into. */
export function around(row, column) {
  return OFFSETS.map(([i, j]) => [row + i, column + j])
    .filter(([r, s]) => isInside(r, s))
    .map(([r, s]) => index(r, s));
}

/** What belongs together in one map: the places in each of its pictures, from a chosen one.
 *
 * kind: "input", "z", "a" or "pooled", where the place (row, column) was chosen. A pooled pixel
 * leads back to its winner, and from there to the nine pixels; an input pixel leads on to the
 * answers that it goes into. Returns {input, z, a, pooled}, lists of places.
 */
export function related(kind, row, column, { where }) {
  const place = kind === "pooled" ? where[row * HALF + column] : index(row, column);
  const answers = kind === "input" ? around(row, column) : [place];
  const [r, s] = rowAndColumn(place);
  const halves = answers.map((q) => {
    const [row, column] = rowAndColumn(q).map((n) => n >> 1);
    return row * HALF + column;
  });
  return {
    input: kind === "input" ? [place] : around(r, s),
    z: answers,
    a: answers,
    pooled: [...new Set(halves)],
  };
}

/** A picture with a dot of ink on it, at (x, y) in pixels from the upper left corner. */
export function inked(image, x, y) {
  return image.map((level, p) => {
    const distance = Math.hypot((p % SIDE) + 0.5 - x, Math.floor(p / SIDE) + 0.5 - y);
    return Math.max(level, Math.min(1, Math.max(0, 1.9 - distance)));
  });
}

/** The places from one point to another, so close that dots of ink make a line. */
export function line([x0, y0], [x1, y1]) {
  const steps = Math.max(1, Math.ceil(2 * Math.hypot(x1 - x0, y1 - y0)));
  return Array.from({ length: steps }, (_, i) => [
    x0 + ((x1 - x0) * (i + 1)) / steps,
    y0 + ((y1 - y0) * (i + 1)) / steps,
  ]);
}

/** The place that a key leads to in a picture of side * side; null for a key that leads nowhere. */
export function moved([row, column], key, side) {
  const moves = {
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    Home: [-side, -side],
    End: [side, side],
  };
  if (!(key in moves)) return null;
  return [row, column].map((n, i) => Math.min(side - 1, Math.max(0, n + moves[key][i])));
}
