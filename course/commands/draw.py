"""Draw a digit in the browser and watch the networks read it: the canvas of lesson 06 by itself."""

import contextlib
import json
import os
import secrets
import signal
import tempfile
from pathlib import Path

from course import commands
from course.commands.recognize import load_own
from course.models import pretrained
from course.nn import classes

NOTEBOOK = "draw.ipynb"
CODE = """from course.models import pretrained
from course.recognizer.widget import Recognizer

Recognizer({models}, class_names={class_names})
"""
# of the notebook's toolbar; "restart and run all" stays, it brings a dead page back to life
UNUSED = ["save", "insert", "cut", "copy", "paste", "run", "interrupt", "restart", "cellType"]
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"},
    "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
    "@jupyterlab/statusbar-extension:plugin": {"visible": False},
    "@jupyterlab/notebook-extension:panel": {
        "toolbar": [{"name": name, "disabled": True} for name in UNUSED]
    },
}
STARTING = 120  # seconds that a kernel may take, on a busy machine


def add_arguments(parser):
    parser.add_argument(
        "--model",
        metavar="FILE",
        action="append",
        default=[],
        help="what `train` wrote, in place of the model of its kind that comes with the course",
    )
    parser.add_argument(
        "--classes",
        metavar="NAME",
        nargs="+",
        help="draw and save pictures of these instead of digits (then see `collect`)",
    )
    parser.add_argument(
        "--port",
        type=commands.whole_number(1024, 65535),
        metavar="N",
        default=8888,
        help="where to serve, or the next free one",
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address only")


def run(arguments):
    code = CODE.format(**chosen(arguments.model, arguments.classes))
    when_asked_to_end(signal.default_int_handler)  # it raises KeyboardInterrupt
    with tempfile.TemporaryDirectory(prefix="course-draw-", ignore_cleanup_errors=True) as home:
        prepare_environment(Path(home))
        serve(Path(home, "notebooks"), code, arguments.port, not arguments.no_browser)


def when_asked_to_end(handler):
    """Call `handler` at Ctrl-C, at a polite kill, and when the terminal is closed."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), handler)


def chosen(paths, names):
    """The fields of CODE; the learner's models are looked at before anything is started.

    Those of digits join the models of the course; where one tells other classes apart, the page is
    about these.
    """
    names = classes.checked(names) if names else None
    files, told = {}, set()
    for path in paths:
        name, model = load_own(path)
        files[name] = os.path.abspath(path)
        told |= {model.class_names} - {None, classes.DIGITS}
    if len(told | ({names} if names else set())) > 1:
        raise commands.UsageError("one page draws for one set of classes: name models of the same")
    with_digits = not told and names is None
    models = f"pretrained.load_all() | {files}" if with_digits else repr(files)
    return {"models": models, "class_names": names}


def prepare_environment(home):
    """Let Jupyter keep everything in the folder `home`, and read nobody's settings."""
    kept = ["CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"]
    os.environ |= {f"JUPYTER_{name}": str(home / name.lower()) for name in kept}
    os.environ |= {
        f"JUPYTERLAB_{name}_DIR": str(home / name.lower()) for name in ("SETTINGS", "WORKSPACES")
    }
    os.environ["IPYTHONDIR"] = str(home / "ipython")
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    # the kernel has another working folder
    paths = [str(pretrained.HERE.parents[2]), os.environ.get("PYTHONPATH")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    for variable in ("COURSE_DATA_DIR", "COURSE_MODELS_DIR"):
        if folder := os.environ.get(variable):
            os.environ[variable] = os.path.abspath(os.path.expanduser(folder))
    files = {
        "config_dir/labconfig/default_setting_overrides.json": SETTINGS,
        "ipython/profile_default/ipython_kernel_config.json": {"IPKernelApp": {"log_level": 40}},
    }
    for name, content in files.items():
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text(json.dumps(content))


def serve(folder, code, port, open_browser):
    """Run JupyterLab on a notebook that consists of `code`, until Ctrl-C.

    JupyterLab is there anyway and shows a single document under /doc. The notebook is run before
    the browser opens: a page that finds a running kernel shows the widgets that live in it. Voila
    is made for such pages, but it would be one more server to install and keep up with.
    """
    from jupyterlab.labapp import LabApp  # here, because it takes long to import

    folder.mkdir()
    token = secrets.token_hex(24)  # whoever has it may run programs here
    server = LabApp.initialize_server(
        [
            f"--ServerApp.root_dir={folder}",
            f"--ServerApp.port={port}",
            f"--LabApp.default_url=/doc/tree/{NOTEBOOK}",
            f"--IdentityProvider.token={token}",
            "--ServerApp.open_browser=False",  # not yet
            "--ServerApp.allow_root=True",
            "--ServerApp.log_level=ERROR",
            "--LabApp.log_level=ERROR",
        ]
    )
    when_asked_to_end(lambda *_: server.stop(from_signal=True))
    failures = []

    async def begin():
        try:
            await run_notebook(server, code)
        except Exception as error:
            failures.append(error)
            server.stop()
            return
        url = f"{server.connection_url}doc/tree/{NOTEBOOK}?token={token}"
        print(f"Draw here: {url}\nCtrl-C ends it.", flush=True)
        if open_browser:
            server.launch_browser()

    server.io_loop.add_callback(begin)
    server.start()
    if failures:
        raise commands.CommandError(f"the notebook's kernel did not start: {failures[0]}")


async def run_notebook(server, code):
    """Start the notebook's kernel, run the code in it, and save notebook and outputs."""
    from nbformat import v4

    session = await server.session_manager.create_session(
        path=NOTEBOOK, name=NOTEBOOK, type="notebook", kernel_name="python3"
    )
    client = server.kernel_manager.get_kernel(session["kernel"]["id"]).client()
    outputs = []

    def collect(message):
        with contextlib.suppress(ValueError):  # of a kind that is no output
            outputs.append(v4.output_from_msg(message))

    client.start_channels()
    try:
        await client.wait_for_ready(timeout=STARTING)
        await client.execute_interactive(code, output_hook=collect, timeout=STARTING)
    finally:
        client.stop_channels()
    hidden = {"jupyter": {"source_hidden": True}, "trusted": True}
    cell = v4.new_code_cell(code.strip(), metadata=hidden, outputs=outputs, execution_count=1)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
    await server.contents_manager.save(
        {"type": "notebook", "format": "json", "content": notebook}, NOTEBOOK
    )
