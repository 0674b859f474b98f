"""Compile the loops that train to machine code, so that no lesson has to wait for it."""

import dataclasses
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from course import commands, models, xor
from course.environment import HERE
from course.nn import shares, training


def add_arguments(parser):
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="*",
        help=f"of {', '.join(models.MODELS)} (default: all, each in a process of its own)",
    )


def run(arguments):
    if unknown := set(arguments.models) - set(models.MODELS):
        raise commands.UsageError(f"there is no model {min(unknown)!r}")
    if not HERE.compiled:
        print("There is no Numba, so nothing is compiled: NumPy computes instead of the loops.")
        return
    began = time.perf_counter()
    if arguments.models:
        for name in arguments.models:
            take_a_step(name)
    else:
        with ThreadPoolExecutor(shares.CORES) as pool:
            list(pool.map(compile_elsewhere, models.MODELS))
    print(f"The loops are compiled: {time.perf_counter() - began:.0f} s")


def compile_elsewhere(name):
    """Compile the loops of one model in another process."""
    command = [sys.executable, "-m", "course", "compile", name]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise commands.CommandError(f"{name}: {done.stderr}")


def take_a_step(name):
    """Train a new model on hardly anything, and evaluate it: whatever that needs is compiled."""
    model, recipe = models.build(name), models.recipe(name)
    if name == "xor":
        dataclasses.replace(recipe, epochs=1).trainer(model).fit()
        xor.sweep(4, range(1, 3), epochs=1)
        return
    x, y = np.zeros((recipe.batch_size, 784), np.float32), np.zeros(recipe.batch_size, np.uint8)
    epochs = 1 + recipe.plain_epochs  # the first one with augmentation, if the recipe has that
    trainer = dataclasses.replace(recipe, epochs=epochs, validation_split=0.0).trainer(model)
    trainer.fit(x, y)
    training.evaluate(model, x, y)
