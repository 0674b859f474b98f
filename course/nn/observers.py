"""Observers that report training as text: plain lines, or a progress bar on a terminal."""

import sys

from tqdm.auto import tqdm

from course.nn.training import Observer


def describe(record, epochs):
    """Put an EpochRecord into one line of text."""
    parts = [f"epoch {record.epoch:2d}/{epochs}", f"loss {record.train_loss:.4f}"]
    if record.val_loss is not None:
        parts += [f"val loss {record.val_loss:.4f}", f"val accuracy {record.val_accuracy:.2%}"]
    return "  ".join([*parts, f"{record.train_seconds:.1f} s"])


class PrintEpochs(Observer):
    """Prints one line per epoch, and why training ended if it ended early."""

    def __init__(self, stream=None):
        self.stream = stream

    def on_begin(self, trainer):
        self.epochs = trainer.settings.epochs

    def on_epoch(self, record):
        self._print(describe(record, self.epochs))

    def on_end(self, trainer):
        if trainer.stopped == "interrupted":
            self._print(f"interrupted in epoch {trainer.epoch + 1}")
        elif trainer.stopped == "early":
            self._print(f"no better since epoch {trainer.best_epoch}: stopped")

    def _print(self, line):
        print(line, file=self.stream or sys.stdout, flush=True)


class ProgressBar(PrintEpochs):
    """Prints the same lines and shows, below them, how far the current epoch is."""

    def on_begin(self, trainer):
        super().on_begin(trainer)
        self.bar = tqdm(unit=" batches", leave=False, file=self.stream or sys.stdout)

    def on_batch(self, batch, batches):
        if batch == 1:
            self.bar.reset(total=batches)
        self.bar.update()

    def on_end(self, trainer):
        self.bar.close()
        super().on_end(trainer)

    def _print(self, line):
        self.bar.write(line, file=self.stream or sys.stdout)
