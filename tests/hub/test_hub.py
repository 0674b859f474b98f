"""The hub of deploy/jupyterhub: a class works there, and two students cannot stop the others."""

import os
import re
import subprocess
import sys

import pytest
from class_session import LESSONS, STUDENTS
from hub import CONFIG, ROOT

from course import records

DEPLOY = ROOT / "deploy" / "jupyterhub"
LIMIT = 2 * 2**30  # bytes, as jupyterhub_config.py has it


def test_nothing_went_wrong(session, hub):
    assert session.problems == {}, f"{session.problems}\n{hub.log.read_text()[-5000:]}"


def test_everybody_read_the_digit_that_they_drew(session):
    assert len(session.digits) == STUDENTS + 1  # and the one who came late
    assert {name: drawn for name, (drawn, _) in session.digits.items()} == {
        name: read for name, (_, read) in session.digits.items()
    }


def test_an_endless_loop_ran_all_the_time_and_was_stopped_by_its_student_alone(session):
    assert set(session.loop_states) == {"busy"} and session.loop_ended_by == "KeyboardInterrupt"


def test_an_array_that_is_too_large_is_an_error_and_its_kernel_goes_on(session):
    assert session.much == ["MemoryError", "1"]
    assert session.costs.memory["greedy"] < LIMIT


def test_limits_hold_in_the_kernels(session):
    limits = f"{{'data': ({LIMIT}, {LIMIT}), 'blas': [1], 'numba': 1}}"
    assert set(session.limits.values()) == {limits}
    assert len(session.limits) == STUDENTS + 1


def test_what_a_student_makes_is_in_the_student_s_home(session, hub):
    for name in session.students:
        done = {path.stem for path in (hub.home(name) / "progress").glob("*.json")}
        assert done == set(LESSONS)
        assert (hub.home(name) / "course" / "mlp.py").is_file()  # where lessons link to
        folders = ("lessons", "drawings", "logs", "models")
        assert session.places[name] == [str(hub.home(name) / folder) for folder in folders]
        assert session.logs[name] == list(records.MODELS)  # those of the course are found as ever
    assert not (hub.home("greedy") / "progress").exists()


def test_lessons_are_laid_without_results(session, hub):
    for name in session.students:
        laid = sorted(path.name for path in (hub.home(name) / "lessons").glob("*.ipynb"))
        assert laid == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
        assert '"output_type"' not in (hub.home(name) / "lessons" / laid[0]).read_text("utf-8")


def test_what_nobody_uses_is_shut_down(hub, session):
    assert "GET /hub/api/users?state=[secret] (idle-culler@" in hub.log.read_text()


def test_the_trial_asks_for_a_password(tmp_path):
    command = [sys.executable, "-m", "jupyterhub", "--config", str(CONFIG)]
    environment = os.environ | {"COURSE_HUB_PASSWORD": "short"}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert run.returncode != 0
    assert "Set COURSE_HUB_PASSWORD, to at least eight characters." in run.stderr
    assert "Traceback" not in run.stderr


def test_a_student_s_server_starts_without_lessons_but_not_without_its_limit(tmp_path):
    """A limit that cannot be set is an error; a folder that cannot be written is a sentence."""
    (tmp_path / "lessons").write_text("in the way")
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "python").symlink_to(sys.executable)
    (fake / "jupyterhub-singleuser").write_text(
        "#!/bin/sh\nulimit -d\necho $COURSE_MODELS_DIR $1\n"
    )
    (fake / "jupyterhub-singleuser").chmod(0o755)
    command = ["/bin/sh", str(DEPLOY / "student.sh"), str(fake / "python"), "argument"]

    def start(limit):
        environment = os.environ | {"HOME": str(tmp_path), "MEM_LIMIT": limit}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    run = start(str(LIMIT))
    assert run.stdout.split() == [str(LIMIT // 1024), f"{tmp_path}/models", "argument"], run.stderr
    assert "The lessons could not be laid or renewed." in run.stderr
    assert start("a lot").returncode != 0


def settings(block):
    """Pairs (class, setting) of a block of configuration."""
    return re.findall(r"^ *c\.(\w+)\.(\w+) =", block, re.MULTILINE)


@pytest.mark.parametrize("path", ["README.md", "jupyterhub_config.py", "trial_config.py"])
def test_settings_are_those_that_the_packages_have(path):
    """Traitlets takes a setting that nobody knows without a word."""
    import jupyterhub.app
    import jupyterhub.auth
    import jupyterhub.authenticators.shared
    import jupyterhub.proxy
    import jupyterhub.spawner
    import nativeauthenticator
    import systemdspawner

    places = (
        jupyterhub.app,
        jupyterhub.auth,
        jupyterhub.authenticators.shared,
        jupyterhub.proxy,
        jupyterhub.spawner,
        nativeauthenticator,
        systemdspawner,
    )
    found = settings((DEPLOY / path).read_text("utf-8"))
    assert found
    for name, setting in found:
        (owner,) = {getattr(place, name) for place in places if hasattr(place, name)}
        assert owner.class_traits(config=True).get(setting), f"{name}.{setting}"


def test_versions_go_with_those_of_the_course():
    def pinned(path):
        return dict(re.findall(r"^([\w.-]+)==([\w.]+)", path.read_text("utf-8"), re.MULTILINE))

    course, hub = pinned(ROOT / "requirements.lock"), pinned(DEPLOY / "requirements.lock")
    both = course.keys() & hub.keys()
    assert both and {name: course[name] for name in both} == {name: hub[name] for name in both}
