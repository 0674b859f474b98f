"""A sweep on a cluster: a scheduler and workers as processes of this machine, some of them killed.

Needs the packages of `.[cluster]`, and pandas for its own test.
"""

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas
import psutil
import pytest

from course.sweep import table

pytestmark = pytest.mark.usefixtures("elsewhere")
# 60 short runs, of which those with the largest rate diverge.
SWEEP = [
    *("sweep", "mlp", "--epochs", 1, "--optimizer", "sgd", "momentum", "adam"),
    *("--learning-rate", 0.001, 0.01, 0.1, 1e20, "--seeds", "1-5"),
]
RUNS = 60
DOCS = Path(__file__).parents[2] / "docs" / "cluster.md"
MINUTES = 5  # to wait for anything, on a busy machine


class Cluster:
    """A scheduler on a port of its own, and workers, each a command of its own."""

    def __init__(self):
        self.port, self.dashboard = free_port(), free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.scheduler = None
        self.processes = []

    def start_scheduler(self, *options):
        ports = ("--port", self.port, "--dashboard-port", self.dashboard)
        self.scheduler = self.start("cluster", "scheduler", *ports, *options)
        wait_until(lambda: is_listening(self.port), "the scheduler listens")

    def start_worker(self, *options):
        return self.start("cluster", "worker", self.address, "--processes", 1, *options)

    def start(self, *arguments):
        self.processes.append(start(*arguments, stderr=subprocess.DEVNULL))
        return self.processes[-1]

    def stop(self):
        for process in self.processes:
            kill(process)


@pytest.fixture
def cluster():
    made = Cluster()
    made.start_scheduler()
    yield made
    made.stop()


def start(*arguments, **options):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-m", "course", *map(str, arguments)]
    return subprocess.Popen(command, **pipes | options)


