"""Say how well a saved model reads the test digits."""

import numpy as np

from course import commands, interchange, models
from course.commands import tasks
from course.nn import checkpoint, training


def add_arguments(parser):
    parser.add_argument("file", metavar="FILE", help="what `train` wrote")
    commands.add_allow_option(parser)
    commands.add_data_option(parser)
    parser.add_argument(
        "--attention",
        metavar="FILE",
        help="write what each token of the first test digits looks at, as text",
    )
    parser.add_argument(
        "--samples",
        type=commands.positive_int,
        metavar="N",
        default=10,
        help="how many digits --attention writes (default: %(default)s)",
    )
    commands.add_json_option(parser)


def run(arguments):
    if arguments.attention:
        read = [("the model", arguments.file), *commands.digit_files(arguments.data)]
        commands.check_files([("the attention", arguments.attention)], read)
    saved = checkpoint.read(arguments.file)
    model = models.restore(saved, arguments.allow)
    task = tasks.load_task(model.name, arguments.data)
    if problem := tasks.why_unfit(model, task):
        raise commands.CommandError(f"{arguments.file}: {problem}")
    if arguments.attention and not hasattr(model, "attention_weights"):
        raise commands.CommandError(f"{arguments.file}: its {model.name} has no attention to write")
    with np.errstate(over="ignore", invalid="ignore"):  # the next line says it better
        loss, accuracy = training.evaluate(model, task.test_x, task.test_y)
    if not np.isfinite(loss):
        raise commands.CommandError(tasks.NOT_FINITE.format(arguments.file))
    name = saved.info.get("name", model.name)
    print(f"{name}: test accuracy {accuracy:.2%}, loss {loss:.4f}")
    trained_on = saved.info.get("data", {}).get("digits")
    if (trained_on, task.source) == ("full MNIST", "the sample"):
        print(
            "Note: the model has seen these digits before. The sample is a part of MNIST's "
            "training set, test digits included; evaluate on full MNIST for an honest figure."
        )
    if arguments.attention:
        weights = model.attention_weights(task.test_x[: arguments.samples])  # (samples, 49, 49)
        interchange.write_attention(arguments.attention, dict(enumerate(weights)))
        print(f"Attention: {arguments.attention}")
    if arguments.json:
        run = saved.run or {"records": [], "epoch": None}
        commands.print_json(
            {
                "model": name,
                "test_accuracy": accuracy,
                "test_loss": loss,
                "train_seconds": sum(record["train_seconds"] for record in run["records"]),
                "epochs": run["epoch"],
                "seed": saved.info.get("recipe", {}).get("seed"),
                "digits": task.source,
            }
        )
