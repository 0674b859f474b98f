"""A real JupyterLab and its notebooks, driven in headless Chromium.

Nothing of whoever runs it is used or changed: the server has its own settings, the browser its own
profile, and the notebooks are whatever lies in the folder it is given (give it a copy).
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path

from playwright.sync_api import TimeoutError

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHROMIUM = next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None
)
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "checkForUpdates": False,
        "fetchNews": "false",
    },
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    # every cell is in the page, whether it can be seen or not, and nothing comes after the last
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none", "scrollPastEnd": False},
}
PANEL = "window.jupyterapp?.shell?.currentWidget"
KERNEL = f"{PANEL}.sessionContext.session.kernel"
BROKEN_WIDGET = ["Loading widget", "Error displaying widget", "Error creating widget"]
IS_SEEN = {  # an image that was decoded; something of a size inside a widget's frame
    "image": """output => [...output.querySelectorAll('img, svg')].some(
        image => image.clientWidth > 0 && image.naturalWidth !== 0)""",
    "widget": """output => [
        ...output.querySelectorAll('.jp-OutputArea-output > .lm-Widget *')
    ].some(part => part.clientWidth > 0 && part.clientHeight > 0)""",
}


def kind_of_output(output):
    """ "image", "widget" or None, for an output in the form of an .ipynb file."""
    types = output.get("data", {})
    if "application/vnd.jupyter.widget-view+json" in types:  # its image stands in on paper only
        return "widget"
    return "image" if any(name.startswith("image/") for name in types) else None


def launch_chromium(playwright, *flags):
    """A headless browser (Playwright's), with an empty profile, and more flags if any."""
    if CHROMIUM is None:
        raise FileNotFoundError("no Chromium is installed (apt-get install chromium)")
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_FLAGS, *flags])


