"""Train a model. Options that are not given are those of the course's own recipe."""

import shlex
import sys
import zlib
from dataclasses import asdict, fields, replace
from pathlib import Path

from course import commands, models, records
from course.nn import checkpoint
from course.nn.compiled import CompileNotice
from course.nn.observers import PrintEpochs, ProgressBar
from course.nn.recipe import OPTIMIZERS, Recipe
from course.nn.training import DivergedError, evaluate


def add_arguments(parser):
    parser.add_argument("model", choices=models.MODELS, metavar="MODEL", help="the model's name")
    commands.add_data_option(parser)
    parser.add_argument("--epochs", type=commands.positive_int, metavar="N")
    parser.add_argument("--batch-size", type=commands.positive_int, metavar="N")
    parser.add_argument("--learning-rate", type=float, metavar="F", help="start or peak")
    parser.add_argument("--optimizer", choices=OPTIMIZERS)
    parser.add_argument("--schedule", metavar="NAME|FILE.json", help="constant, one_cycle, ...")
    parser.add_argument("--weight-decay", type=float, metavar="F")
    parser.add_argument("--seed", type=int, metavar="N", help="of weights and shuffling")
    parser.add_argument(
        "--validation-split", type=float, metavar="F", help="share held out, from the end"
    )
    parser.add_argument(
        "--patience", type=commands.positive_int, metavar="N", help="stop after N epochs no better"
    )
    parser.add_argument("--min-delta", type=float, metavar="F", help="what counts as better")
    parser.add_argument("--out", metavar="FILE", help="the model (default: runs/MODEL.safetensors)")
    parser.add_argument("--log", metavar="FILE", help="the log (default: a new one in logs/mine)")
    parser.add_argument("--resume", metavar="FILE", help="go on with the run saved in FILE")
    commands.add_json_option(parser)


def run(arguments):
    saved = read_resumed(arguments) if arguments.resume else None
    recipe = make_recipe(arguments, saved)
    digits = commands.load_digits(arguments.data)
    x, y = commands.training_digits(digits)
    data = {"samples": len(x), "labels_crc32": zlib.crc32(y.tobytes())}
    if saved is not None and saved.info["data"] != data:
        raise commands.CommandError(
            f"{arguments.resume} was trained on other digits ({saved.info['data']['samples']} of "
            f"them) than these ({len(x)}); name theirs with --data"
        )

    model = models.build(arguments.model, **model_config(saved, recipe))
    out = Path(arguments.out or arguments.resume or f"runs/{arguments.model}.safetensors")
    log = Path(arguments.log) if arguments.log else records.new_log_path(arguments.model)
    info = models.describe(model) | {"recipe": asdict(recipe), "data": data}
    trainer = recipe.trainer(
        model,
        observers=[
            ProgressBar() if sys.stdout.isatty() else PrintEpochs(),
            records.LogWriter(log, records.provenance(command_line())),
            checkpoint.SaveCheckpoint(out, info),
        ],
    )
    if saved is not None:
        restore(saved, trainer)
    try:
        with CompileNotice():
            trainer.fit(x, y)
    except DivergedError as error:
        raise commands.CommandError(error) from None
    checkpoint.save(out, model, info, trainer)  # with patience, the best weights are back by now
    report(arguments, recipe, trainer, digits, out, log)
    return 130 if trainer.stopped == "interrupted" else 0


def make_recipe(arguments, saved):
    """Combine the recipe (the course's, or the resumed run's) with the options given."""
    given = {
        field.name: getattr(arguments, field.name)
        for field in fields(Recipe)
        if getattr(arguments, field.name) is not None
    }
    if saved is None:
        base = models.recipe(arguments.model)
    else:
        base = Recipe(**saved.info["recipe"])
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


def read_resumed(arguments):
    """Read the checkpoint to resume from."""
    try:
        saved = checkpoint.read(arguments.resume)
    except checkpoint.CheckpointError as error:
        raise commands.CommandError(error) from None
    if saved.info.get("model") != arguments.model:
        raise commands.CommandError(
            f"{arguments.resume} holds the model {saved.info.get('model')!r}, "
            f"not {arguments.model!r}"
        )
    if saved.run is None or "recipe" not in saved.info:
        raise commands.CommandError(f"{arguments.resume} holds a model but no run to resume")
    return saved


def model_config(saved, recipe):
    return {"seed": recipe.seed} if saved is None else saved.info["config"]


def restore(saved, trainer):
    """Put the trainer where the saved run was."""
    try:
        saved.restore_trainer(trainer)
    except checkpoint.CheckpointError as error:
        raise commands.CommandError(error) from None
    if trainer.epoch >= trainer.settings.epochs:
        raise commands.CommandError(f"{saved.path}: its {trainer.epoch} epochs are complete")
    print(f"Resuming after epoch {trainer.epoch}", flush=True)


def command_line():
    """The command as it was typed, for the log."""
    return shlex.join(["python", "-m", "course", *sys.argv[1:]])


def report(arguments, recipe, trainer, digits, out, log):
    """Evaluate on the test digits and print the result."""
    loss, accuracy = evaluate(trainer.model, *commands.test_digits(digits))
    seconds = sum(record.train_seconds for record in trainer.records)
    print(f"Test accuracy {accuracy:.2%}, loss {loss:.4f}; trained for {seconds:.1f} s")
    print(f"Model: {out}\nLog: {log}")
    if arguments.json:
        commands.print_json(
            {
                "model": arguments.model,
                "test_accuracy": accuracy,
                "test_loss": loss,
                "train_seconds": seconds,
                "epochs": trainer.epoch,
                "seed": recipe.seed,
                "digits": digits.source,
                "stopped": trainer.stopped,
                "best_epoch": trainer.best_epoch or None,
                "recipe": asdict(recipe),
                "out": str(out),
                "log": str(log),
            }
        )
