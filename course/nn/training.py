"""The training loop: shuffle, take a mini-batch, step; after each epoch look how well it does.

The loop computes and tells; whoever wants to print, draw, log or save is an `Observer`.
"""

import math
import time
from dataclasses import dataclass, field

import numpy as np

from course.nn.errors import CourseError
from course.nn.losses import SoftmaxCrossEntropy
from course.nn.rng import SimpleRng


@dataclass
class EpochRecord:
    """What one epoch gave. Losses are means per sample; values that were not measured are None."""

    epoch: int  # counted from 1
    train_loss: float  # mean over the epoch's batches, each before its own step
    train_seconds: float  # without validation
    val_loss: float | None
    val_accuracy: float | None  # share in [0, 1]
    learning_rate: float  # of the epoch's last step


class Observer:
    """Is told of everything that happens in training; override what you need."""

    def on_begin(self, trainer):
        """Training starts, or goes on after `trainer.epoch` epochs."""

    def on_batch(self, batch, batches):
        """Batch number `batch` of `batches` of this epoch is done, counted from 1."""

    def on_epoch(self, record):
        """An epoch is complete; `record` is its EpochRecord."""

    def on_end(self, trainer):
        """Training is over, whatever the reason: see `trainer.stopped`. Also after an error."""


class DivergedError(CourseError, ArithmeticError):
    """The loss is no longer a finite number. The model has its last good weights again."""


@dataclass
class Settings:
    """How to train. One epoch sees every training sample once."""

    epochs: int = 10
    batch_size: int = 64
    validation_split: float = 0.1  # share held out, taken from the end
    patience: int | None = None  # stop after so many epochs without a better validation loss
    min_delta: float = 0.0  # "better" means lower by more than this
    seed: int = 1  # of the shuffling
    plain_epochs: int = 1  # at the end, without augmentation

    def __post_init__(self):
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError("epochs and batch size must be at least 1")
        if not 0.0 <= self.validation_split < 1.0:
            raise ValueError(f"validation split must be in [0, 1), got {self.validation_split}")
        if self.patience is not None and (self.patience < 1 or self.validation_split == 0.0):
            raise ValueError("patience must be at least 1 and needs a validation split above 0")
        if self.plain_epochs < 0:
            raise ValueError(f"plain epochs must be 0 or more, got {self.plain_epochs}")
        if not 0.0 <= self.min_delta < math.inf:
            raise ValueError(f"min delta must be a number from 0 up, got {self.min_delta}")

    def held_out(self, count):
        """How many of `count` samples are held out for validation: the last ones."""
        return math.floor(count * self.validation_split)


