"""Somebody in front of a browser who reads the site and works through a lesson there."""

import time
from pathlib import Path
from urllib.parse import quote, urlsplit

from lab import KERNEL, PANEL, Notebook

COURSE = Path(__file__).parents[2]
FINISHED = "window.jupyterapp?.shell?.currentWidget?.sessionContext"


class Visitor:
    """Context manager around Playwright's context; no request may leave this machine.

    The browser of these tests finds no other host; one that is asked for fails the test at the end.
    """

    def __init__(self, context, server):
        self.context, self.server = context, server
        self.foreign = []
        context.on("request", self.note)  # a route would come between page and service worker

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.context.close()
        if kind is None:
            assert self.foreign == []

    def note(self, request):
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.foreign.append(request.url)

    def open(self, path):
        """A page of the site."""
        page = self.context.new_page()
        page.goto(self.server.address + path)
        return page

    def lesson(self, name, seconds=180):
        """The lesson, opened in JupyterLite, with its kernel idle."""
        return Lesson(self.context.new_page(), self.server, name, seconds)


class Lesson(Notebook):
    """A lesson in JupyterLite; `took` has the seconds after which each thing was there."""

    def __init__(self, page, server, name, seconds):
        self.page, self.page_errors, self.took = page, [], {}
        page.on("pageerror", lambda error: self.page_errors.append(error))
        page.set_default_timeout(1000 * seconds)
        self._began = time.monotonic()
        path = quote(f"lessons/{name}.ipynb")
        page.goto(f"{server.address}run/lab/index.html?path={path}")
        page.wait_for_function(FINISHED)
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self._note("the notebook is seen")
        # every cell is in the page, whether it can be seen or not
        page.evaluate(
            f"""async () => {{
                const panel = {PANEL};
                await panel.context.ready;
                await panel.sessionContext.ready;
                panel.content.notebookConfig =
                    {{...panel.content.notebookConfig, windowingMode: 'none'}};
            }}"""
        )
        page.wait_for_function(f"{KERNEL}?.status === 'idle'")
        self.run_python("None")  # a kernel says that it is idle before it can do anything
        self._note("the kernel is ready")

    def run_first(self):
        """Run the first code cell, with which every lesson begins."""
        kinds = [cell["cell_type"] for cell in self.cells]
        self.run_cell(kinds.index("code"), seconds=180)
        self._note("the first cell has answered")

    def wait_until_kept(self, seconds=180):
        """Wait until the service worker has kept every file of the page."""
        self.page.wait_for_function(
            """async () => {
                const root = new URL('..', location.href.split('?')[0]);
                const files = await (await fetch(new URL('files.json', root))).json();
                const name = (await caches.keys()).find(name => name.startsWith('course-'));
                const cache = await caches.open(name);
                const requests = await cache.keys();
                const kept = new Set(requests.map(({url}) => url.split('?')[0]));
                return files.every(file => kept.has(new URL(file, root).href));
            }""",
            timeout=1000 * seconds,
            polling=2000,
        )

    def _note(self, what):
        self.took[what] = time.monotonic() - self._began

    def close(self):
        self.page.close()
