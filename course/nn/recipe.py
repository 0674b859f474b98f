"""A recipe: everything that was chosen for a training run, as plain values that a file can hold."""

from dataclasses import dataclass

from course.nn import schedules
from course.nn.augmentation import Augmentation
from course.nn.averaging import AveragedWeights
from course.nn.optimizers import SGD, Adam
from course.nn.training import Settings, Trainer

# Functions of a model and a Recipe.
OPTIMIZERS = {
    "sgd": lambda model, r: SGD(model, weight_decay=r.weight_decay),
    "momentum": lambda model, r: SGD(model, momentum=0.9, weight_decay=r.weight_decay),
    "adam": lambda model, r: Adam(model, beta2=r.beta2, weight_decay=r.weight_decay),
}


@dataclass
class Recipe(Settings):
    """Training settings together with optimizer and schedule by name.

    Raises ValueError for an unknown optimizer or a number that makes no sense, and ScheduleError
    for an unknown schedule.
    """

    optimizer: str = "sgd"  # one of OPTIMIZERS; momentum is 0.9
    learning_rate: float = 0.01  # where the schedule starts, or its peak
    schedule: str = "constant"  # a name or a JSON file: see course.nn.schedules.make
    weight_decay: float = 0.0
    beta2: float = 0.999  # Adam's: the nearer to 1, the longer its mean of g^2 remembers
    average: float = (
        0.0  # decay of the running mean of the weights that is kept in the end; 0: none
    )
    augment: bool = False  # change the pictures anew in each epoch: course.nn.augmentation

    def __post_init__(self):
        super().__post_init__()
        if self.optimizer not in OPTIMIZERS:
            known = ", ".join(OPTIMIZERS)
            raise ValueError(f"unknown optimizer {self.optimizer!r}: use one of {known}")
        if not 0.0 < self.learning_rate < float("inf"):
            raise ValueError(f"learning rate must be a number above 0, got {self.learning_rate}")
        if not 0.0 <= self.weight_decay < float("inf"):
            raise ValueError(f"weight decay must be a number from 0 up, got {self.weight_decay}")
        if not 0.0 <= self.beta2 < 1.0:
            raise ValueError(f"beta2 must be in [0, 1), got {self.beta2}")
        if not 0.0 <= self.average < 1.0:
            raise ValueError(f"average must be in [0, 1), got {self.average}")
        self.make_schedule()

    def make_schedule(self):
        """Return the schedule: a function from epochs to learning rates."""
        return schedules.make(self.schedule, self.learning_rate, self.epochs)

    def trainer(self, model, observers=()):
        """Return a `Trainer` that follows this recipe on `model`."""
        optimizer = OPTIMIZERS[self.optimizer](model, self)
        if self.average:
            optimizer = AveragedWeights(optimizer, self.average)
        augment = Augmentation() if self.augment else None
        return Trainer(
            model, optimizer, self.make_schedule(), self, observers=list(observers), augment=augment
        )
