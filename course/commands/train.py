"""Train a model of the course, or the network of a file (see course/models/architecture.py).

Options that are not given are those of the course's own recipe.
"""

import argparse
import re
import sys
import zlib
from dataclasses import asdict, fields, replace
from pathlib import Path

from course import commands, models, records
from course.commands import recipe_options, resuming, tasks
from course.models import architecture, shelf
from course.nn import checkpoint, training
from course.nn.observers import PrintEpochs, ProgressBar
from course.nn.recipe import Recipe


def add_arguments(parser):
    names = ", ".join(models.MODELS)
    parser.add_argument(
        "model", type=model_or_file, metavar="MODEL|FILE.json", help=f"{names}, or a file of layers"
    )
    commands.add_data_option(parser)
    parser.add_argument(
        "--quick", action="store_true", help=f"by a quicker recipe: {', '.join(models.QUICK)}"
    )
    recipe_options.add(parser)
    parser.add_argument("--seed", type=commands.seed, metavar="N", help="of weights and shuffling")
    target = parser.add_mutually_exclusive_group()
    target.add_argument("--out", metavar="FILE", help="the model (default: runs/MODEL.safetensors)")
    target.add_argument(
        "--save", metavar="NAME", help="the model, with its record, on the shelf of lesson 06b"
    )
    parser.add_argument("--log", metavar="FILE", help="the log (default: a new one in logs/mine)")
    parser.add_argument("--resume", metavar="FILE", help="go on with the run saved in FILE")
    commands.add_json_option(parser)


def run(arguments):
    saved = resuming.read(arguments.resume, kind(arguments.model)) if arguments.resume else None
    recipe = make_recipe(arguments, saved)
    make_model = model_maker(arguments, saved, recipe)
    out = check_outputs(arguments, recipe)
    task = tasks.load_task(arguments.model, arguments.data)
    model = make_model(task)
    if problem := tasks.why_unfit(model, task):
        raise commands.UsageError(f"{arguments.model}: {problem}")
    model.class_names = task.class_names
    info = models.describe(model) | {
        "name": name_of(arguments.model),
        "recipe": asdict(recipe),
        "schedule": repr(recipe.make_schedule()),
        "data": {
            "digits": task.source,
            "samples": len(task.x),
            "labels_crc32": zlib.crc32(task.y.tobytes()),
        },
    }
    if saved is not None:
        resuming.check_same(saved, info)
    try:
        with records.claimed(arguments.log or new_log(arguments, out)) as log:
            return train(arguments, saved, recipe, model, task, info, out, log)
    except records.LogError as error:
        raise commands.CommandError(f"{error}; name another with --log") from None


def train(arguments, saved, recipe, model, task, info, out, log):
    """Train the model, write it, and say how well it does; returns the exit code."""
    trainer = recipe.trainer(
        model,
        observers=[
            ProgressBar() if sys.stdout.isatty() else PrintEpochs(),
            records.LogWriter(log, records.provenance(commands.command_line())),
            checkpoint.SaveCheckpoint(out, info),
        ],
    )
    if saved is not None:
        resuming.restore(saved, trainer)
    try:
        trainer.fit(task.x, task.y)
    except ValueError as error:  # too few digits
        raise commands.CommandError(error) from None
    is_saved = finish(trainer, out, info)
    report(arguments, recipe, trainer, task, out if is_saved else None, log)
    return 130 if trainer.stopped == "interrupted" else 0


def model_or_file(text):
    """Parse the name of a model or the path of an architecture file (for argparse)."""
    if text in models.MODELS or is_file(text):
        return text
    raise argparse.ArgumentTypeError(
        f"no model {text!r}: use {', '.join(models.MODELS)} or an architecture file (FILE.json)"
    )


def is_file(model):
    return model.endswith(".json")


def name_of(model):
    """What model and log of a run are called: a model's name, or an architecture file's.

    A file must not pass for a model of the course, nor for its second run ("mlp_2").
    """
    if not is_file(model):
        return model
    name = re.sub(r"[\W_]+", "-", Path(model).stem).strip("-")
    return f"my-{name}".rstrip("-") if name in ("", "c", *models.MODELS) else name


def kind(model):
    """What `models.build` calls it."""
    return architecture.Network.name if is_file(model) else model


def make_recipe(arguments, saved):
    """Combine the recipe (the course's, or the resumed run's) with the options given."""
    given = {
        field.name: getattr(arguments, field.name)
        for field in fields(Recipe)
        if getattr(arguments, field.name) is not None
    }
    if arguments.quick:
        base = quick_recipe(arguments)
    elif saved is None:
        base = models.recipe(kind(arguments.model))
    else:
        base = resuming.recipe_of(saved)
        changed = [name for name, value in given.items() if value != getattr(base, name)]
        if changed:
            options = ", ".join("--" + name.replace("_", "-") for name in changed)
            raise commands.UsageError(
                f"--resume goes on as the run began; it cannot change {options}"
            )
    try:
        return replace(base, **given)
    except ValueError as error:
        raise commands.UsageError(error) from None


