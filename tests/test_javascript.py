"""The recognizer's JavaScript without a browser, as the one module that the page loads."""

import shutil
import subprocess

import pytest

from course.recognizer.widget import HERE, PARTS

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")


def node(module, *options):
    """Give Node.js a module; in a file called .js it would pass over errors beside an export."""
    command = ["node", "--input-type=module", *options, "-"]
    return subprocess.run(command, input=module, capture_output=True, text=True)


@pytest.mark.parametrize("broken", [None, *PARTS])
def test_the_module_parses_and_an_error_in_any_part_is_found(broken):
    texts = [(HERE / name).read_text("utf-8") + ";)" * (name == broken) for name in PARTS]
    done = node("\n".join(texts), "--check")
    assert ("SyntaxError" in done.stderr) == bool(done.returncode) == bool(broken), done.stderr
