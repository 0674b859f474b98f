"""Run a notebook in a real JupyterLab and take pictures of it, to be looked at.

    python tests/browser/shoot.py notebooks/02-mlp.ipynb /tmp/pictures --theme dark

The folder of the notebook is copied first: nothing in it is changed.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from lab import THEMES, JupyterLab, Notebook, launch_chromium
from playwright.sync_api import sync_playwright


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("folder", type=Path, help="the pictures are put here: 01.png, 02.png, ...")
    parser.add_argument("--theme", choices=THEMES, default="light")
    parser.add_argument("--width", type=int, default=1100, help="of the page, in pixels")
    parser.add_argument("--height", type=int, default=1400, help="of one picture, in pixels")
    parser.add_argument("--seconds", type=int, default=180, help="that the cells may take")
    parser.add_argument("--no-run", action="store_true", help="show the outputs that are stored")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        copy = Path(scratch, "notebooks")
        shutil.copytree(arguments.notebook.parent, copy)
        with JupyterLab(scratch) as jupyterlab, launch_chromium(playwright) as browser:
            viewport = {"width": arguments.width, "height": arguments.height}
            page = browser.new_page(viewport=viewport)
            path = f"notebooks/{arguments.notebook.name}"
            notebook = Notebook(page, jupyterlab, path, theme=arguments.theme)
            if not arguments.no_run:
                notebook.run_all(arguments.seconds)
            pictures = notebook.screenshots(arguments.folder, arguments.height)
            errors = notebook.errors()
            notebook.close()
    print(*pictures, *errors, sep="\n")
    sys.exit(bool(errors))


if __name__ == "__main__":
    main()
