"""The notebooks as they are stored: run once from top to bottom, on nobody's machine.

nbval runs them and compares their outputs, but only those of cells that are marked as run.
"""

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return json.loads(request.param.read_text(encoding="utf-8"))


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_every_cell_was_run_in_order(notebook):
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_output_is_an_error_or_names_a_folder_of_this_machine(notebook):
    outputs = [output for cell in code_cells(notebook) for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    texts = [{k: v for k, v in o.get("data", o).items() if "image/" not in k} for o in outputs]
    text = json.dumps(texts)
    personal = ["/home/", "/root/", "/tmp/", "/Users/", "C:\\\\Users", str(NOTEBOOKS[0].parents[1])]
    assert [folder for folder in personal if folder in text] == []


def test_every_picture_has_an_alternative_text(notebook):
    missing = [
        cell["id"]
        for cell in code_cells(notebook)
        for output in cell["outputs"]
        if "image/png" in output.get("data", {})
        and not output["metadata"].get("image/png", {}).get("alt")
    ]
    assert missing == []


def test_kernel_is_the_one_everybody_has(notebook):
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