@dataclass
class Trainer:
    """Trains `model` on images x (samples, ...) and labels y (samples,).

    `optimizer` is made for the model, `schedule` maps epochs to learning rates. `augment`, if any,
    is a function of a batch and a SimpleRng that returns the batch to train on instead. All that a
    run needs to go on from an epoch's end is in the model, the optimizer and the fields called
    state.
    """

    model: object
    optimizer: object
    schedule: object
    settings: Settings = field(default_factory=Settings)
    loss_fn: object = None  # the model's own, unless another is given
    observers: list = field(default_factory=list)
    augment: object = None

    # state
    epoch: int = 0  # epochs completed
    records: list = field(default_factory=list)
    best_epoch: int = 0  # the one with the lowest validation loss
    best_weights: dict = field(default_factory=dict)
    learning_rate: float = 0.0  # of the last step
    within_epoch: bool = False  # has steps behind it that no record tells of yet
    stopped: str = ""  # why training ended: "finished", "early", "interrupted" or "diverged"

    def __post_init__(self):
        self.rng = SimpleRng(self.settings.seed)  # its state is part of the run's state
        self.loss_fn = self.loss_fn or self.model.loss_fn

    def fit(self, x, y):
        """Train until the epochs are over, patience runs out, Ctrl-C is pressed or it diverges.

        Ctrl-C leaves the weights as they are. With patience, the best epoch's weights are put back
        at the end. Raises DivergedError if the loss stops being finite, after putting back the
        weights of the last epoch that was complete.
        """
        held_out = self.settings.held_out(len(x))
        train_x, validation_x = np.split(x, [len(x) - held_out])
        train_y, validation_y = np.split(y, [len(y) - held_out])
        if not len(train_x):
            raise ValueError(f"{len(x)} samples leave none to train on after the validation split")
        if self.settings.patience and not held_out:
            raise ValueError(f"patience needs digits to validate on, and {len(x)} leave none")
        self.begin()
        try:
            while not self.stopped:
                self._run_part(train_x, train_y, validation_x, validation_y)
            self.optimizer.finish()
            if self.settings.patience:
                put_back(self.model, self.best_weights)
        except KeyboardInterrupt:
            self.stopped = "interrupted"
        finally:
            self.model.training = False
            self._tell("on_end", self)
        return self.records

    def begin(self):
        """Tell the observers that training starts; `fit` does this by itself."""
        self.stopped = self._reason_to_stop()  # a run that was resumed may be over already
        self._tell("on_begin", self)

    def _run_part(self, train_x, train_y, validation_x, validation_y):
        good = copy_weights(self.model)
        self.within_epoch = True
        validation = (None, None)
        with np.errstate(over="ignore", invalid="ignore"):  # _diverged says it better
            started = time.perf_counter()
            epochs, train_loss = self.train_part(train_x, train_y)
            seconds = time.perf_counter() - started
            if not math.isfinite(train_loss) or not is_finite(self.model):
                self._diverged(train_loss, good)
            if len(validation_x):
                validation = evaluate(self.model, validation_x, validation_y, self.loss_fn)
                if not math.isfinite(validation[0]):
                    self._diverged(validation[0], good)
        self.epoch += epochs
        record = EpochRecord(self.epoch, train_loss, seconds, *validation, self.learning_rate)
        self.records.append(record)
        self._remember_best(record)
        self.stopped = self._reason_to_stop()
        self.within_epoch = False
        self._tell("on_epoch", record)

    def _diverged(self, loss, good):
        put_back(self.model, good)
        self.stopped = "diverged"
        raise DivergedError(
            f"training diverged in epoch {self.epoch + 1} (loss {loss}): the steps are "
            "too large. Try a learning rate ten times smaller, and check that the inputs are "
            "scaled to about 0..1. "
            f"The model has its weights from after epoch {self.epoch} again."
        )

    def train_part(self, x, y):
        """Train as long as one record tells of; return (epochs done, loss of the last)."""
        return 1, self.train_epoch(x, y)

    def train_epoch(self, x, y):
        """One pass over the data in random order; return the mean loss, or the first not finite."""
        self.model.training = True
        size = self.settings.batch_size
        batches = math.ceil(len(x) / size)
        order = self.rng.permutation(len(x))
        is_plain = self.epoch >= self.settings.epochs - self.settings.plain_epochs
        augment = None if is_plain else self.augment
        total = 0.0
        for batch in range(batches):
            chosen = order[batch * size : (batch + 1) * size]
            self.learning_rate = self.schedule(self.epoch + batch / batches)
            batch_x = augment(x[chosen], self.rng) if augment else x[chosen]
            loss = self.train_batch(batch_x, y[chosen], self.learning_rate)
            if not math.isfinite(loss):
                return loss
            total += loss * len(chosen)
            self._tell("on_batch", batch + 1, batches)
        return total / len(x)

    def train_batch(self, x, y, learning_rate):
        """Take one step on the batch (x, y) and return its mean loss before the step."""
        if self.in_one_go:
            loss = self.loss_and_gradients(x, y)
            if math.isfinite(loss):
                self.optimizer.step(learning_rate)
            return loss
        loss, dlogits = self.loss_fn(self.model.forward(x), y)
        if math.isfinite(loss):
            self.optimizer.backward_and_step(dlogits, learning_rate)
        return loss

    def loss_and_gradients(self, x, y):
        """Return the mean loss of the batch (x, y) and leave its gradients in the model."""
        if self.in_one_go:
            return self.model.loss_and_gradients(x, y)[0]
        loss, dlogits = self.loss_fn(self.model.forward(x), y)
        self.model.backward(dlogits)
        return loss

    @property
    def in_one_go(self):
        """Whether the model computes loss and gradients together, for the loss it is trained on."""
        written_for = type(self.loss_fn) is SoftmaxCrossEntropy
        return written_for and hasattr(self.model, "loss_and_gradients")

    def _remember_best(self, record):
        if record.val_loss is None:
            return
        best = next((r.val_loss for r in self.records if r.epoch == self.best_epoch), math.inf)
        if record.val_loss < best - self.settings.min_delta:
            self.best_epoch = record.epoch
            self.best_weights = copy_weights(self.model)

    def _reason_to_stop(self):
        """Say why training should be over by now; "" if it should not."""
        if self.epoch >= self.settings.epochs:
            return "finished"
        patience = self.settings.patience
        return "early" if patience and self.epoch - self.best_epoch >= patience else ""

    def _tell(self, event, *arguments):
        for observer in self.observers:
            getattr(observer, event)(*arguments)


def evaluate(model, x, y, loss_fn=None, batch_size=1000):
    """Return (mean loss, accuracy in [0, 1]) of the model on x (samples, ...), y (samples,)."""
    loss_fn = loss_fn or model.loss_fn
    model.training = False
    total, correct = 0.0, 0
    for start in range(0, len(x), batch_size):
        labels = y[start : start + batch_size]
        answers = model.forward(x[start : start + batch_size])
        total += loss_fn(answers, labels)[0] * len(labels)
        correct += int(model.is_right(answers, labels).sum())
    return total / len(x), correct / len(x)


def is_finite(model):
    """Tell whether all that the model consists of are finite numbers."""
    return all(np.isfinite(array).all() for array in (model.parameters | model.buffers).values())


def copy_weights(model):
    """Copy parameters and buffers into one dict."""
    return {name: array.copy() for name, array in (model.parameters | model.buffers).items()}


def put_back(model, weights):
    """Write what `copy_weights` gave back into the model, in place."""
    for name, array in (model.parameters | model.buffers).items():
        array[...] = weights[name]
