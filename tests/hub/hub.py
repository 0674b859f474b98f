"""The hub of deploy/jupyterhub, as its trial, in an empty folder; and what its processes cost."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "deploy" / "jupyterhub" / "trial_config.py"
LONGEST_START = 120  # seconds
# What would change where a student's files are.
PERSONAL = ("COURSE_", "JUPYTER", "IPYTHON", "MPL", "NUMBA_", "OPENBLAS_", "OMP_")


class HubError(Exception):
    """The hub does not start; says what it wrote."""


class Hub:
    """Context manager: a running hub, on ports that are free, in the empty folder `folder`.

    `address` is that of its proxy, and `password` the one that all students log in with.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.log = self.folder / "log.txt"
        self.password = secrets.token_hex(8)

    def __enter__(self):
        port, hub_port, proxy_port = free_ports(3)
        self.address = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "jupyterhub", "--config", str(CONFIG)]
        command += [f"--JupyterHub.bind_url={self.address}", f"--JupyterHub.hub_port={hub_port}"]
        command += [f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy_port}"]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(PERSONAL)}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=kept | {"COURSE_HUB_PASSWORD": self.password},
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
        started = everything_below(self.process.pid)
        self.process.terminate()  # it ends its proxy and its servers first, and those their kernels
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(120)
        for process in psutil.wait_procs(started, timeout=10)[1]:  # those that are still there
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    def _wait_until_it_answers(self):
        give_up = time.monotonic() + LONGEST_START
        while time.monotonic() < give_up and self.process.poll() is None:
            with suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.address}/hub/api/", timeout=5).close()
                return
            time.sleep(0.2)
        raise HubError(f"the hub does not answer. It wrote:\n{self.log.read_text()}")

    def home(self, student):
        """The home folder of a student."""
        return self.folder / "students" / student


def free_ports(count):
    """So many ports that nobody uses at this moment."""
    with ExitStack() as sockets:
        found = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


def everything_below(pid):
    """The process with this number and all that it has started."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


class Costs:
    """What the processes of each student take, as long as `look` is called now and then.

    "hub" is what is nobody's: the hub, its proxy and its services. Memory is the proportional set
    size in bytes, in which a page that several processes share counts once in all.

    Attributes:
        memory: the largest sum over a student's processes, student -> bytes.
        data: the largest private memory that one of a student's processes had asked for, which is
            what the limit is about, student -> bytes.
        most_memory: the largest sum over all processes of the hub.
    """

    def __init__(self, hub):
        self.hub = hub
        self.memory, self.data = defaultdict(int), defaultdict(int)
        self.most_memory = 0
        self._seconds = defaultdict(dict)  # student -> process and its start -> processor seconds
        self._owners = {}

    def look(self):
        memory = defaultdict(int)
        for process in everything_below(self.hub.process.pid):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):  # it has just ended
                owner = self._owner(process)
                memory[owner] += process.memory_full_info().pss
                self.data[owner] = max(self.data[owner], process.memory_info().data)
                times = process.cpu_times()
                key = process.pid, process.create_time()
                self._seconds[owner][key] = times.user + times.system
        for owner, size in memory.items():
            self.memory[owner] = max(self.memory[owner], size)
        self.most_memory = max(self.most_memory, sum(memory.values()))

    def _owner(self, process):
        """Whose process it is. Servers know it, and what they start inherits it."""
        key = process.pid, process.create_time()
        if key not in self._owners or self._owners[key] == "hub":  # it may not have begun yet
            self._owners[key] = process.environ().get("JUPYTERHUB_USER") or "hub"
        return self._owners[key]

    def seconds(self, owner):
        """Processor seconds of all of a student's processes so far."""
        return sum(self._seconds[owner].values())
