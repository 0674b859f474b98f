// Part 1 of the training panel: a chart as numbers. Nothing here touches the page.

const SIZE = { width: 340, height: 190, left: 46, right: 10, top: 8, bottom: 22 };
const FLOOR = 1e-12; // of what is drawn on logarithmic axes
const LINEAR_TICKS = 4;

const isNumber = (value) => value !== null;

/** All numbers that have to find room on a chart's upright axis. */
function numbersOf({ lines, band, mark }) {
  const values = lines.flatMap(({ points }) => points.map(([, y]) => y)).filter(isNumber);
  return [...values, ...band.flatMap(([, low, high]) => [low, high]), ...(mark ? [mark] : [])];
}

/** From where to where the upright axis of a chart goes. */
function extentOf(chart) {
  if (chart.share) return [0, 1];
  const numbers = numbersOf(chart);
  if (!chart.log) return [0, 1.05 * Math.max(...numbers, FLOOR)];
  const powers = numbers.map((n) => Math.log10(Math.max(n, FLOOR)));
  if (!powers.length) return [0.1, 1];
  return [10 ** Math.floor(Math.min(...powers)), 10 ** Math.ceil(Math.max(...powers))];
}

/** Numbers to write on an axis from 0 to `end`: round ones, about LINEAR_TICKS of them. */
function roundNumbers(end) {
  const rough = end / LINEAR_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  return [...Array(Math.floor(end / step + 1e-9) + 1).keys()].map((n) => n * step);
}

/** Powers of ten from low to high, no more than find room. */
function powersOfTen(low, high) {
  const [first, last] = [low, high].map((n) => Math.round(Math.log10(n)));
  const every = Math.ceil((last - first) / 6) || 1;
  const powers = [...Array(last - first + 1).keys()].map((n) => first + n);
  return powers.filter((power) => (power - first) % every === 0).map((power) => 10 ** power);
}

/** Where numbers of a chart over so many epochs lie: functions to its units, and its ticks. */
function scalesOf(chart, epochs) {
  const { width, height, left, right, top, bottom } = SIZE;
  const [low, high] = extentOf(chart);
  const place = chart.log ? (n) => Math.log10(Math.max(n, low)) : (n) => n;
  const share = (n) => (place(n) - place(low)) / (place(high) - place(low));
  return {
    x: (epoch) => left + (epoch / epochs) * (width - left - right),
    y: (n) => height - bottom - Math.min(1, share(n)) * (height - top - bottom),
    ticks: chart.log ? powersOfTen(low, high) : roundNumbers(high),
    epochTicks: roundNumbers(epochs).filter(Number.isInteger),
  };
}

/** A line as an SVG path, broken where there is no number. */
function pathOf(points, { x, y }) {
  let pen = "M";
  const parts = points.map(([epoch, value]) => {
    const move = value === null ? "" : `${pen}${x(epoch).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = value === null ? "M" : "L";
    return move;
  });
  return parts.join("");
}

/** The band as a closed SVG path; "" where there is none. */
function bandPath(band, { x, y }) {
  const along = (points) => points.map(([epoch, n]) => `${x(epoch)} ${y(n)}`);
  const upper = along(band.map(([epoch, , high]) => [epoch, high]));
  const lower = along(band.map(([epoch, low]) => [epoch, low]).reverse());
  return band.length ? `M${[...upper, ...lower].join("L")}Z` : "";
}

/** The last point of a line that is not later than an epoch; undefined if all are. */
function pointAt(points, epoch) {
  return points.findLast(([at]) => at <= epoch + 1e-9);
}

/** Whether a point lies outside the band of its chart. */
function isOutside([epoch, value], band) {
  const part = pointAt(band, epoch) ?? band[0];
  return Boolean(part) && value !== null && (value < part[1] || value > part[2]);
}

/** A number as it is read. */
function told(value, share = false) {
  if (value === null) return "not finite";
  if (share) return `${Math.round(100 * value)} %`;
  const [digits, power] = value.toExponential(1).split("e");
  const isHandy = value === 0 || (Math.abs(power) < 4 && Math.abs(value) < 10000);
  return isHandy ? String(Number(value.toPrecision(3))) : `${Number(digits)}e${Number(power)}`;
}
