"""Say which digits are there and whether they are whole; download the full MNIST."""

from course import commands, download, mnist
from course.nn import classes


def add_arguments(parser):
    commands.add_data_option(parser)
    parser.add_argument("--download", action="store_true", help="fetch full MNIST first")


def run(arguments):
    if arguments.download:
        print(f"Full MNIST is in {download.fetch(arguments.data)}")
    print(mnist.describe(arguments.data))
    if classes.read(mnist.find_directory(arguments.data)) not in (None, classes.DIGITS):
        return 0  # whole, or they could not be described; there are no hashes to compare
    return 1 if any(row.problem for row in mnist.status(arguments.data)) else 0