def kill(process):
    """Kill a process and all that it has started, with -9."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [process, *psutil.Process(process.pid).children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGKILL)
    process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_listening(port):
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def wait_until(happened, what):
    deadline = time.monotonic() + 60 * MINUTES
    while not happened():
        assert time.monotonic() < deadline, f"waited {MINUTES} minutes until {what}"
        time.sleep(0.05)


def finished(path="sweep.csv"):
    if not os.path.exists(path):
        return 0
    with open(path) as lines:
        return sum(line.startswith("mlp,") for line in lines)


def finish(process):
    """Wait for a sweep; returns its exit code, its lines, and stderr."""
    out, err = process.communicate(timeout=60 * MINUTES)
    assert "Traceback" not in err, err
    return process.returncode, out.splitlines(), err


def without_seconds(path):
    """The lines of runs, sorted, without the time that each took."""
    column = table.COLUMNS.index("seconds")
    rows = [line.rstrip().split(",") for line in open(path) if line.startswith("mlp,")]
    return sorted(row[:column] + row[column + 1 :] for row in rows)


def serial():
    """The lines of the same runs, done one after the other here."""
    code, _, err = finish(start(*SWEEP, "--out", "serial.csv", "--processes", 1))
    assert code == 0, err
    return without_seconds("serial.csv")


def test_a_worker_that_is_killed_costs_nothing_but_time(cluster):
    workers = [cluster.start_worker(), cluster.start_worker()]
    sweep = start(*SWEEP, "--out", "sweep.csv", "--scheduler", cluster.address)
    wait_until(lambda: finished() >= 10, "ten runs are done")
    kill(workers[0])
    assert finished() < RUNS
    code, lines, err = finish(sweep)
    assert code == 0, err
    assert len(table.read("sweep.csv")) == RUNS == finished()
    assert "60 runs: 45 finished, 15 diverged" in lines[-12]
    assert without_seconds("sweep.csv") == serial()


def test_a_scheduler_that_is_lost_costs_no_finished_run(cluster):
    cluster.start_worker(), cluster.start_worker()
    sweep = start(*SWEEP, "--out", "sweep.csv", "--scheduler", cluster.address)
    wait_until(lambda: finished() >= 5, "five runs are done")
    kill(cluster.scheduler)
    code, _, err = finish(sweep)
    assert code == 1 and "the scheduler was lost; the same command goes on" in err
    before = finished()
    assert 5 <= before < RUNS

    cluster.stop()
    cluster.start_scheduler()
    sweep = start(*SWEEP, "--out", "sweep.csv", "--scheduler", cluster.address)
    cluster.start_worker(), cluster.start_worker()  # they may come late
    code, lines, err = finish(sweep)
    assert code == 0, err
    assert lines[1] == f"{before} of {RUNS} runs are done already"
    assert without_seconds("sweep.csv") == serial()


def test_a_sweep_that_is_killed_goes_on_and_leaves_the_cluster_to_the_next(cluster):
    cluster.start_worker(), cluster.start_worker()
    command = [*SWEEP, "--out", "sweep.csv", "--scheduler", cluster.address]
    sweep = start(*command)
    wait_until(lambda: finished() >= 5, "five runs are done")
    kill(sweep)
    before = finished()
    code, lines, err = finish(start(*command))
    assert code == 0, err
    assert lines[1] == f"{before} of {RUNS} runs are done already"
    assert without_seconds("sweep.csv") == serial()


def test_nothing_listens_to_other_machines(cluster):
    worker = cluster.start_worker()
    command = [*SWEEP, "--seeds", 1, "--out", "sweep.csv", "--scheduler", cluster.address]
    assert finish(start(*command))[0] == 0
    listening = set()
    for root in (cluster.scheduler, worker):
        for member in [psutil.Process(root.pid), *psutil.Process(root.pid).children(True)]:
            listening |= {
                (connection.laddr.ip, connection.laddr.port)
                for connection in member.net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN
            }
    assert {("127.0.0.1", cluster.port), ("127.0.0.1", cluster.dashboard)} <= listening
    assert len(listening) >= 5  # the worker, who watches over it, and its page
    assert {address for address, _ in listening} == {"127.0.0.1"}


def test_without_a_scheduler_it_is_one_sentence():
    code, _, err = finish(start(*SWEEP, "--scheduler", f"tcp://127.0.0.1:{free_port()}"))
    assert code == 1 and len(err.splitlines()) == 1 and "no scheduler can be reached there" in err


@pytest.mark.parametrize("host, is_told", [("127.0.0.2", False), ("0.0.0.0", True)])
def test_an_open_port_is_told(host, is_told):
    ports = ("--port", free_port(), "--dashboard-port", free_port())
    scheduler = start("cluster", "scheduler", "--host", host, *ports)
    try:
        wait_until(lambda: is_listening_at(host, ports[1]), "the scheduler listens")
    finally:
        kill(scheduler)
    assert ("can run code as you" in scheduler.stderr.read()) == is_told


def is_listening_at(host, port):
    with socket.socket() as caller:
        return caller.connect_ex((host, port)) == 0


def settings_of_the_docs(folder):
    """Write to `folder` the settings in docs/cluster.md, and a certificate made as it says."""
    text = DOCS.read_text(encoding="utf-8")
    (command,) = re.findall(r"^ {4}(openssl .+)$", text, re.MULTILINE)
    subprocess.run(shlex.split(command), cwd=folder, check=True, capture_output=True)
    (block,) = re.findall(r"<!-- course\.yaml -->\n\n((?: {4}.+\n)+)", text)
    block = re.sub("(?m)^ {4}", "", block).replace("/home/me", str(folder))
    (folder / "course.yaml").write_text(block, encoding="utf-8")


def test_with_tls_only_those_with_the_key_are_let_in(tmp_path, monkeypatch):
    folder = tmp_path / "dask"
    folder.mkdir()
    settings_of_the_docs(folder)
    strangers = tmp_path / "strangers"
    strangers.mkdir()
    settings_of_the_docs(strangers)  # another key
    command = [*SWEEP, "--seeds", 1, "--out", "sweep.csv", "--scheduler"]
    cluster = Cluster()
    cluster.address = cluster.address.replace("tcp", "tls")
    try:
        monkeypatch.setenv("DASK_CONFIG", str(folder))
        cluster.start_scheduler("--host", "tls://127.0.0.1")
        cluster.start_worker("--host", "tls://127.0.0.1")
        code, _, err = finish(start(*command, cluster.address))
        assert code == 0, err
        monkeypatch.setenv("DASK_CONFIG", str(strangers))
        for address in (cluster.address, cluster.address.replace("tls", "tcp")):
            code, _, err = finish(start(*command, address, "--learning-rate", 0.05))
            assert code == 1 and "no scheduler can be reached there" in err
        monkeypatch.delenv("DASK_CONFIG")
        for address in (cluster.address, cluster.address.replace("tls", "tcp")):  # no key at all
            code, _, err = finish(start(*command, address, "--learning-rate", 0.05))
            assert code == 1 and "no scheduler can be reached there" in err
    finally:
        cluster.stop()
    assert finished() == 12


def test_pandas_reads_the_file():
    command = [*SWEEP, "--seeds", 1, "--out", "sweep.csv", "--processes", 1]
    assert finish(start(*command))[0] == 0
    frame, sweep = pandas.read_csv("sweep.csv", comment="#"), table.read("sweep.csv")
    assert list(frame.columns) == list(table.COLUMNS) and len(frame) == len(sweep) == 12
    assert frame.learning_rate.tolist() == sweep["learning_rate"].tolist()
    good = frame[frame.outcome == "finished"]
    assert (
        good.val_accuracy.tolist()
        == sweep.take(sweep["outcome"] == "finished")["val_accuracy"].tolist()
    )
    assert all(re.fullmatch(r"0\.\d+", str(curve)) for curve in good.curve)
