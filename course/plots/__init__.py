"""Every figure of the course.

Each function takes plain arrays or logs and returns a Matplotlib `Figure`, which a notebook shows
when it is the last value of a cell, and `figure.savefig("name.png")` writes to a file. Most also
take the `ax` to draw on; `subplots` makes several of them. `style` says how everything looks.
"""

from course.plots.comparison import (
    accuracy_against_digits,
    accuracy_against_learning_rate,
    accuracy_against_parameters,
    accuracy_against_seconds,
    activations,
    cost_growth,
    seed_spread,
    summary_box,
    training_comparison,
)
from course.plots.images import digits, mean_digits, mistakes, weights
from course.plots.lessons_cnn import accuracy_against_shift, convolution, there_and_back
from course.plots.lessons_recognizer import as_sent, erased_pixels, normalization
from course.plots.live import LiveFigure
from course.plots.models import (
    attention_map,
    attention_maps,
    attention_matrix,
    confusion_matrix,
    feature_maps,
    filters,
    probabilities,
)
from course.plots.predictions import predictions, sketch
from course.plots.signals import learning_rate_sweep, signals
from course.plots.style import describe, subplots
from course.plots.surfaces import boundary, descent, loss_surface
from course.plots.sweeps import accuracy_against_setting, accuracy_map, chosen, halving
from course.plots.training import accuracies, cumulative_times, learning_rates, losses, times

__all__ = [
    "LiveFigure",
    "accuracies",
    "accuracy_against_digits",
    "accuracy_against_learning_rate",
    "accuracy_against_parameters",
    "accuracy_against_seconds",
    "accuracy_against_setting",
    "accuracy_against_shift",
    "accuracy_map",
    "activations",
    "as_sent",
    "attention_map",
    "attention_maps",
    "attention_matrix",
    "boundary",
    "chosen",
    "confusion_matrix",
    "convolution",
    "cost_growth",
    "cumulative_times",
    "descent",
    "describe",
    "digits",
    "erased_pixels",
    "feature_maps",
    "filters",
    "halving",
    "learning_rate_sweep",
    "learning_rates",
    "loss_surface",
    "losses",
    "mean_digits",
    "mistakes",
    "normalization",
    "predictions",
    "probabilities",
    "seed_spread",
    "signals",
    "sketch",
    "subplots",
    "summary_box",
    "there_and_back",
    "times",
    "training_comparison",
    "weights",
]
