"""The options that say how to train: one for each field of a Recipe but the seed."""

import argparse

from course import commands
from course.nn.recipe import OPTIMIZERS

OPTIONS = {
    "epochs": {"type": commands.positive_int, "metavar": "N"},
    "batch_size": {"type": commands.positive_int, "metavar": "N"},
    "learning_rate": {"type": float, "metavar": "F", "help": "start or peak"},
    "optimizer": {"choices": OPTIMIZERS},
    "schedule": {"metavar": "NAME|FILE.json", "help": "constant, one_cycle, ..."},
    "weight_decay": {"type": float, "metavar": "F"},
    "beta2": {"type": float, "metavar": "F", "help": "Adam's, from 0 to below 1"},
    "validation_split": {"type": float, "metavar": "F", "help": "share held out, from the end"},
    "patience": {
        "type": commands.positive_int,
        "metavar": "N",
        "help": "stop after N epochs no better",
    },
    "min_delta": {"type": float, "metavar": "F", "help": "what counts as better"},
    "average": {
        "type": float,
        "metavar": "F",
        "help": "keep a running mean of the weights, e.g. 0.999",
    },
    "augment": {"help": "move, turn and bend the pictures anew in each epoch"},
    "plain_epochs": {
        "type": commands.whole_number(0, 10**15 - 1),
        "metavar": "N",
        "help": "of them at the end as they are",
    },
}


def add(parser, several=False):
    """Add the options; with `several`, each takes one value or more."""
    yes_or_no = (
        {"type": yes, "nargs": "+", "metavar": "yes|no"}
        if several
        else {"action": argparse.BooleanOptionalAction, "default": None}
    )
    for name, details in OPTIONS.items():
        kind = yes_or_no if name == "augment" else {"nargs": "+"} if several else {}
        parser.add_argument("--" + name.replace("_", "-"), **details, **kind)


def yes(text):
    """Parse yes or no (for argparse)."""
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"must be yes or no, got {text!r}")
    return text == "yes"
