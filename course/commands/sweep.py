"""Train a model with many settings and seeds, on all cores, and keep what comes of each run.

An option with several values is tried with each of them, in every combination; with --random, two
numbers are a range to draw from. What is interrupted goes on when the same command is given again.
"""

import argparse
import sys
import time
import zlib

import numpy as np
from tqdm.auto import tqdm

from course import commands, models, records
from course.commands import recipe_options, tasks
from course.environment import HERE
from course.nn import shares
from course.sweep import SweepError, engines, running, settings, summary, table

SWEPT = [name for name in models.MODELS if name != "xor"]  # that one has no digits to hold out


def add_arguments(parser):
    parser.add_argument("model", choices=SWEPT, metavar="MODEL", help=", ".join(SWEPT))
    commands.add_data_option(parser)
    recipe_options.add(parser, several=True)
    parser.add_argument(
        "--seeds", type=seeds, default=[1], metavar="LIST", help="e.g. 1-5 or 1,3,8 (default: 1)"
    )
    parser.add_argument(
        "--random", type=commands.positive_int, metavar="N", help="draw N settings; no grid"
    )
    parser.add_argument(
        "--random-seed", type=commands.seed, default=1, metavar="N", help="of these draws"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="a line for each run (default: runs/sweep-MODEL.csv)"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--processes",
        type=commands.positive_int,
        metavar="N",
        help="runs at a time (default: one for each core)",
    )
    where.add_argument(
        "--scheduler",
        type=commands.scheduler,
        metavar="tcp://HOST:PORT",
        help="do the runs on a cluster: docs/cluster.md",
    )
    commands.add_json_option(parser)


def run(arguments):
    out = arguments.out or f"runs/sweep-{arguments.model}.csv"
    every = all_runs(arguments)
    commands.check_files([("the results", out)], commands.digit_files(arguments.data))
    task = tasks.load_task(arguments.model, arguments.data)
    smallest = min(one["validation_split"] for one, _ in every)
    if smallest * len(task.x) < 1:
        raise commands.UsageError(f"a share of {smallest:g} of {len(task.x)} samples is none")
    samples = running.Samples(task.x, task.y, task.test_x, task.test_y, task.answers)
    comments = records.provenance(commands.command_line())
    try:
        with table.writing(out, comments, named(task), report=warn) as writer:
            todo = [one for one in every if table.key_of(*one) not in writer.done]
            if len(todo) < len(every):
                print(f"{len(every) - len(todo)} of {len(every)} runs are done already")
            do(arguments, todo, len(every), samples, writer)
    except KeyboardInterrupt:
        warn(f"Finished runs are in {out}; the same command goes on.")
        raise
    report(arguments, out)


def all_runs(arguments):
    """The runs that are asked for: (settings, seed) pairs, each setting once before any again."""
    values = {
        name: value for name in settings.FIELDS if (value := getattr(arguments, name)) is not None
    }
    try:
        if arguments.random:
            some = settings.draws(arguments.model, values, arguments.random, arguments.random_seed)
        else:
            some = settings.grid(arguments.model, values)
    except SweepError as error:
        raise commands.UsageError(error) from None
    every = [(one, seed) for seed in arguments.seeds for one in some]
    return list({table.key_of(*one): one for one in every}.values())  # draws may be alike


def do(arguments, todo, total, samples, writer):
    """Do the runs, write each as it ends, and show how many are left."""
    if todo and HERE.compiled and not arguments.scheduler:
        running.compile_loops(todo)
    began = time.perf_counter()
    bar = tqdm(total=total, initial=total - len(todo), unit="run", disable=not sys.stderr.isatty())
    with bar:
        done = enumerate(engine(arguments, todo, samples), start=total - len(todo) + 1)
        for number, (one, seed, found) in done:
            writer.add(one, seed, found)
            bar.update()
            if bar.disable:
                print(f"{number}/{total} {told(one, seed, found)}", flush=True)
    seconds = time.perf_counter() - began
    if todo:
        print(f"{len(todo)} runs in {seconds:.1f} s: {60 * len(todo) / seconds:.1f} a minute")


def engine(arguments, todo, samples):
    """The generator that does the runs."""
    if arguments.scheduler:
        from course.sweep import cluster

        return cluster.on_cluster(todo, samples, arguments.scheduler, warn)
    processes = min(arguments.processes or shares.CORES, len(todo))
    if processes <= 1:
        return engines.one_by_one(todo, samples)
    return engines.in_processes(todo, samples, processes)


def told(one, seed, found):
    """A run in a few words."""
    end = found["outcome"] if np.isnan(found["val_accuracy"]) else f"{found['val_accuracy']:.2%}"
    return f"{one['optimizer']}, {one['learning_rate']:g}, seed {seed}: {end}"


def warn(sentence):
    """Say on stderr what does not end the sweep."""
    print(sentence, file=sys.stderr, flush=True)


def named(task):
    """What the runs learn from, in one line; other samples have another one."""
    labels = zlib.crc32(task.test_y.tobytes(), zlib.crc32(task.y.tobytes()))
    return (
        f"{task.source}, {len(task.x)} to learn from and {len(task.test_x)} to test, "
        f"crc32 of the labels {labels:08x}"
    )


def report(arguments, out):
    """Print the best settings, chosen by the held-out digits."""
    found = table.read(out)
    print(summary.text(found))
    print(f"Runs: {out}")
    if arguments.json:
        best = summary.ranking(found)[0] if len(found) else None
        commands.print_json({"out": out, "runs": len(found), "best": best})


def seeds(text):
    """Parse numbers and ranges of numbers, "1-5,8" (for argparse); each once."""
    found = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        low = commands.seed(first)
        high = commands.seed(last) if dash else low
        if not low <= high < low + 10**6:
            raise argparse.ArgumentTypeError(f"no range of seeds: {part!r:.40}")
        found += range(low, high + 1)
    return list(dict.fromkeys(found))
