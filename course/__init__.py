"""Neural networks by hand: the package that the notebooks of the course import.

One lesson, one module: `course.idx` and `course.mnist` (01), `course.mlp` (02), `course.cnn` (03),
`course.attention` (04), `course.xor` (05), `course.recognizer` (06), `course.records` and
`course.plots` (07). What the lessons share lies in `course.nn`.
"""

__version__ = "0.1.0"
