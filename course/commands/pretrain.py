"""Make the weights that come with the course: train its models on full MNIST.

On one machine the files come out the same, to the byte, every time; on another processor sums may
be rounded differently.
"""

import datetime
import hashlib
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from course import __version__, commands, mnist, models, records
from course.commands import tasks
from course.models import pretrained
from course.nn import training
from course.nn.files import replacing
from course.nn.observers import PrintEpochs, ProgressBar

SEED = 1


def add_arguments(parser):
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="*",
        help=f"of {', '.join(pretrained.NAMES)} (default: all); the record keeps the others",
    )
    commands.add_data_option(parser)
    parser.add_argument(
        "--out", metavar="DIR", default=pretrained.HERE, help="(default: where the course has them)"
    )


def run(arguments):
    if unknown := set(arguments.models) - set(pretrained.NAMES):
        raise commands.UsageError(
            f"no {min(unknown)!r} comes with the course; there are {', '.join(pretrained.NAMES)}"
        )
    folder = Path(arguments.out)
    names = [name for name in pretrained.NAMES if name in arguments.models or not arguments.models]
    written = [("the weights", pretrained.path(name, folder)) for name in names]
    written.append(("their record", folder / pretrained.RECORD))
    commands.check_files(written, commands.digit_files(arguments.data))
    task = tasks.load_task("mlp", arguments.data)
    if any(file.dataset != "full MNIST" for file in mnist.status(arguments.data)):
        raise commands.CommandError(
            f"the weights that come with the course are made from full MNIST, and this is "
            f"{task.source}: get it with `python -m course data --download`, or name its folder "
            "with --data"
        )
    kept = pretrained.record(folder)["models"] if arguments.models else {}
    write(folder, [train(name, shipped_recipe(name), task) for name in names], kept)


def shipped_recipe(name):
    """The course's own recipe, with no digits held out."""
    return replace(models.recipe(name), seed=SEED, validation_split=0.0)


def train(name, recipe, task):
    """Train the model `name`; return it and its entry in the record."""
    print(f"Training {name}", flush=True)
    model = models.build(name, seed=recipe.seed)
    trainer = recipe.trainer(
        model, observers=[ProgressBar() if sys.stdout.isatty() else PrintEpochs()]
    )
    trainer.fit(task.x, task.y)
    if trainer.stopped == "interrupted":
        raise KeyboardInterrupt
    loss, accuracy = training.evaluate(model, task.test_x, task.test_y)
    print(f"{name}: test accuracy {accuracy:.2%}, loss {loss:.4f}", flush=True)
    return model, {
        "command": f"python -m course train {name} --seed {recipe.seed} --validation-split 0",
        "seed": recipe.seed,
        "recipe": asdict(recipe),
        "config": model.config,
        "parameters": sum(w.size for w in model.parameters.values()),
        "digits": task.source,
        "train_digits": len(task.x),
        "test_digits": len(task.test_x),
        "test_accuracy": accuracy,
        "test_loss": loss,
    }


def write(folder, trained, kept):
    """Write the weights, and last the record, which vouches for them and for those `kept`."""
    made = dict(line.split(": ", 1) for line in records.provenance(pretrained.HOW_TO_MAKE))
    made |= {"course": __version__, "date": datetime.date.today().isoformat()}
    entries = dict(kept)
    for model, entry in trained:
        path = pretrained.path(model.name, folder)
        data = {"digits": entry["digits"], "samples": entry["train_digits"]}
        models.save(path, model, recipe=entry["recipe"], data=data)
        content = path.read_bytes()
        entries[model.name] = entry | {
            "file": path.name,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "made": made,
        }
        print(f"{path}: {len(content):,} bytes")
    record = {"models": {name: entries[name] for name in pretrained.NAMES}}
    with replacing(folder / pretrained.RECORD) as file:
        file.write(json.dumps(record, indent=2).encode() + b"\n")