class JupyterLab:
    """Context manager: a JupyterLab server that shows one folder."""

    def __init__(self, folder, start_seconds=60):
        self.folder = Path(folder).resolve()
        self.start_seconds = start_seconds
        self.token = uuid.uuid4().hex

    def __enter__(self):
        self._private = tempfile.TemporaryDirectory(prefix="jupyterlab-")
        home = Path(self._private.name)
        overrides = home / "config" / "labconfig" / "default_setting_overrides.json"
        overrides.parent.mkdir(parents=True)
        overrides.write_text(json.dumps(SETTINGS))
        private = {
            "JUPYTER_CONFIG_DIR": home / "config",
            "JUPYTER_DATA_DIR": home / "data",
            "JUPYTER_CONFIG_PATH": "",
            "JUPYTER_PATH": "",
            "JUPYTER_RUNTIME_DIR": home / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": home / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
            "IPYTHONDIR": home / "ipython",
            "COURSE_PROGRESS_DIR": home / "progress",
            "COURSE_MODELS_DIR": home / "models",
            "JUPYTER_PREFER_ENV_PATH": 1,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._log = home / "log.txt"
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
        command += [f"--ServerApp.root_dir={self.folder}", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"]
        command += ["--LabApp.expose_app_in_browser=True"]  # as window.jupyterapp
        command += [f"--IdentityProvider.token={self.token}"]
        with open(self._log, "wb") as log:
            self._server = subprocess.Popen(
                command,
                env=os.environ | {name: str(value) for name, value in private.items()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info):
        self._server.terminate()  # it ends its kernels first
        try:
            self._server.wait(30)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._private.cleanup()

    def url(self, path):
        """Address of a path on the server, with the token."""
        return f"http://127.0.0.1:{self.port}/{path}?token={self.token}"

    def _wait_until_it_answers(self):
        give_up = time.monotonic() + self.start_seconds
        while time.monotonic() < give_up and self._server.poll() is None:
            try:
                with urllib.request.urlopen(self.url("api/status"), timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{self._log.read_text()}")


class Notebook:
    """A notebook open in a page of its own; `page` is Playwright's, for everything not here."""

    def __init__(self, page, jupyterlab, path, theme="light", seconds=120):
        self.page = page
        self.page_errors = []  # uncaught exceptions of the page's own code, widgets' included
        page.on("pageerror", lambda error: self.page_errors.append(error))
        page.set_default_timeout(1000 * seconds)
        # a workspace of its own, so that no other notebook is opened along with it
        page.goto(jupyterlab.url(f"lab/workspaces/{uuid.uuid4().hex}/tree/{path}"))
        page.wait_for_function(f"{PANEL}?.sessionContext")
        page.evaluate(f"""async () => {{
            await {PANEL}.context.ready;
            await {PANEL}.sessionContext.ready;
            await {PANEL}.sessionContext.session.kernel.info;
        }}""")
        self.choose_theme(theme)

    def choose_theme(self, theme):
        """Change to "light" or "dark", and wait until it has come."""
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", THEMES[theme]
        )
        self.page.wait_for_function(f"document.body.dataset.jpThemeName === '{THEMES[theme]}'")
        # the picture that covers the page meanwhile, and fades
        self.page.wait_for_function("!document.getElementById('jupyterlab-splash')")

    def show_whole(self):
        """Make the page so high that all of the notebook is in view."""
        outer = self.page.locator(".jp-Notebook .jp-WindowedPanel-outer")
        size = self.page.viewport_size
        hidden = outer.evaluate("element => element.scrollHeight - element.clientHeight")
        height = size["height"] + hidden + 100  # what is drawn anew may need a little more
        self.page.set_viewport_size({"width": size["width"], "height": height})
        self._next_frame()

    def run_all(self, seconds=180):
        """Run every cell and wait until the kernel is idle and all outputs are drawn."""
        self._run("notebook:run-all-cells", seconds)

    def run_cell(self, index, seconds=60):
        """Run one cell, counted from 0, Markdown cells included, and wait for its outputs."""
        self.page.evaluate(
            f"index => {{ Object.assign({PANEL}.content, {{activeCellIndex: index}}) }}", index
        )
        self._run("notebook:run-cell", seconds)

    def replace_cells(self, *sources):
        """Put code cells with these sources in the place of all cells."""
        self.page.evaluate(
            f"""sources => {{
                const cells = {PANEL}.content.model.sharedModel;
                cells.deleteCellRange(0, cells.cells.length);
                cells.insertCells(0, sources.map(
                    source => ({{cell_type: 'code', source, trusted: true}})));
            }}""",
            sources,
        )

    def save(self):
        """Write the notebook to its file."""
        self.page.evaluate(f"() => {PANEL}.context.save()")

    def run_python(self, code):
        """Run code in the kernel, but in none of the cells."""
        reply = self.page.evaluate(
            f"code => {KERNEL}.requestExecute({{code}}).done.then(reply => reply.content)", code
        )
        assert reply["status"] == "ok", reply

    def end_kernel(self, end="restart"):
        """Restart the kernel, or shut it down, as the menu does."""
        self.page.evaluate(f"() => {KERNEL}.{end}()")

    def _run(self, command, seconds):
        # not awaited in the page itself: Playwright sets no time limit on that
        self.page.evaluate(
            """command => {
                window.runEnded = false;
                const end = () => { window.runEnded = true };
                jupyterapp.commands.execute(command).then(end, end);
            }""",
            command,
        )
        limit = 1000 * seconds
        self.page.wait_for_function("window.runEnded", timeout=limit)
        self.page.wait_for_function(
            f"{PANEL}.sessionContext.session.kernel.status === 'idle'", timeout=limit
        )
        self.page.wait_for_function(
            """() => {
                const all = selector => [...document.querySelectorAll(selector)];
                return all('.jp-OutputArea').every(a => !a.innerText.includes('Loading widget'))
                    && all('.jp-OutputArea img').every(image => image.complete);
            }"""
        )
        self._next_frame()

    def _next_frame(self):
        self.page.evaluate(
            "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        )

    @property
    def cells(self):
        """The cells as the browser has them now, in the form of an .ipynb file."""
        return self.page.evaluate(f"() => {PANEL}.content.model.toJSON().cells")

    def cell(self, index):
        """Locator of a cell, counted from 0, Markdown cells included."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def errors(self):
        """What went wrong, a text for each: exceptions, widgets that could not be shown."""
        found = [f"page: {error}" for error in self.page_errors]
        for index, cell in enumerate(self.cells):
            for output in cell.get("outputs", []):
                if output["output_type"] == "error":
                    found.append(f"cell {index}: {output['ename']}: {output['evalue']}")
            if cell["cell_type"] == "code":
                text = "".join(self.cell(index).locator(".jp-OutputArea").all_inner_texts())
                found += [f"cell {index}: {sign}" for sign in BROKEN_WIDGET if sign in text]
        return found

    def pictures(self):
        """(cell index, "image" or "widget") for each one that can really be seen in the page."""
        found = set()
        for index, cell in enumerate(self.cells):
            areas = self.cell(index).locator(".jp-Cell-outputArea > .jp-OutputArea-child")
            for number, kind in enumerate(map(kind_of_output, cell.get("outputs", []))):
                if kind and self._appears(areas.nth(number), IS_SEEN[kind]):
                    found.add((index, kind))
        return found

    def _appears(self, locator, condition, seconds=10):
        """Whether a condition on an element comes true: a widget's code takes time to load."""
        element = locator.element_handle()
        try:
            self.page.wait_for_function(condition, arg=element, timeout=1000 * seconds)
        except TimeoutError:
            return False
        return True

    def screenshots(self, folder, page_height=1400):
        """Write the notebook from top to bottom as 01.png, 02.png, ...; returns their paths."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.page.evaluate("""() => {
            if (jupyterapp.shell.leftCollapsed === false)
                jupyterapp.commands.execute('application:toggle-left-area');
        }""")
        scroller = self.page.locator(".jp-Notebook .jp-WindowedPanel-outer")
        size = self.page.viewport_size
        visible = scroller.evaluate("element => element.clientHeight")
        height = size["height"] + page_height - visible
        self.page.set_viewport_size({"width": size["width"], "height": height})
        self._next_frame()
        total = scroller.evaluate("element => element.scrollHeight")
        paths = []
        for number, top in enumerate(range(0, total, page_height), start=1):
            scroller.evaluate("(element, top) => { element.scrollTop = top }", top)
            self._next_frame()
            paths.append(folder / f"{number:02}.png")
            scroller.screenshot(path=paths[-1])
        return paths

    def close(self):
        """End the kernel and the page."""
        self.page.evaluate(f"() => {PANEL}.sessionContext.shutdown()")
        self.page.context.close()
