"""The thread governor on simulated machines, busy and quiet, and its word that no bit changes."""

from types import SimpleNamespace

import numpy as np
import pytest

from course.nn import blas, threads
from course.nn.layers import Dense, ReLU, Sequential
from course.nn.recipe import Recipe
from course.nn.rng import SimpleRng
from course.nn.threads import ThreadGovernor
from course.nn.training import Observer

QUIET = {"all": 1.0, "one": 1.5}  # milliseconds a step
BUSY = {"all": 7.0, "one": 1.6}


class Machine:
    """Runs steps under a governor, on a clock of its own."""

    def __init__(self, monkeypatch, same_bits=True, layer=None):
        self.now, self.used = 0.0, "all"
        monkeypatch.setattr(blas, "use_one_thread", self.use_one_thread)
        monkeypatch.setattr(blas, "same_bits_with_one_thread", lambda *size: same_bits)
        monkeypatch.setattr(threads.time, "perf_counter", lambda: self.now)
        self.governor = ThreadGovernor()
        model = Sequential(only=layer or Dense(3, 2, SimpleRng(1)))
        self.trainer = SimpleNamespace(model=model, settings=SimpleNamespace(batch_size=64))
        self.governor.on_begin(self.trainer)

    def use_one_thread(self, only_one):
        self.used = "one" if only_one else "all"

    def run(self, load, epochs=1, batches=900):
        """Train; return which threads each step had."""
        history = []
        for _ in range(epochs):
            self.now += 500.0  # something else: validation, writing files
            for batch in range(1, batches + 1):
                history.append(self.used)
                self.now += load[self.used]
                self.governor.on_batch(batch, batches)
            assert self.used == "all"  # for the validation
        return history


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


def share(history):
    return history.count("one") / len(history)


def test_a_quiet_machine_keeps_all_threads(machine):
    assert share(machine.run(QUIET, epochs=5)) < 0.04  # short trials only
    assert machine.governor.switches == 0


def test_a_machine_that_is_busy_from_the_start_gets_one_thread_at_once(machine):
    history = machine.run(BUSY, epochs=5)
    assert share(history[3 * threads.WINDOW : 900]) > 0.85
    assert share(history) > 0.85


def test_a_machine_that_becomes_busy_gets_one_thread_within_a_few_windows(machine):
    machine.run(QUIET, epochs=5)
    history = machine.run(BUSY)
    assert history.index("one") < 4 * threads.WINDOW
    assert share(history[4 * threads.WINDOW :]) > 0.85


def test_a_machine_that_is_quiet_again_gets_all_threads_back(machine):
    machine.run(BUSY, epochs=2)
    history = machine.run(QUIET, epochs=3)
    assert share(history[20 * threads.WINDOW :]) < 0.1
    assert machine.governor.switches == 2


def test_a_busy_machine_where_one_thread_does_not_help_is_left_alone(machine):
    machine.run(QUIET, epochs=2)
    history = machine.run({"all": 7.0, "one": 7.0}, epochs=5)
    assert share(history) < 0.15  # trials again and again, but more and more seldom
    assert machine.governor.switches == 0


def test_trials_that_fail_become_rare(machine):
    history = machine.run({"all": 1.0, "one": 1.0}, epochs=20)
    trials = sum(a == "all" and b == "one" for a, b in zip(history, history[1:], strict=False))
    assert 2 <= trials <= 40  # of 1,100 windows


def test_short_epochs_are_enough(machine):
    """57 steps, as on the sample: three whole windows in each epoch."""
    assert share(machine.run(BUSY, epochs=20, batches=57)[57:]) > 0.75


@pytest.mark.parametrize("case", ["other bits", "no dense layer"])
def test_nothing_is_done_where_it_could_change_the_result(monkeypatch, case):
    options = {"same_bits": False} if case == "other bits" else {"layer": ReLU()}
    machine = Machine(monkeypatch, **options)
    assert share(machine.run(QUIET) + machine.run(BUSY)) == 0


def test_every_dense_layer_is_asked_for_with_its_sizes(monkeypatch):
    asked = []
    monkeypatch.setattr(
        blas, "same_bits_with_one_thread", lambda *sizes: asked.append(sizes) or True
    )
    rng = SimpleRng(1)
    model = Sequential(a=Dense(7, 5, rng), block=Sequential(b=Dense(5, 3, rng, np.float64)))
    settings = SimpleNamespace(batch_size=16)
    ThreadGovernor().on_begin(SimpleNamespace(model=model, settings=settings))
    assert asked == [(16, 7, 5, np.dtype("f4")), (16, 5, 3, np.dtype("f8"))]


def test_the_first_and_the_last_batch_of_an_epoch_have_all_threads(machine):
    machine.run(BUSY)
    for _ in range(3):
        history = machine.run(BUSY, batches=50)
        assert history[0] == history[-1] == "all" and share(history) > 0.3


# With the real BLAS


class Moody(ThreadGovernor):
    """Changes its mind after every second step."""

    def _judge(self, seconds):
        self.one_thread = not self.one_thread


class Watch(Observer):
    def __init__(self):
        self.seen = set()

    def on_batch(self, batch, batches):
        self.seen.add(blas._one_thread)


def train(governor, x, y, watch):
    """An MLP of the course's size, with a last batch of 13 and a validation of 300."""
    rng = SimpleRng(1)
    model = Sequential(first=Dense(784, 64, rng), relu=ReLU(), last=Dense(64, 10, rng))
    recipe = Recipe(epochs=2, optimizer="momentum", validation_split=300 / len(x))
    trainer = recipe.trainer(model)
    trainer.observers = [governor, watch]
    trainer.fit(x, y)
    return trainer


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    monkeypatch.setattr(threads, "WINDOW", 1)
    random = np.random.default_rng(0)
    count = 64 * 10 + 13 + 300
    x, y = random.random((count, 784), np.float32), random.integers(0, 10, count)
    watch = Watch()
    moody, plain = train(Moody(), x, y, watch), train(Observer(), x, y, Watch())
    if moody.observers[0].allowed:
        assert watch.seen == {False, True}
    for name, w in plain.model.parameters.items():
        assert np.array_equal(moody.model.parameters[name], w), name
    assert [r.train_loss for r in moody.records] == [r.train_loss for r in plain.records]
    assert [r.val_loss for r in moody.records] == [r.val_loss for r in plain.records]


def test_all_threads_are_back_after_training_and_after_an_error():
    class Fails(Observer):
        def on_batch(self, batch, batches):
            blas.use_one_thread(True)
            if batch == 3:
                raise RuntimeError("the disk is full")

    before = [library["num_threads"] for library in blas.libraries()]
    recipe = Recipe(epochs=1, batch_size=10)
    trainer = recipe.trainer(Sequential(only=Dense(4, 3, SimpleRng(1))), [Fails()])
    with pytest.raises(RuntimeError, match="disk"):
        trainer.fit(np.ones((100, 4), np.float32), np.zeros(100, np.int64))
    assert [library["num_threads"] for library in blas.libraries()] == before
