"""Measure training speed: against frameworks that are installed, against BLAS alone, on a busy
machine; or how it changes with the size of the network, the batch and the number of cores; or how
well a model reads that has learned from so many digits, or with one idea more."""

import argparse
import importlib.metadata
import os

from course import benchmark, commands, models, records
from course.benchmark import convolutions, cost, learning, report, steps
from course.nn.recipe import OPTIMIZERS


def some_of(known):
    """Return a parser of names from `known` with commas between, or "none" (for argparse)."""

    def parse(text):
        names = [] if text == "none" else text.split(",")
        if unknown := [name for name in names if name not in known]:
            choices = ", ".join(known)
            raise argparse.ArgumentTypeError(f"unknown {unknown[0]!r}: use {choices}, or none")
        return names

    return parse


def positive_number(text):
    """Parse a number above 0 (for argparse)."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, got {text}")
    return value


positive_number.__name__ = "number"  # argparse: "invalid number value"


def add_arguments(parser):
    kinds = parser.add_subparsers(
        dest="model", required=True, metavar="MODEL|all|cost|data|convolutions|steps"
    )
    for name in (*models.MODELS, "all"):
        text = "all models in turn" if name == "all" else f"the model {name}"
        kind = kinds.add_parser(name, help=text, description=__doc__)
        add_common_arguments(kind, rounds=7)
        kind.add_argument(
            "--against",
            type=some_of(benchmark.PEERS),
            default=["torch"],
            metavar="NAMES",
            help=f"of {','.join(benchmark.PEERS)}, those that are installed (default: torch)",
        )
        kind.add_argument(
            "--busy",
            type=some_of(benchmark.BUSY),
            default=[*benchmark.BUSY],
            metavar="NAMES",
            help="also beside one or four other processes: one,four (the default), or none",
        )
        kind.set_defaults(measure=run_models)
    kind = kinds.add_parser("cost", help="how the time grows with sizes", description=cost.__doc__)
    add_common_arguments(kind, rounds=5)
    kind.add_argument(
        "--axes",
        type=some_of(cost.AXES),
        default=[*cost.AXES],
        metavar="NAMES",
        help=f"what to vary, of {','.join(cost.AXES)} (default: all of them)",
    )
    kind.add_argument(
        "--least-seconds",
        type=positive_number,
        default=cost.LEAST_SECONDS,
        metavar="S",
        help="train so long for one measurement (default: %(default)s)",
    )
    kind.set_defaults(measure=run_cost)
    kind = kinds.add_parser(
        "data", help="accuracy against the number of digits", description=learning.__doc__
    )
    kind.add_argument(
        "--models",
        type=some_of(learning.READERS),
        default=[*learning.READERS],
        metavar="NAMES",
        help=f"of {','.join(learning.READERS)} (default: all of them)",
    )
    kind.add_argument("--seeds", type=commands.positive_int, metavar="N", default=3)
    kind.add_argument(
        "--seen",
        type=commands.positive_int,
        metavar="N",
        default=learning.SEEN,
        help="digits that a run looks at, each at least once (default: %(default)s)",
    )
    add_output_arguments(kind)
    kind.set_defaults(measure=run_data)
    kind = kinds.add_parser(
        "convolutions", help="loops or one product", description=convolutions.__doc__
    )
    kind.add_argument("--rounds", type=commands.positive_int, metavar="N", default=15)
    add_output_arguments(kind)
    kind.set_defaults(measure=run_convolutions)
    kind = kinds.add_parser(
        "steps", help="accuracy, idea by idea, of lesson 08", description=steps.__doc__
    )
    kind.add_argument(
        "--steps",
        type=some_of(steps.STEPS),
        default=[*steps.STEPS],
        metavar="NAMES",
        help=f"of {','.join(steps.STEPS)} (default: all of them)",
    )
    kind.add_argument("--seeds", type=commands.positive_int, metavar="N", default=3)
    kind.add_argument(
        "--epochs-factor",
        type=positive_number,
        metavar="F",
        default=1.0,
        help="train for F times the epochs, at least one: 0.1 for a trial",
    )
    kind.add_argument(
        "--runs",
        metavar="FOLDER",
        default=steps.FOLDER,
        help="where each run is kept, and not done again (default: %(default)s)",
    )
    add_output_arguments(kind)
    kind.set_defaults(measure=run_steps)


def add_common_arguments(parser, rounds):
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="sgd")
    parser.add_argument("--rounds", type=commands.positive_int, metavar="N", default=rounds)
    parser.add_argument(
        "--samples",
        type=commands.positive_int,
        metavar="N",
        default=benchmark.SAMPLES,
        help="digits in an epoch (default: %(default)s)",
    )
    add_output_arguments(parser)


def add_output_arguments(parser):
    parser.add_argument("--out", metavar="FILE", help="for the figures and the machine's name")
    commands.add_json_option(parser)


def run(arguments):
    if arguments.out:
        commands.check_files([("the figures", arguments.out)], commands.digit_files(None))
    commands.load_digits(None)  # says which, or why not, before the work begins
    arguments.measure(arguments)


def finish(arguments, results, versions=()):
    """Write and print what was found, as far as it is wanted."""
    if arguments.out:
        made_by = [*records.provenance(commands.command_line()), *versions]
        report.save(arguments.out, results, made_by)
        print(f"Figures: {arguments.out}")
    if arguments.json:
        every = arguments.model in ("all", "cost", "data", "convolutions", "steps")
        commands.print_json(results if every else results[0])


def run_cost(arguments):
    curves = cost.measure(
        arguments.axes,
        arguments.optimizer,
        arguments.rounds,
        arguments.samples,
        arguments.least_seconds,
        report=lambda line: print(line, flush=True),
    )
    print(cost.table(curves))
    finish(arguments, curves)


def run_data(arguments):
    results = learning.measure(
        arguments.models,
        seeds=arguments.seeds,
        seen=arguments.seen,
        report=lambda line: print(line, flush=True),
    )
    print(learning.table(results))
    finish(arguments, results)


def run_convolutions(arguments):
    results = convolutions.measure(rounds=arguments.rounds)
    print(convolutions.table(results))
    finish(arguments, results)


def run_steps(arguments):
    commands.check_files([("a run", os.path.join(arguments.runs, "run.npz"))], [])
    results = steps.measure(
        arguments.steps,
        arguments.seeds,
        arguments.epochs_factor,
        arguments.runs,
        report=lambda line: print(line, flush=True),
    )
    print(steps.table(results))
    finish(arguments, results)


def run_models(arguments):
    against = []
    for peer in arguments.against:
        if problem := benchmark.why_not(peer):
            print(f"Without {benchmark.PEERS[peer]}: {problem}")
        else:
            against.append(peer)
    every = arguments.model == "all"
    names = models.MODELS if every else [arguments.model]
    results = [measure(name, against, arguments) for name in names]
    if every:
        print(report.table(results))
    packages = {"jax" if peer == "jax" else "torch" for peer in against}
    versions = [f"{name} {importlib.metadata.version(name)}" for name in sorted(packages)]
    finish(arguments, results, [f"peers: {', '.join(versions)}"] if versions else ())


def measure(model, against, arguments):
    """Measure one model, print the figures in words, and return them."""
    optimizer = "sgd" if model == "xor" else arguments.optimizer  # its loops know no other
    print(f"{model}, {optimizer}:", flush=True)
    result = benchmark.compare(
        model,
        optimizer,
        arguments.rounds,
        arguments.samples,
        against,
        arguments.busy,
        report=lambda line: print(line, flush=True),
    )
    for line in report.sentences(result):
        print(line)
    return result
