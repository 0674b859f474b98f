"""Measure training speed against PyTorch, if it is installed, and against BLAS alone."""

from course import benchmark, commands, models, records
from course.benchmark import report
from course.nn.recipe import OPTIMIZERS


def add_arguments(parser):
    parser.add_argument(
        "model",
        choices=(*models.MODELS, "all"),
        metavar="MODEL|all",
        help="the model's name, or all of them in turn",
    )
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="sgd")
    parser.add_argument("--rounds", type=commands.positive_int, metavar="N", default=7)
    parser.add_argument(
        "--samples",
        type=commands.positive_int,
        metavar="N",
        default=benchmark.SAMPLES,
        help="digits in an epoch (default: %(default)s)",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="the figures and the machine's name, for lesson 07"
    )
    commands.add_json_option(parser)


def run(arguments):
    if arguments.out:
        commands.check_files([("the figures", arguments.out)], commands.digit_files(None))
    commands.load_digits(None)  # says which, or why not, before the work begins
    every = arguments.model == "all"
    results = [measure(name, arguments) for name in (models.MODELS if every else [arguments.model])]
    if arguments.out:
        report.save(arguments.out, results, records.provenance(commands.command_line()))
        print(f"Figures: {arguments.out}")
    if arguments.json:
        commands.print_json(results if every else results[0])


def measure(model, arguments):
    """Measure one model, print the figures in words, and return them."""
    print(f"{model}, {arguments.optimizer}:", flush=True)
    try:
        result = benchmark.compare(model, arguments.optimizer, arguments.rounds, arguments.samples)
    except RuntimeError as error:
        raise commands.CommandError(error) from None
    print(f"One epoch of {result['samples']} digits: {result['seconds']:.3f} s (median)")
    print(f"Matrix products alone, on BLAS: {result['fraction_of_gemm_peak']:.0%} of that")
    print(
        f"With one core taken by another program: {result['slowdown_when_busy']:.2f} times as long"
    )
    if result["ratio_vs_torch"] is None:
        print("PyTorch is not installed: nothing to compare with")
    else:
        print(f"PyTorch takes {result['ratio_vs_torch']:.2f} times as long")
    if result["peak_memory_mb"] is not None:
        print(f"Peak memory {result['peak_memory_mb']:.0f} MB")
    return result
