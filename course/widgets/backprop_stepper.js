// The backprop stepper, part 4 of 4: one step of training, number by number, and the page.

const SKIP = "Type your guess, or press Next to see it.";

function labeled(name, control) {
  return make("label", {}, `${name} `, control);
}

/** A menu of numbers. */
function choice(values, value, properties = {}) {
  const options = values.map((number) => make("option", { value: number }, String(number)));
  const element = make("select", properties, ...options);
  element.value = value;
  return element;
}

/** Where we are: the network, the case, and how many numbers of its step are known. */
class State {
  constructor(model) {
    this.network = model.get("network");
    this.learningRate = model.get("learning_rate");
    this.seed = model.get("seed");
    this.choose(model.get("case"));
  }

  choose(number) {
    this.case = number;
    Object.assign(this, { ...CASES[number], position: 0 });
    this.x = [...this.x];
  }

  get steps() {
    return steps(this.network, this.x, this.y);
  }

  /** The position after the update, which is the last. */
  get end() {
    return this.steps.length + 1;
  }

  /** The network as it is seen: after the last number the update has been made. */
  get present() {
    if (this.position < this.end) return this.network;
    return updated(this.network, this.x, this.y, this.learningRate);
  }

  /** Take another network; its numbers are not known yet. */
  replace(network) {
    this.network = network;
    this.position = 0;
  }

  next() {
    if (this.position < this.end) this.position += 1;
    else {
      this.replace(this.present);
      this.choose((this.case + 1) % CASES.length);
    }
  }

  /** On to the last number of the part that comes next. */
  nextPart() {
    const all = this.steps;
    const part = all[this.position]?.part;
    if (part) this.position = all.findLastIndex((step) => step.part === part) + 1;
    else this.next();
  }
}

/** The graph, the buttons under it, what the present number is, and the question for the next. */
class Stepper {
  constructor(state, changed, asks) {
    Object.assign(this, { state, changed, right: 0, asked: 0 });
    this.graph = new Graph();
    this.case = make(
      "select",
      {},
      ...CASES.map(({ x, y }, number) =>
        make("option", { value: number }, `${x[0]} xor ${x[1]} = ${y}`),
      ),
    );
    this.case.addEventListener("change", () =>
      this.move(() => state.choose(Number(this.case.value))),
    );
    this.slider = make("input", { type: "range", min: 0, "aria-label": "Numbers known" });
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    this.back = button("Back", () => this.go(state.position - 1));
    this.onward = button("Next", () => this.move(() => state.next()));
    this.asks = make("input", { type: "checkbox", checked: asks });
    this.asks.addEventListener("change", () => changed());
    this.part = make("strong");
    this.number = make("p");
    this.said = make("p");
    this.telling = make(
      "div.backprop-telling",
      { role: "status" },
      this.part,
      this.number,
      this.said,
    );
    this.guess = make("input", { type: "text", inputMode: "decimal", autocomplete: "off" });
    this.question = make("span", { id: `${this.graph.arrow}-question` });
    this.guess.setAttribute("aria-labelledby", this.question.id);
    this.form = make(
      "form.backprop-question",
      {},
      this.question,
      this.guess,
      make("button", { type: "submit" }, "Check"),
      make("small", {}, SKIP),
    );
    this.form.addEventListener("submit", (event) => this.answer(event));
    this.numbers = new Numbers(state, (action) => this.move(action));
    this.element = make(
      "section.backprop-step",
      { "aria-label": "One step, number by number" },
      make("div.backprop-row", {}, labeled("Case", this.case), ...this.numbers.surroundings),
      this.graph.element,
      make(
        "div.backprop-row",
        {},
        this.back,
        this.onward,
        button("To the end of this part", () => this.move(() => state.nextPart())),
        button("Start over", () => this.go(0)),
        labeled("Ask me each gradient", this.asks),
        this.slider,
      ),
      this.telling,
      this.form,
      this.numbers.element,
    );
  }

  /** Do something to the state; the words of the last answer go away. */
  move(action) {
    this.said.textContent = "";
    action();
    this.changed();
  }

  go(position) {
    const within = Math.min(Math.max(0, position), this.state.end);
    this.move(() => Object.assign(this.state, { position: within }));
  }

  answer(event) {
    event.preventDefault();
    const typed = this.guess.value.trim().replace(",", ".").replace("−", "-");
    const next = this.state.steps[this.state.position];
    if (typed === "" || Number.isNaN(Number(typed))) {
      this.said.textContent = "That is no number: write it like −0.12, or press Next.";
      return;
    }
    const words = verdict(Number(typed), next.value);
    this.asked += 1;
    if (words === "Right.") this.right += 1;
    this.move(() => this.state.next());
    this.said.textContent = `${words} ${this.right} of ${this.asked} so far.`;
    (this.form.hidden ? this.onward : this.guess).focus();
  }

