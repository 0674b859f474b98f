"""A student as a program: logs in to a hub, opens lessons, runs their cells and reads a digit.

What it sends is what a browser with JupyterLab sends: the form of the login, the page, and then
the server's REST interface and the channels of its kernels.
"""

import asyncio
import json
import re
import time
import uuid
from dataclasses import dataclass, field

import aiohttp
import yarl

LONGEST_START, LONGEST_CELL = 300, 900  # seconds, of a machine that everybody wants at once

# Draws the digit `_label` with the mouse's strokes, and lets the networks of the course read it.
READ_A_DIGIT = """
import numpy as _np
from course.models import pretrained as _pretrained
from course.recognizer import preprocess as _preprocess, strokes as _strokes
_drawing = _strokes.draw_digit(_label, _np.random.default_rng(_label))
_x = _preprocess.normalize(_strokes.render(_drawing)).x
_read = int(_pretrained.load_committee().forward(_x).argmax())
"""


class NotWorkingError(Exception):
    """Something that a student wants to do cannot be done; says what."""


class CellError(NotWorkingError):
    """A cell ended with an error, `name`."""

    def __init__(self, name, text):
        super().__init__(f"{name}: {text}")
        self.name = name


@dataclass
class Student:
    """One of them, with a browser of their own; `seconds` says what took how long.

    Args:
        address: of the hub, without a slash at the end.
        name: to log in with.
        password: of the hub's trial.
    """

    address: str
    name: str
    password: str
    seconds: dict = field(default_factory=dict)

    async def __aenter__(self):
        # Cookies of an address in numbers are refused unless it is asked for.
        jar = aiohttp.CookieJar(unsafe=True)
        self.browser = aiohttp.ClientSession(
            cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=LONGEST_START)
        )
        return self

    async def __aexit__(self, *exc_info):
        await self.browser.close()

    @property
    def home(self):
        return f"{self.address}/user/{self.name}"

    def timed(self, what):
        return Stopwatch(self.seconds, what)

    async def log_in(self, lesson):
        """Fill in the form, wait for the server to start, and get the page of a lesson."""
        form = {"username": self.name, "password": self.password}
        async with self.browser.get(f"{self.address}/hub/login") as page:
            form["_xsrf"] = re.search(r'name="_xsrf" value="([^"]+)"', await page.text())[1]
        await self._get("POST", f"{self.address}/hub/login?next=/hub/spawn", data=form)
        await self._server()
        page = await self._get("GET", f"{self.home}/lab/tree/lessons/{lesson}.ipynb")
        if "jupyter-config-data" not in page:
            raise NotWorkingError(f"{self.name} got another page than JupyterLab's: {page[:200]}")

    async def _server(self):
        """Wait until one's own server runs, as the page with the progress bar does."""
        progress = f"{self.address}/hub/api/users/{self.name}/server/progress"
        async with self.browser.get(progress, params={"_xsrf": self._token("/hub/")}) as events:
            async for line in events.content:
                if line.startswith(b"data:"):
                    event = json.loads(line[5:])
                    if event.get("failed"):
                        raise NotWorkingError(f"{self.name} has no server: {event['message']}")
                    if event.get("ready"):
                        return
        raise NotWorkingError(f"{self.name} has no server: {events.status}")

    def _token(self, path):
        """The cookie that stands for "this page sent it", of the hub or of the student's server."""
        cookies = self.browser.cookie_jar.filter_cookies(yarl.URL(f"{self.address}{path}"))
        return cookies["_xsrf"].value

    async def _get(self, method, url, **options):
        async with self.browser.request(method, url, **options) as answer:
            text = await answer.text()
            if not answer.ok:
                raise NotWorkingError(f"{method} {url}: {answer.status} {text[:300]}")
            return text

    async def ask(self, method, path, content=None):
        """Ask one's server; returns what was in its answer (None: nothing)."""
        headers = {"X-XSRFToken": self._token(f"/user/{self.name}/")}
        text = await self._get(method, f"{self.home}/api/{path}", json=content, headers=headers)
        return json.loads(text) if text else None

    async def cells(self, lesson):
        """The sources of the cells of code of the copy that was laid for this student."""
        notebook = (await self.ask("GET", f"contents/lessons/{lesson}.ipynb"))["content"]
        return [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]

    async def open(self, lesson):
        """Open a lesson: its kernel starts, in the lesson's folder. Returns a Kernel."""
        path = f"lessons/{lesson}.ipynb"
        asked = {"path": path, "name": lesson, "type": "notebook", "kernel": {"name": "python3"}}
        session = await self.ask("POST", "sessions", asked)
        kernel = Kernel(self, session["kernel"]["id"])
        await kernel.connect()
        return kernel

    async def run_all(self, lesson):
        """Open a lesson and run all of its cells; none may end with an error. Returns a Kernel."""
        cells = await self.cells(lesson)
        with self.timed(lesson):
            with self.timed(f"first cell of {lesson}"):
                kernel = await self.open(lesson)
                await kernel.run(cells[0])
            for number, source in enumerate(cells[1:], 2):
                try:
                    await kernel.run(source)
                except CellError as error:
                    raise NotWorkingError(
                        f"{self.name}, {lesson}, cell {number} of {len(cells)}: {error}\n{source}"
                    ) from None
        return kernel


