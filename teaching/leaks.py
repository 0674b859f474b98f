"""Is anything of a solution left in a copy? Every text is searched, and every exercise is run."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SHORTEST = 16  # characters, without spaces: shorter lines are everybody's, "return x"

# What the course itself teaches or needs elsewhere, as a student's copy has it, too: in which file
# which solution has a line in common with it.
TAUGHT = {
    "course/attention/reference.py": {"attend", "softmax_backward"},
    "course/cnn.py": {"convolution", "convolution_backward"},
    "course/cnn_numpy.py": {"convolution", "convolution_backward"},
    "course/diagrams/mlp.py": {"step"},
    "course/im2col.py": {"convolution", "convolution_backward"},
    "course/im2col_numpy.py": {"convolution_backward"},
    "course/nn/losses.py": {"softmax_cross_entropy"},
    "course/nn/training.py": {"train_epoch"},
    "course/plots/models.py": {"attention_distance"},
    "course/recognizer/preprocess.py": {"center"},
    "course/sweep/choosing.py": {"halve"},
    "course/yours/training.py": {"train_epoch"},
    "notebooks/02-mlp.ipynb": {"step", "train_epoch"},  # a figure says it; a loop over names
    "notebooks/06-recognizer.ipynb": {"center"},  # two lines that the exercise begins with
    "notebooks/08-last-percent.ipynb": {"moving_average"},  # the formula that it asks to program
}

PROBE = Path(__file__).with_name("probe.py")


@dataclass(frozen=True)
class Leak:
    """A line of a solution, by the name of its function, that stands in a file of a copy."""

    path: str
    solution: str
    line: str

    def __str__(self):
        return f"{self.path} has a line of the solution of {self.solution}: {self.line}"


def essence(line):
    """A line of code without spaces, its comment and its `return`."""
    code = re.sub(r"\s+", "", re.sub(r"\s#.*", "", line))
    return code.removeprefix("return")


def has_any(text, secrets):
    """Whether a text has one of the lines, as `essence` makes them, wherever it begins and ends."""
    return any(secret in re.sub(r"\s+", "", text) for secret in secrets)


def secrets_of(lines):
    """The lines of a solution that tell it, as `essence` makes them."""
    return {short for line in lines if len(short := essence(line)) >= SHORTEST}


def in_texts(texts, secrets):
    """The Leaks in files.

    Args:
        texts: a dict from the path of a file in the copy to its text.
        secrets: a dict from the name of a solution to its lines.
    """
    found = []
    for path, text in texts.items():
        together = re.sub(r"\s+", "", text)  # as a line may have been wrapped
        for solution, of_one in secrets.items():
            if solution not in TAUGHT.get(path, ()):
                hits = (secret for secret in sorted(of_one) if secret in together)
                found += [Leak(path, solution, secret) for secret in hits]
    return found


def readable(path):
    """The text of a file: of a notebook its cells and what they gave; "" if it is no text."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    parts = ["".join(cell["source"]) for cell in cells]
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        parts.append("".join(output.get("text", [])))
        parts += ["".join(one) for one in output.get("data", {}).values() if isinstance(one, list)]
    return "\n".join(parts)


def when_run(copy):
    """What the exercises of a copy still tell when they are run: sentences, none if nothing."""
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, PROBE, copy], env=environment, cwd=copy, capture_output=True, text=True
    )
    if done.returncode:
        return ["its exercises cannot be run: " + (done.stderr.strip().splitlines() or ["?"])[-1]]
    return done.stdout.splitlines()