def quick_recipe(arguments):
    """Return the model's other recipe, the quick one."""
    if arguments.resume:
        raise commands.UsageError("--resume goes on as the run began; it cannot change --quick")
    if arguments.model not in models.QUICK:
        raise commands.UsageError(
            f"{arguments.model} has no quick recipe, only {', '.join(models.QUICK)}"
        )
    return models.QUICK[arguments.model]


def model_maker(arguments, saved, recipe):
    """Function task -> model: that of the file, that of the resumed run, or a new one by the name.

    Whatever is wrong with a file is told now, before anything is loaded to train on.
    """
    if is_file(arguments.model):
        try:
            model = architecture.load(arguments.model, recipe.seed)
        except OSError as error:
            raise commands.UsageError(f"{arguments.model}: {error.strerror}") from None
        except architecture.ArchitectureError as error:
            raise commands.UsageError(error) from None
    elif saved is not None:
        try:
            model = models.restore(saved)
        except checkpoint.CheckpointError as error:
            raise commands.CommandError(error) from None
    else:
        return lambda task: new_model(arguments.model, recipe.seed, task)
    return lambda task: model


def new_model(name, seed, task):
    """Build a model of the course with as many outputs as there are classes."""
    outputs = {"outputs": task.answers} if task.class_names else {}  # xor has none
    return models.build(name, seed=seed, **outputs)


def check_outputs(arguments, recipe):
    """Look whether model and log can be written without any harm; returns the model's path."""
    out = arguments.out or arguments.resume or f"runs/{name_of(arguments.model)}.safetensors"
    if arguments.save:
        out = shelf.path(arguments.save)
    read = commands.digit_files(arguments.data)
    if is_file(arguments.model):
        read.append(("the layers", arguments.model))
    if is_file(recipe.schedule):
        read.append(("the schedule", recipe.schedule))
    if arguments.resume and not commands.is_same_file(out, arguments.resume):
        read.append(("the run to resume", arguments.resume))
    written = [("the model", out)] + ([("the log", arguments.log)] if arguments.log else [])
    commands.check_files(written, read)
    return Path(out)


def new_log(arguments, out):
    """Make a log for a run that was not told where; returns its path."""
    try:
        return records.new_log_path(name_of(arguments.model))
    except OSError:  # where the course lies, nothing can be written
        log = out.with_suffix(".txt")
        commands.check_files([("the log", log)], [("the model", out)])
        return log


def finish(trainer, out, info):
    """Write the model as it is now; after Ctrl-C, return to where the run can go on from.

    With no epoch complete there is nothing to go on from, and a model that was there before stays.
    Returns whether the file is of this run.
    """
    if trainer.epoch == 0:
        if out.exists():
            return False
        checkpoint.save(out, trainer.model, info)  # of use, but not for going on
    elif trainer.stopped != "interrupted" or not trainer.within_epoch:
        checkpoint.save(out, trainer.model, info, trainer)
    elif out.is_file():  # not a device
        checkpoint.read(out).restore_model(trainer.model)
    return True


def report(arguments, recipe, trainer, task, out, log):
    """Evaluate on the test digits and print the result."""
    loss, accuracy = training.evaluate(trainer.model, task.test_x, task.test_y)
    seconds = sum(record.train_seconds for record in trainer.records)
    if arguments.save and out is not None:
        result = shelf.record_of(trainer.model, accuracy, trainer.epoch, task.source)
        checkpoint.annotate(out, record=result)
    print(f"Test accuracy {accuracy:.2%}, loss {loss:.4f}; trained for {seconds:.1f} s")
    if out is None:
        print("Model: not saved, as no epoch was complete; the file that was there stays")
    elif trainer.stopped == "interrupted" and trainer.epoch:
        print(f"Model: {out} (after epoch {trainer.epoch}; go on with --resume {out})")
    else:
        print(f"Model: {out}")
    print(f"Log: {log}")
    if arguments.json:
        commands.print_json(
            {
                "model": name_of(arguments.model),
                "test_accuracy": accuracy,
                "test_loss": loss,
                "train_seconds": seconds,
                "epochs": trainer.epoch,
                "seed": recipe.seed,
                "digits": task.source,
                "stopped": trainer.stopped,
                "best_epoch": trainer.best_epoch or None,
                "recipe": asdict(recipe),
                "out": out and str(out),
                "log": str(log),
            }
        )
