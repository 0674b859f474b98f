"""Build the site: pages to read, and beside each page its lesson to work in, without a server.

Run as `make site`. With --pyodide FOLDER the site carries Pyodide from that folder, and asks nobody
else for anything; without, a lesson loads it from Pyodide's own public address.
"""

import argparse
import shutil
from collections import Counter
from pathlib import Path

import lite
import pages

BUILT = Path(__file__).parents[1] / "build" / "site"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--pyodide", type=Path, metavar="FOLDER", help="the site carries it")
    parser.add_argument("--copy", type=Path, metavar="SITE", help="of a site that is there already")
    parser.add_argument("--out", type=Path, default=BUILT, help="default: build/site")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    if arguments.copy:
        shutil.copytree(arguments.copy, out)
    else:
        pages.build(out)
        lite.build(out / "run")
    if arguments.pyodide:
        lite.carry_pyodide(out / "run", arguments.pyodide)
    tell_sizes(out)
    print(f"The site is in {out}. To look at it: python -m http.server --directory {out}")


def tell_sizes(out):
    """Print how large the parts of the site are."""
    sizes = Counter()
    for path in out.rglob("*"):
        if path.is_file():
            parts = path.relative_to(out).parts
            part = "run/" + parts[1] if parts[0] == "run" and len(parts) > 2 else parts[0]
            sizes[part] += path.stat().st_size / 1e6
    for part, size in sizes.most_common(8):
        print(f"{size:7.1f} MB  {part}")
    print(f"{sum(sizes.values()):7.1f} MB  in all")


if __name__ == "__main__":
    main()
