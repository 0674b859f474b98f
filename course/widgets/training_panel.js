// Part 2 of the training panel: the page. Four charts, their numbers at one moment, the doctor.

// Lines are not told by color alone. One more than there are colors: when those begin anew, the
// seventh line does not look like the first.
const DASHES = ["", "7 3", "2 2", "9 3 2 3", "13 4", "4 5", "9 3 2 3 2 3"];

/** One chart with its legend, which says each line's number at the moment that is looked at. */
class Chart {
  constructor() {
    this.title = make("figcaption");
    const { width, height } = SIZE;
    this.picture = draw("svg", { role: "img", viewBox: `0 0 ${width} ${height}` });
    this.legend = make("ul");
    this.element = make("figure", {}, this.title, this.picture, this.legend);
  }

  show(chart, epochs, moment) {
    const scales = scalesOf(chart, epochs);
    this.title.textContent = chart.title;
    this.picture.setAttribute("aria-label", chart.description);
    this.picture.replaceChildren(
      draw("rect.paper", { width: SIZE.width, height: SIZE.height }),
      draw("path.band", { d: bandPath(chart.band, scales) }),
      ...axes(chart, scales),
      ...this.lines(chart, scales),
      ...(moment < epochs ? [upright(scales.x(moment), "moment")] : []),
    );
    this.legend.replaceChildren(...chart.lines.map((line, n) => entry(chart, line, n, moment)));
  }

  lines({ lines, mark }, scales) {
    const y = mark && scales.y(mark);
    const ends = { x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y, y2: y };
    const paths = lines.map(({ points, color }, n) =>
      draw("path.line", { d: pathOf(points, scales), stroke: color, ...dashed(n) }),
    );
    return mark ? [draw("line.mark", ends), ...paths] : paths;
  }
}

const dashed = (n) => ({ "stroke-dasharray": DASHES[n % DASHES.length] });

const upright = (x, name) =>
  draw(`line.${name}`, { x1: x, x2: x, y1: SIZE.top, y2: SIZE.height - SIZE.bottom });

function axes({ share }, { x, y, ticks, epochTicks }) {
  const foot = SIZE.height - SIZE.bottom;
  return [
    ...ticks.flatMap((tick) => [
      draw("line.grid", { x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y(tick), y2: y(tick) }),
      draw("text.up", { x: SIZE.left - 5, y: y(tick) + 4 }, told(tick, share)),
    ]),
    ...epochTicks.map((tick) => draw("text.along", { x: x(tick), y: foot + 15 }, String(tick))),
  ];
}

/** An entry of the legend: how the line looks, its name, its number, and whether that is well. */
function entry({ band, share }, { name, color, points }, n, moment) {
  const look = { x1: 0, x2: 28, y1: 5, y2: 5, stroke: color, ...dashed(n) };
  const sample = draw(
    "svg",
    { viewBox: "0 0 28 10", "aria-hidden": "true" },
    draw("rect.paper", { width: 28, height: 10 }),
    draw("line.line", look),
  );
  const point = pointAt(points, moment);
  if (!point) return make("li", {}, sample, name);
  const number = make("b", {}, told(point[1], share));
  const outside = isOutside(point, band) || point[1] === null;
  return make("li", {}, sample, `${name} `, number, outside ? " (out of the band)" : "");
}

export default {
  render({ model, el }) {
    el.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes the arrows
    const charts = model.get("drawn").map(() => new Chart());
    const moment = make("input", { type: "range", min: 0, step: 1 });
    const when = make("output");
    const back = make("label.training-back", {}, "Look back ", moment, when);
    const words = make("p.training-words", { role: "status" });
    const notice = make("p.training-notice", { role: "status" });
    let follows = true; // the slider stays at the end while training goes on

    function show() {
      const drawn = model.get("drawn");
      const epochs = model.get("epochs");
      const moments = drawn[0].lines[0]?.points.map(([epoch]) => epoch) ?? [];
      moment.max = Math.max(0, moments.length - 1);
      if (follows) moment.value = moment.max;
      const isLast = moment.value === moment.max;
      const epoch = isLast ? epochs : moments[Number(moment.value)];
      const text = isLast ? "the last" : `epoch ${epoch.toFixed(1)}`;
      moment.setAttribute("aria-valuetext", text);
      when.textContent = text;
      charts.forEach((chart, n) => {
        chart.show(drawn[n], epochs, epoch);
      });
      const said = model.get("words");
      if (words.textContent !== said) words.textContent = said; // or it is read out again
    }

    moment.addEventListener("input", () => {
      follows = moment.value === moment.max;
      show();
    });
    model.on("comm_live_update", () => {
      notice.textContent = GONE;
    });
    model.on("change:drawn change:epochs change:words", show);
    const figures = make("div.training-charts", {}, ...charts.map(({ element }) => element));
    const caption = make("p", {}, "Green is healthy; the epochs go from left to right.");
    el.append(
      make(
        "section.training-panel",
        { "aria-label": "Training" },
        figures,
        caption,
        back,
        words,
        notice,
      ),
    );
    show();
    return () => model.off("change:drawn change:epochs change:words", show);
  },
};
