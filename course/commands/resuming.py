"""What `train --resume` does besides: read the run that was saved, and go on as it began."""

from dataclasses import replace

from course import commands, models
from course.nn import checkpoint


def read(path, wanted):
    """Read the checkpoint to resume from, of the model that is `wanted`. Raises CommandError."""
    saved = checkpoint.read(path)
    if saved.info.get("model") != wanted:
        raise commands.CommandError(
            f"{path} holds the model {saved.info.get('model')!r}, not {wanted!r}"
        )
    if saved.run is None or not {"config", "recipe", "schedule", "data"} <= saved.info.keys():
        raise commands.CommandError(f"{path} holds a model but no run to resume")
    return saved


def recipe_of(saved):
    """Return the recipe of the run. Raises CommandError."""
    try:
        return replace(models.recipe(saved.info["model"]), **saved.info["recipe"])
    except (TypeError, ValueError) as error:  # a schedule's file may be gone
        raise commands.CommandError(
            f"{saved.path}: cannot go on as the run began: {error}"
        ) from None


def check_same(saved, info):
    """Refuse to go on with other digits, layers or schedule than it began with (CommandError)."""
    if info["config"] != saved.info["config"]:
        raise commands.CommandError(f"{saved.path} was begun with other layers than these")
    now, then = info["data"], saved.info["data"]
    if now != then:
        raise commands.CommandError(
            f"{saved.path} was trained on {then['digits']} ({then['samples']} digits), these are "
            f"{now['digits']} ({now['samples']} digits); name the others with --data"
        )
    now, then = info["schedule"], saved.info["schedule"]
    if now != then:
        raise commands.CommandError(f"{saved.path} began with the schedule {then}, this is {now}")


def restore(saved, trainer):
    """Put the trainer where the saved run was."""
    saved.restore_trainer(trainer)
    print(f"Resuming after epoch {trainer.epoch}", flush=True)