class Kernel:
    """A kernel of a student's server, and the channels to it."""

    def __init__(self, student, kernel_id):
        self.student = student
        self.id = kernel_id

    async def connect(self):
        self.session = uuid.uuid4().hex
        self.channels = await self.student.browser.ws_connect(
            f"{self.student.home}/api/kernels/{self.id}/channels?session_id={self.session}",
            max_msg_size=0,  # pictures may be large
        )
        # Always listens, as a browser does: who does not answer the server's pings is cut off.
        self._arrived = asyncio.Queue()
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self):
        while True:
            got = await self.channels.receive()
            self._arrived.put_nowait(got)
            if got.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                return

    async def send(self, source, expressions=None):
        """Ask the kernel to run this; returns the number of the message, and does not wait."""
        message = uuid.uuid4().hex
        content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
        header = {
            "msg_id": message,
            "msg_type": "execute_request",
            "session": self.session,
            "username": self.student.name,
            "version": "5.3",
        }
        await self.channels.send_json(
            {
                "header": header,
                "parent_header": {},
                "metadata": {},
                "content": content | {"stop_on_error": True, "user_expressions": expressions or {}},
                "channel": "shell",
            }
        )
        return message

    async def run(self, source, expressions=None):
        """Run a cell and wait for its end: the reply, and all that it showed.

        Returns the values of the expressions, as text. Raises CellError, and NotWorkingError where
        the kernel is gone or nothing comes for too long.
        """
        return await self.result(await self.send(source, expressions))

    async def result(self, message):
        """What became of a message; see `run`."""
        reply, idle = None, False
        while not (reply and idle):
            got = await self._next()
            if got.get("parent_header", {}).get("msg_id") == message:
                kind, content = got["header"]["msg_type"], got["content"]
                reply = content if kind == "execute_reply" else reply
                idle = idle or (kind == "status" and content["execution_state"] == "idle")
            elif got["content"].get("execution_state") in ("restarting", "dead"):
                raise NotWorkingError(f"{self.student.name}'s kernel died")
        if reply["status"] != "ok":
            raise CellError(reply.get("ename", reply["status"]), reply.get("evalue", ""))
        return {
            name: value["data"]["text/plain"] if value["status"] == "ok" else value["ename"]
            for name, value in reply["user_expressions"].items()
        }

    async def _next(self):
        """The next message in text; those with buffers are of widgets."""
        while True:
            got = await asyncio.wait_for(self._arrived.get(), LONGEST_CELL)
            if got.type == aiohttp.WSMsgType.TEXT:
                return json.loads(got.data)
            if got.type != aiohttp.WSMsgType.BINARY:
                raise NotWorkingError(f"{self.student.name}'s kernel no longer answers: {got}")

    async def state(self):
        """What the server says that the kernel does: "busy" or "idle"."""
        return (await self.student.ask("GET", f"kernels/{self.id}"))["execution_state"]

    async def interrupt(self):
        await self.student.ask("POST", f"kernels/{self.id}/interrupt")

    async def read_a_digit(self, label):
        """Draw the digit `label`; returns the one that the course's committee reads."""
        found = await self.run(f"_label = {label}\n{READ_A_DIGIT}", {"read": "_read"})
        return int(found["read"])


class Stopwatch:
    """Context manager that keeps the seconds that its block took."""

    def __init__(self, seconds, what):
        self.seconds, self.what = seconds, what

    def __enter__(self):
        self.began = time.monotonic()

    def __exit__(self, *exc_info):
        self.seconds[self.what] = time.monotonic() - self.began
