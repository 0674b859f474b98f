"""The kernel's side of conversation.js: every message of the page gets an answer.

A message carries a number, which comes back in `answered`: a number that does not come back tells
the page that there is nobody to answer.
"""

import asyncio
import contextlib
import threading
import traceback

from traitlets import HasTraits, Int, TraitError, Unicode

from course.nn.errors import CourseError

LONGEST = 500  # characters of an error that the page is told


class Conversation(HasTraits):
    """A base of a widget whose page talks by conversation.js. `traceback` is of the last error."""

    request = Int().tag(sync=True)  # number of the page's last message
    answered = Int().tag(sync=True)  # number of the last one that was dealt with
    error = Unicode().tag(sync=True)  # what went wrong with it
    busy = Unicode().tag(sync=True)  # what takes a while, while it does

    def __init__(self, **traits):
        self.traceback = ""  # of the last exception, in full
        self._thread, self._loop = threading.current_thread(), None
        with contextlib.suppress(RuntimeError):  # outside a notebook there is none
            self._loop = asyncio.get_running_loop()
        super().__init__(**traits)

    def set_state(self, sync_data):
        """Take what the page sends; what it cannot mean is answered, and changes nothing."""
        try:
            super().set_state(sync_data)
        except Exception as problem:
            request = sync_data.get("request") if isinstance(sync_data, dict) else None
            self._between_cells(self._refuse, request, problem)

    def _refuse(self, request, problem):
        with self._answering(request):
            raise problem

    def _between_cells(self, answer, *arguments):
        """Call `answer` in the thread of the notebook's cells, when no cell is running.

        JupyterLab may deliver messages in another thread while a cell runs. If that cell trains
        one of these models, reading a drawing would overwrite what its layers keep for the way
        back.
        """
        if self._loop is None or threading.current_thread() is self._thread:
            answer(*arguments)
        else:
            self._loop.call_soon_threadsafe(answer, *arguments)

    @contextlib.contextmanager
    def _answering(self, request=None):
        """Whatever happens inside, the page gets an answer, and sees what went wrong.

        An exception in a widget's callback would otherwise end in a log that nobody reads.
        """
        error = ""
        with self.hold_sync():  # all of the answer in one message
            try:
                yield
            except (CourseError, OSError, TraitError) as problem:
                error = str(problem)
            except Exception as problem:
                error = self._describe(problem)
            finally:
                self.error, self.busy = _sendable(error), ""
                self.answered = request if isinstance(request, int) else self.request

    def _describe(self, problem):
        """An exception nobody foresaw, in a line for the page; `traceback` has it in full."""
        self.traceback = traceback.format_exc()
        return f"{type(problem).__name__}: {problem}"


def _sendable(text):
    """The text for a message to the page: not too long, and without halves of characters."""
    return text[:LONGEST].encode("utf-8", "backslashreplace").decode("utf-8")
