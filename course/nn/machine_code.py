"""Machine code: how Numba compiles, keeps and finds again what `course.nn.compiled.jit` is given.

The code is kept on disk; only the first call ever has to wait for it.
"""

import contextlib
import functools
import glob
import sys
import time
import zlib
from pathlib import Path

import numba
from numba.core import caching, event


def compiled(function, options):
    """Compile `function`: no Python objects inside, kept on disk where there is a place for it."""
    result = numba.njit(**{"error_model": "numpy", **options})(function)
    with contextlib.suppress(RuntimeError):  # "no locator available": no place to keep it
        result._cache = MachineCode(function)  # as cache=True does with Numba's own
    return result


class MachineCode(caching.FunctionCache):
    """Numba's cache on disk, where damage costs a compilation and not every run from then on.

    (A full disk or a crash leaves files that are cut off or full of zeros.)

    Where the folder of the source cannot be written, Numba keeps the code in the user's home. What
    lies beside the source is read all the same: who installed the course for many users has
    compiled it for them.
    """

    def __init__(self, function):
        super().__init__(function)
        self._cache_file = self._files(self.cache_path)
        beside = Path(function.__code__.co_filename).resolve().parent / "__pycache__"
        elsewhere = not numba.config.CACHE_DIR and beside != Path(self.cache_path).resolve()
        self._installed = self._files(beside) if elsewhere else None

    def _files(self, folder):
        stamp = self._impl.locator.get_source_stamp()
        return CheckedFiles(str(folder), self._impl.filename_base, stamp)

    def load_overload(self, sig, target_context):
        try:
            found = super().load_overload(sig, target_context)
        except Exception:  # of any kind: damaged bytes are unpickled and linked
            self._remove()
            found = None
        return found if found is not None else self._load_installed(sig, target_context)

    def _load_installed(self, sig, target_context):
        """What lies beside the source; None where there is none, or nobody can use it."""
        if self._installed is not None:
            with contextlib.suppress(Exception):  # of any kind, as above
                data = self._installed.load(self._index_key(sig, target_context.codegen()))
                return data and self._impl.rebuild(target_context, data)

    def _remove(self):
        """Remove all that is kept of the function, and say so; do without where that fails."""
        try:
            for path in Path(self.cache_path).glob(f"{glob.escape(self._impl.filename_base)}.*"):
                path.unlink(missing_ok=True)
            say_once(f"Machine code in {self.cache_path} was damaged: it is compiled anew.")
        except OSError as error:
            self.disable()
            say_once(
                f"Machine code is compiled anew each time, as what is kept is damaged: {error}"
            )


class CheckedFiles(caching.IndexDataCacheFile):
    """The files of a function, with a checksum behind the machine code: damaged, it may crash."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._version += " with checksums"  # files without are not asked for any

    def _dump(self, obj):
        content = super()._dump(obj)
        return content + zlib.crc32(content).to_bytes(4, "little")  # unpickling looks no further

    def _load_data(self, name):
        content = Path(self._data_path(name)).read_bytes()
        if zlib.crc32(content[:-4]).to_bytes(4, "little") != content[-4:]:
            raise ValueError(f"{name} does not have its checksum")
        return super()._load_data(name)


@functools.cache
def say_once(sentence):
    """Print a sentence to stderr, however many functions it is true of."""
    print(sentence, file=sys.stderr, flush=True)


class CompileNotice(event.Listener):
    """Context manager that says so, once, when something has to be compiled.

    >>> with CompileNotice():
    ...     train(...)
    Compiling the loops to machine code, once: this takes up to 30 seconds ...

    After the block `seconds` holds the time spent compiling (0.0: all came from the cache).
    """

    MESSAGE = (
        "Compiling the loops to machine code: this happens once and takes up to 30 seconds ..."
    )

    def __init__(self, stream=None):
        self.stream = stream
        self.seconds = 0.0
        self._depth = 0

    def __enter__(self):
        event.register("numba:compile", self)
        return self

    def __exit__(self, *exc_info):
        event.unregister("numba:compile", self)

    def on_start(self, event):
        if self._depth == 0:
            self._began = time.perf_counter()
            if self.seconds == 0.0:
                print(self.MESSAGE, file=self.stream or sys.stderr, flush=True)
        self._depth += 1  # compiling a caller compiles what it calls: count the outermost only

    def on_end(self, event):
        self._depth -= 1
        if self._depth == 0:
            self.seconds += time.perf_counter() - self._began
