"""Numba as the course uses it: what happens when the machine code that it keeps is damaged."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from course.nn.compiled import HAS_NUMBA

ROOT = Path(__file__).parents[1]

DAMAGES = {
    "index_cut_off": ("nbi", lambda content: content[:-20]),
    "index_empty": ("nbi", lambda content: b""),
    "index_garbage": ("nbi", lambda content: b"garbage" * 20),
    "index_zeros": ("nbi", lambda content: bytes(len(content))),
    "code_cut_off": ("nbc", lambda content: content[:-20]),
    "code_empty": ("nbc", lambda content: b""),
    "code_garbage": ("nbc", lambda content: b"garbage" * 20),
    "code_zeros": ("nbc", lambda content: bytes(len(content))),
    "code_a_bit": (
        "nbc",
        lambda content: bytes([*content[:-500], content[-500] ^ 1, *content[-499:]]),
    ),
    "code_gone": ("nbc", None),
    "none": ("nbc", lambda content: content),
}
FUNCTION = """
@jit
def {name}(x):
    return 2.0 * x
print("{name}", {name}(21.0), sum({name}.stats.cache_hits.values()))
"""


@pytest.mark.skipif(not HAS_NUMBA, reason="without Numba nothing is compiled")
@pytest.mark.slow
def test_damaged_machine_code_is_compiled_anew_and_it_is_said(tmp_path):
    program, cache = tmp_path / "program.py", tmp_path / "cache"
    functions = "".join(FUNCTION.format(name=name) for name in DAMAGES)
    program.write_text(f"from course.nn.compiled import jit\n{functions}")
    environment = {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": os.pathsep.join(sys.path)}

    def run():
        """Which functions came from the cache, what is said, and which files are kept."""
        done = subprocess.run(
            [sys.executable, program], capture_output=True, text=True, env=os.environ | environment
        )
        assert done.returncode == 0, done.stderr
        results = [line.split() for line in done.stdout.splitlines()]
        assert {(name, answer) for name, answer, _ in results} == {
            (name, "42.0") for name in DAMAGES
        }
        kept = {name for name, _, hits in results if hits == "1"}
        return kept, done.stderr, sorted(cache.rglob("*.nb?"))

    kept, said, files = run()
    assert (kept, said, len(files)) == (set(), "", 2 * len(DAMAGES))
    for name, (ending, damage) in DAMAGES.items():
        (path,) = (path for path in cache.rglob(f"*.{name}-*.{ending}"))
        path.write_bytes(damage(path.read_bytes())) if damage else path.unlink()
    kept, said, _ = run()
    assert kept == {"none"}
    assert len(said.splitlines()) == 1 and "was damaged: it is compiled anew" in said
    assert run() == (set(DAMAGES), "", files)


@pytest.mark.skipif(not HAS_NUMBA, reason="without Numba nothing is compiled")
@pytest.mark.slow
def test_what_was_compiled_where_it_is_installed_serves_users_who_cannot_write_there(tmp_path):
    installed, home = tmp_path / "installed", tmp_path / "home"
    installed.mkdir()
    program = installed / "program.py"
    program.write_text(f"from course.nn.compiled import jit\n{FUNCTION.format(name='twice')}")
    path = os.pathsep.join([str(ROOT), *sys.path])
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "XDG_"))}
    environment |= {"PYTHONPATH": path, "HOME": str(home)}

    def run(program):
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    as_owner = f"import runpy; runpy.run_path({str(program)!r})"
    # Not by the file's rights, which the superuser need not mind.
    as_user = f"""
import numba.core.caching as caching
for name in ("InTreeCacheLocator", "_InTreeCacheLocator"):
    if hasattr(caching, name):
        getattr(caching, name).from_function = classmethod(lambda *_: None)
{as_owner}
"""
    assert run(as_owner) == ["twice", "42.0", "0"]
    assert run(as_user) == ["twice", "42.0", "1"]
    assert not list(home.rglob("*.nb?"))  # there was nothing to keep
    for code in installed.rglob("*.nbc"):
        code.write_bytes(code.read_bytes()[:-20])
    assert run(as_user) == ["twice", "42.0", "0"]
    assert run(as_user) == ["twice", "42.0", "1"] and len(list(home.rglob("*.nb?"))) == 2