  show() {
    const { state } = this;
    const all = state.steps;
    const step = all[state.position - 1];
    const known = new Map(all.slice(0, state.position).map(({ name, value }) => [name, value]));
    this.graph.show({ network: state.present, x: state.x, y: state.y, known, step });
    this.numbers.show(known);
    this.case.value = state.case;
    this.slider.max = state.end;
    this.slider.value = state.position;
    this.slider.setAttribute("aria-valuetext", `${state.position} of ${state.end}`);
    enable(this.back, state.position > 0);
    this.tell(step);
    const next = all[state.position];
    this.form.hidden = !(this.asks.checked && next?.isGradient);
    this.question.textContent = next ? `Next: ${next.name} = ${next.rule}. What will it be?` : "";
    this.guess.value = "";
  }

  tell(step) {
    const { state } = this;
    if (step) {
      this.part.textContent = `${step.part}, number ${state.position} of ${state.end}`;
      this.number.textContent = `${step.name} = ${step.rule} = ${step.numbers} = ${text(step.value)}`;
    } else if (state.position === 0) {
      this.part.textContent = "Nothing is computed yet.";
      this.number.textContent = "Press Next, or the right arrow key: one number at a time.";
    } else {
      const losses = [state.network, state.present].map(
        (network) => (forward(network, state.x).a2 - state.y) ** 2 / 2,
      );
      const [before, after] = losses.map(text);
      this.part.textContent =
        "The update: every number minus the learning rate times its gradient.";
      this.number.textContent = `The loss of this case goes from ${before} to ${after}. Next begins the case after it.`;
    }
  }
}

/** All numbers that can be changed: the weights in a table; inputs, target and rate in a row. */
class Numbers {
  constructor(state, move) {
    Object.assign(this, { state, move });
    const inputs = [0, 1].map((i) => this.field(`x[${i}]`, (value) => state.x.splice(i, 1, value)));
    const target = this.field("target y", (y) => Object.assign(state, { y }));
    const rate = this.field("learning rate", (learningRate) =>
      Object.assign(state, { learningRate }),
    );
    this.around = [...inputs, target, rate];
    this.surroundings = this.around.map(({ name, input }) => labeled(name, input));
    this.body = make("tbody");
    const names = ["hidden unit j", "w1[0, j]", "w1[1, j]", "b1[j]", "w2[j]", "b2"];
    const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)));
    this.element = make(
      "details.backprop-numbers",
      { open: true },
      make("summary", {}, "Weights and biases: change any of them"),
      make("table", {}, make("thead", {}, head), this.body),
    );
  }

  /** An input for one number; a text that is none is put back. */
  field(name, change) {
    const input = make("input", { type: "number", step: "any", "aria-label": name });
    input.addEventListener("change", () => {
      const value = input.valueAsNumber;
      this.move(() => Number.isFinite(value) && change(value));
    });
    return { name, input };
  }

  setWeight(index, value) {
    const network = [...this.state.present];
    network[index] = value;
    if (this.state.position === this.state.end) this.state.replace(network);
    else this.state.network = network;
  }

  /** A cell of the table for each number of the network, `index` counted as there. */
  build(hidden) {
    const cell = (name, index) => {
      const { input } = this.field(name, (value) => this.setWeight(index, value));
      const gradient = make("span.gradient");
      this.cells.push({ name, index, input, gradient });
      return make("td", {}, input, gradient);
    };
    this.cells = [];
    const rows = [...Array(hidden).keys()].map((j) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, String(j)),
        cell(`w1[0, ${j}]`, j),
        cell(`w1[1, ${j}]`, hidden + j),
        cell(`b1[${j}]`, 2 * hidden + j),
        cell(`w2[${j}]`, 3 * hidden + j),
        ...(j ? [] : [cell("b2", 4 * hidden)]),
      ),
    );
    this.body.replaceChildren(...rows);
  }

  show(known) {
    const { state } = this;
    const network = state.present;
    const hidden = hiddenUnits(network);
    if (this.cells?.length !== network.length) this.build(hidden);
    for (const { name, index, input, gradient } of this.cells) {
      put(input, network[index]);
      const d = known.get(`d${name}`);
      gradient.textContent = d === undefined ? "" : `d ${text(d)}`;
    }
    const values = [...state.x, state.y, state.learningRate];
    for (const [i, { input }] of this.around.entries()) put(input, values[i]);
  }
}

/** Write a number into its field, rounded, unless it is there already. */
function put(input, number) {
  const rounded = String(Number(number.toPrecision(4)));
  if (input.value !== rounded) input.value = rounded;
}

/** Put everything on the page; anywidget calls this once for every view of a widget. */
export function render({ model, el }) {
  const state = new State(model);
  const changed = () => {
    stepper.show();
    training.show();
  };
  const stepper = new Stepper(state, changed, model.get("asks"));
  const training = new Training(state, changed);
  el.classList.add("backprop");
  el.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes Enter and the arrows
  el.addEventListener("keydown", (event) => {
    event.stopPropagation(); // or the notebook would act on it, too
    const isTyping = event.target.matches("input:not([type=checkbox]), select");
    const way = { ArrowLeft: stepper.back, ArrowRight: stepper.onward }[event.key];
    if (isTyping || !way) return;
    event.preventDefault();
    way.click();
  });
  el.append(stepper.element, training.element);
  changed();
  return () => training.pause();
}

export default { render };
