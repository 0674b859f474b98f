"""Say how well drawings are read: moved, written by program, drawn as other people draw them."""

from course import commands
from course.commands.recognize import add_model_option, load_models
from course.nn import classes


def add_arguments(parser):
    add_model_option(parser)
    commands.add_data_option(parser)
    parser.add_argument(
        "--seed", type=commands.seed, metavar="N", default=0, help="of places, sizes, styles"
    )
    commands.add_json_option(parser)


def run(arguments):
    # here, because they take long to import
    from course.recognizer.style_trial import trial_by_style
    from course.recognizer.trial import trial

    models = load_models(arguments.model, arguments.allow)
    for name, model in models.items():
        if model.class_names not in (None, classes.DIGITS):
            known = classes.listed(model.class_names)
            raise commands.CommandError(f"{name} tells {known} apart, and the trial is of digits")
    digits = commands.load_digits(arguments.data)
    if not digits.has_digits:
        raise commands.UsageError(f"{digits.directory} has other pictures than digits")
    if not digits.is_full:
        print("Note: models trained on full MNIST have seen the sample's digits before.")
    result = trial(models, digits.test_images, digits.test_labels, seed=arguments.seed)
    print(result, flush=True)
    by_style = trial_by_style(models)
    print(f"\n{by_style}")
    if arguments.json:
        commands.print_json(vars(result) | {"by_style": vars(by_style)})
