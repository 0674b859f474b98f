"""Bring back your work from a zip of `python -m course pack`. What it would replace is kept."""


def add_arguments(parser):
    parser.add_argument("file", metavar="FILE", help="the zip to read")


def run(arguments):
    from course import luggage  # here, because Numba takes long to import

    print(luggage.unpack(arguments.file))
