"""Build the site: pages to read, and beside each page its lesson to work in, without a server.

Run as `make site`. With --pyodide FOLDER the site carries Pyodide from that folder, and asks nobody
else for anything; without, a lesson loads it from Pyodide's own public address.
"""

import argparse
import shutil
from pathlib import Path

import lite
import pages

BUILT = Path(__file__).parents[1] / "build" / "site"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--pyodide", type=Path, metavar="FOLDER", help="the site carries it")
    parser.add_argument("--out", type=Path, default=BUILT, help="default: build/site")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    pages.build(out)
    lite.build(out / "run", arguments.pyodide)
    for name, folder in (("the pages", out), ("the lessons to run", out / "run")):
        files = [path for path in out.rglob("*") if path.is_file()]
        inside = [path for path in files if path.is_relative_to(folder)]
        inside = [p for p in inside if folder != out or not p.is_relative_to(out / "run")]
        size = sum(path.stat().st_size for path in inside) / 1e6
        print(f"{name}: {len(inside)} files, {size:.1f} MB")
    print(f"The site is in {out}. To look at it: python -m http.server --directory {out}")


if __name__ == "__main__":
    main()
