// The attention explorer, part 1 of 2: the arithmetic, from a digit to who looks at whom.
//
// attention_explorer.py puts common.js and the two parts one after the other into the module that
// the page loads.
// A matrix is { rows, columns, data }, row by row; a bias is a matrix of one row.

/** A matrix from what Python sends: its shape, and the bytes of its float32 numbers. */
function unpack({ shape, data }) {
  const { buffer, byteOffset, byteLength } = data;
  const numbers = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  const [columns, rows = 1] = [...shape].reverse();
  return { rows, columns, data: numbers };
}

/** A matrix whose numbers are `number(row, column)`. */
function matrix(rows, columns, number) {
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) data[i * columns + j] = number(i, j);
  return { rows, columns, data };
}

const rowOf = ({ columns, data }, i) => data.subarray(i * columns, (i + 1) * columns);
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** x w + b for every row of x. */
function dense(x, w, b) {
  return matrix(x.rows, w.columns, (i, j) => {
    let total = b.data[j];
    for (let k = 0; k < w.rows; k++) total += x.data[i * x.columns + k] * w.data[k * w.columns + j];
    return total;
  });
}

/** A picture (height, width) -> its patches (tokens, patch * patch), row by row. */
function cutPatches(image, patch) {
  const across = image.columns / patch;
  return matrix((image.rows / patch) * across, patch * patch, (token, pixel) => {
    const y = Math.floor(token / across) * patch + Math.floor(pixel / patch);
    const x = (token % across) * patch + (pixel % patch);
    return image.data[y * image.columns + x];
  });
}

/** Every row with mean 0 and variance 1, times the gain, plus the bias. */
function layerNorm(x, gain, bias) {
  const n = x.columns;
  const rows = [...Array(x.rows).keys()].map((i) => {
    const mean = sum(rowOf(x, i)) / n;
    const variance = sum(rowOf(x, i).map((number) => (number - mean) ** 2)) / n;
    return { mean, rate: 1 / Math.sqrt(variance + 1e-5) };
  });
  return matrix(x.rows, n, (i, j) => {
    const { mean, rate } = rows[i];
    return gain.data[j] * (x.data[i * n + j] - mean) * rate + bias.data[j];
  });
}

/** The tokens of a picture, with their positions or without. */
function tokensOf(image, w, patch, withPositions) {
  const z = dense(cutPatches(image, patch), w.patch_w, w.patch_b);
  return matrix(z.rows, z.columns, (i, j) => {
    const place = i * z.columns + j;
    return Math.max(0, z.data[place] + (withPositions ? w.positions.data[place] : 0));
  });
}

/** Queries and keys (tokens, d), and how well they fit: scores q k / sqrt(d) (tokens, tokens). */
function lookAround(image, w, { patch, layer_norm }, withPositions = true) {
  let x = tokensOf(image, w, patch, withPositions);
  if (layer_norm) x = layerNorm(x, w.norm1_gain, w.norm1_bias);
  const query = dense(x, w.query_w, w.query_b);
  const key = dense(x, w.key_w, w.key_b);
  const scale = Math.sqrt(query.columns);
  const scores = matrix(x.rows, x.rows, (i, j) => sum(products(query, key, i, j)) / scale);
  return { query, key, scores };
}

/** The numbers whose sum says how well query i fits key j. */
function products(query, key, i, j) {
  const offered = rowOf(key, j);
  return rowOf(query, i).map((number, k) => number * offered[k]);
}

/** softmax(scores / temperature), each row for itself. */
function attentionOf(scores, temperature) {
  const rows = [...Array(scores.rows).keys()].map((i) => {
    const row = rowOf(scores, i);
    const largest = Math.max(...row);
    const exponentials = row.map((score) => Math.exp((score - largest) / temperature));
    const total = sum(exponentials);
    return exponentials.map((number) => number / total);
  });
  return matrix(scores.rows, scores.columns, (i, j) => rows[i][j]);
}

/** How many tokens share a row of attention: e to the power of its entropy. */
function lookedAt(row) {
  return Math.exp(-sum(row.map((share) => (share > 0 ? share * Math.log(share) : 0))));
}
