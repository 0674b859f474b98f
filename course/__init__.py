"""Neural networks by hand: the package that the notebooks of the course import.

One lesson, one module: `course.idx` and `course.mnist` (01), `course.mlp` (02), `course.cnn` (03),
`course.attention` (04), `course.xor` (05), `course.recognizer` (06), `course.records` (07). What
the lessons share lies in `nn`, `plots`, `exercises` and `widgets`; what carries them in `models`,
`commands`, `benchmark`, `interchange` and `download`.
"""

__version__ = "1.0.0"
