"""The box of luggage in a page: the browser saves a zip, and the box takes it back."""

import zipfile

import pytest
from accessibility import assert_accessible
from lab import THEMES

from course.progress import Progress

BOX = 1  # its cell


@pytest.fixture
def open_box(open_notebook, tmp_path):
    """Function: options of `open_notebook` -> a notebook with the box, and work in tmp_path."""

    def open_box(**options):
        notebook = open_notebook("01-idx.ipynb", **options)
        folders = "\n".join(
            f"os.environ['COURSE_{name}_DIR'] = {str(tmp_path / name.lower())!r}"
            for name in ("PROGRESS", "MODELS", "LOGS", "DATA")
        )
        setup = f"import os\n{folders}\nfrom course import luggage, places"
        away = f"places.CLONE = __import__('pathlib').Path({str(tmp_path)!r})"
        show = "from course.widgets.luggage import Luggage\nLuggage()"
        notebook.replace_cells(f"{setup}\n{away}\nplaces.USERS_OWN = places.CLONE", show)
        notebook.run_all()
        assert notebook.errors() == []
        return notebook

    return open_box


def test_work_is_downloaded_and_brought_back(open_box, tmp_path):
    done = Progress("02-mlp", tmp_path / "progress")
    done.keep("exercises", "step", {"status": "passed"})
    (tmp_path / "models").mkdir()
    # more than one message to the kernel can hold, and nothing that can be compressed
    large = b"".join(i.to_bytes(4, "little") * 2 for i in range(1_600_000))
    (tmp_path / "models" / "large.safetensors").write_bytes(large)
    notebook = open_box()
    box = notebook.cell(BOX).locator(".luggage")
    with notebook.page.expect_download() as download:
        box.get_by_role("button", name="Download my work").click()
    box.get_by_text("my-course-work.zip has 1 record of a lesson, 1 saved network.").wait_for()
    assert download.value.suggested_filename == "my-course-work.zip"
    download.value.save_as(tmp_path / "work.zip")
    with zipfile.ZipFile(tmp_path / "work.zip") as archive:
        assert archive.read("models/large.safetensors") == large

    done.path.unlink()
    (tmp_path / "models" / "large.safetensors").write_bytes(b"another")
    box.get_by_label("Bring it back:").set_input_files(tmp_path / "work.zip")
    box.get_by_text("Brought back: 1 saved network, 1 record of a lesson.").wait_for()
    assert done.entries("exercises") == {"step": {"status": "passed"}}
    assert (tmp_path / "models" / "large.safetensors").read_bytes() == large
    kept = tmp_path / "models" / "large.safetensors.kept-1"
    assert kept.read_bytes() == b"another"

    (tmp_path / "no.zip").write_bytes(b"no zip")
    box.get_by_label("Bring it back:").set_input_files(tmp_path / "no.zip")
    box.get_by_text("This is no zip, or a damaged one").wait_for()
    assert notebook.errors() == []


@pytest.mark.parametrize("theme", THEMES)
def test_no_rule_of_wcag_is_broken(theme, open_box, axe):
    notebook = open_box(theme=theme)
    notebook.cell(BOX).get_by_role("button", name="Download my work").click()
    notebook.cell(BOX).get_by_text("There is nothing to take along yet").wait_for()
    notebook.page.add_script_tag(path=axe)
    assert_accessible(notebook.cell(BOX).locator(".luggage"), least=3)
