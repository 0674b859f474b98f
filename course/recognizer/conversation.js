// The page's side of the recognizer, part 1 of 5: talking with Python.
//
// widget.py puts what all widgets share and the five parts one after the other into the module that
// the page loads; they are plain JavaScript and need no build step. All that Python should know
// lies in the model's traits, so two views of one widget cannot disagree.

const HURRY = 6; // ms, see `hurry`
const SILENT =
  "The kernel does not answer. If it is busy with another cell, your drawing is read as " +
  "soon as it is done; if it was restarted or shut down, run this cell again.";

/** Sends what changed, one message at a time, and notices when nobody answers. */
class Conversation {
  constructor(model, el, notice) {
    Object.assign(this, { model, el, notice });
    this.gone = false; // whether the kernel is known to have forgotten this widget
    this.waiting = 0; // number of the message that has not been answered
    this.last = 0; // number of the last message sent from here
    this.queue = []; // what is to be sent after it
    this.leaves = {}; // what will be drawn when it has been answered
    model.on("change:answered", () => this.heard());
    // JupyterLab tells at once when a restarted kernel has forgotten the widget; others may not
    model.on("comm_live_update", () => {
      this.gone = true;
      this.silent();
    });
  }

  /** The drawing as it is here, whether Python has it yet or not. */
  get drawing() {
    const [strokes, picture] = [this.model.get("strokes"), this.model.get("picture")];
    const later = this.queue.map(({ change, leaves }) => change ?? leaves);
    return Object.assign({ strokes, picture }, this.leaves, ...later);
  }

  /** The drawing has changed; of changes that have to wait, only the last one matters. */
  drawingChanged(change) {
    const last = this.queue.at(-1);
    if (last?.change) Object.assign(last.change, change);
    else this.queue.push({ change: { ...change } });
    this.proceed();
  }

  /** Ask Python to do something, see `_answer_button` in widget.py, that `leaves` this drawing. */
  ask(action, details = {}, { buffers = [], leaves = {} } = {}) {
    this.queue.push({ question: { action, ...details }, buffers, leaves });
    this.proceed();
  }

  /** Send what comes next, in the order in which it was done, unless an answer is still due. */
  proceed() {
    if (this.waiting || !this.queue.length) return;
    const { change, question, buffers, leaves = {} } = this.queue.shift();
    this.leaves = leaves;
    const request = this.nextRequest();
    try {
      if (change) {
        // not set before it can be sent: the echo of an older message would undo it
        this.model.set(change);
        this.model.save_changes({ iopub: { status: () => this.hurry() } });
      } else this.model.send({ request, ...question }, undefined, buffers);
    } catch {
      // the connection is closed
      this.silent();
    }
  }

  nextRequest() {
    this.last = Math.max(this.last, this.model.get("request")) + 1;
    this.waiting = this.last;
    this.el.dataset.state = "waiting"; // for tests and style sheets
    this.model.set("request", this.last);
    this.listen();
    return this.last;
  }

  /**
   * Send something small while the answer is on its way, so that it does not have to wait.
   *
   * The server sends the answer in several small packets, and holds back all but the first until
   * that is acknowledged (Nagle's algorithm). The browser's side acknowledges it after 40 ms, or
   * along with whatever it has to send before that (delayed acknowledgment).
   */
  hurry() {
    clearTimeout(this.hurrying);
    this.hurrying = setTimeout(() => {
      if (this.waiting) this.model.send({ action: "nudge" });
    }, HURRY);
  }

  listen() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.model.get("busy")) this.listen();
      else this.silent();
    }, PATIENCE);
  }

  silent() {
    this.el.dataset.state = "silent";
    this.notice(this.gone ? GONE : SILENT);
  }

  heard() {
    if (this.model.get("answered") < this.last) return;
    clearTimeout(this.timer);
    this.waiting = 0;
    this.leaves = {}; // by now it is drawn, or could not be done
    this.gone = false;
    this.el.dataset.state = "answered";
    this.notice("");
    this.proceed();
  }

  end() {
    clearTimeout(this.timer);
    clearTimeout(this.hurrying);
  }
}
