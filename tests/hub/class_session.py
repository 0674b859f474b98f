"""A class at a hub, all at the same time: most work, one loops for ever, one wants too much."""

import asyncio
import os
import time
from dataclasses import dataclass, field

from hub import Costs, Hub
from student import LONGEST_CELL, CellError, NotWorkingError, Student

STUDENTS = int(os.environ.get("COURSE_HUB_STUDENTS", "3"))
LESSONS = ("00-start-here", "02-mlp")
TOO_MUCH = "import numpy as np\nmuch = np.ones(4 * 2**30 // 8)"  # 4 GiB, each page of it written
LIMITS = """
import os, resource
import numba, threadpoolctl
_limits = {
    "data": resource.getrlimit(resource.RLIMIT_DATA),
    "blas": sorted({pool["num_threads"] for pool in threadpoolctl.threadpool_info()}),
    "numba": numba.get_num_threads(),
}
"""
PLACES = """
from course import luggage, mnist, records
from course.models import shelf
_places = [
    luggage.lessons_folder(),
    mnist.drawings_directory(),
    records.own_logs_folder(),
    shelf.directory(),
]
_logs = list(records.reference_logs())
"""
LOOK_EVERY = 2  # seconds


@dataclass
class Session:
    """What became of a class.

    `students` is name -> Student for those that work through the lessons, `digits` what each drew
    and what was read, and `problems` what went wrong, name -> text, for them and for the others.
    """

    began: float = field(default_factory=time.monotonic)
    load: float = field(default_factory=lambda: os.getloadavg()[0])
    students: dict = field(default_factory=dict)
    digits: dict = field(default_factory=dict)
    problems: dict = field(default_factory=dict)
    limits: dict = field(default_factory=dict)
    places: dict = field(default_factory=dict)  # name -> where what they make will lie
    logs: dict = field(default_factory=dict)  # name -> which logs of the course they find
    much: list = field(default_factory=list)  # what came of the array, and of a cell after it
    loop_states: list = field(default_factory=list)  # what the loop's kernel did, now and then
    loop_ended_by: str = ""
    seconds: float = 0

    def __call__(self, hub: Hub, count):
        """Hold the class: `count` students, three more, and nobody waits for another."""
        self.costs = Costs(hub)
        asyncio.run(self._hold(hub, count))
        self.seconds = time.monotonic() - self.began
        return self

    async def _hold(self, hub, count):
        over, disturbed = asyncio.Event(), asyncio.Barrier(3)
        watching = asyncio.create_task(self._watch())

        def part(name, play, *arguments):
            return self._play(Student(hub.address, name, hub.password), play, *arguments)

        try:
            looping = asyncio.create_task(part("looping", self._loop, disturbed, over))
            working = [part(f"student-{n:02}", self._work, n % 10) for n in range(1, count + 1)]
            working.append(part("greedy", self._want_much, disturbed))
            working.append(part("late", self._come_late, disturbed))
            await asyncio.gather(*working)
            over.set()
            await looping
        finally:
            watching.cancel()

    async def _watch(self):
        while True:
            await asyncio.to_thread(self.costs.look)
            await asyncio.sleep(LOOK_EVERY)

    async def _play(self, student, play, *arguments):
        """One student's part; whatever goes wrong is that student's problem."""
        async with student:
            try:
                await play(student, *arguments)
            except Exception as error:
                self.problems[student.name] = f"{type(error).__name__}: {error}"
                for argument in arguments:
                    if isinstance(argument, asyncio.Barrier):
                        await argument.abort()  # nobody has to wait for this one

    async def _work(self, student, label):
        self.students[student.name] = student
        with student.timed("all"):
            with student.timed("log in"):
                await student.log_in(LESSONS[0])
            for lesson in LESSONS:
                kernel = await student.run_all(lesson)
            with student.timed("digit"):
                self.digits[student.name] = label, await kernel.read_a_digit(label)
        self.limits[student.name] = (await kernel.run(LIMITS, {"limits": "_limits"}))["limits"]
        expressions = {"places": "':'.join(map(str, _places))", "logs": "':'.join(_logs)"}
        found = await kernel.run(PLACES, expressions)
        self.places[student.name] = found["places"].strip("'").split(":")
        self.logs[student.name] = found["logs"].strip("'").split(":")

    async def _come_late(self, student, disturbed):
        """Begin when the loop runs and the array was asked for."""
        await disturbed.wait()
        await self._work(student, 5)

    async def _want_much(self, student, disturbed):
        await student.log_in(LESSONS[0])
        kernel = await student.open(LESSONS[0])
        try:
            await kernel.run(TOO_MUCH)
            self.much.append("got it")
        except CellError as error:
            self.much.append(error.name)
        self.much.append((await kernel.run("one = 1", {"one": "one"}))["one"])
        await disturbed.wait()

    async def _loop(self, student, disturbed, over):
        await student.log_in(LESSONS[0])
        kernel = await student.open(LESSONS[0])
        await kernel.run("begun = True")
        message = await kernel.send("while True:\n    pass")
        async with asyncio.timeout(LONGEST_CELL):
            while await kernel.state() != "busy":  # it was sent, but has not begun
                await asyncio.sleep(0.1)
        await disturbed.wait()
        while not over.is_set():
            self.loop_states.append(await kernel.state())
            await asyncio.wait([asyncio.ensure_future(over.wait())], timeout=10)
        self.loop_states.append(await kernel.state())
        await kernel.interrupt()
        try:
            await kernel.result(message)
        except CellError as error:
            self.loop_ended_by = error.name
        if (await kernel.run("pass", {"begun": "begun"}))["begun"] != "True":
            raise NotWorkingError("the kernel of the loop has forgotten what was before it")

    def table(self):
        """Lines of text: what each student waited for and took, and what all of them did."""
        columns = ["log in", *(f"first cell of {lesson}" for lesson in LESSONS), *LESSONS]
        columns += ["digit", "all"]
        heads = ["student", "log in", "first cell 00", "first cell 02", "all of 00", "all of 02"]
        heads += ["a digit", "in all", "memory MB", "processor s"]
        lines = [heads, ["---", *["---:"] * (len(heads) - 1)]]
        for name in sorted(self.students):
            seconds = self.students[name].seconds
            row = [f"{seconds[c]:.1f}" if c in seconds else "failed" for c in columns]
            lines.append([name, *row, f"{self.costs.memory[name] / 1e6:.0f}",
                          f"{self.costs.seconds(name):.0f}"])  # fmt: skip
        for name in ("looping", "greedy", "hub"):
            lines.append([name, *[""] * len(columns), f"{self.costs.memory[name] / 1e6:.0f}",
                          f"{self.costs.seconds(name):.0f}"])  # fmt: skip
        return "\n".join(
            [
                *(f"| {' | '.join(line)} |" for line in lines),
                "",
                f"{len(self.students) + 2} servers on {os.cpu_count()} cores, "
                f"{self.seconds:.0f} seconds from the first login to the last digit; "
                f"at most {self.costs.most_memory / 1e9:.1f} GB in all. "
                f"Load of the machine before: {self.load:.1f}.",
            ]
        )
