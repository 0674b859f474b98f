"""Put all of your work into one zip: records of lessons, drawings, networks, changed lessons.

`python -m course unpack FILE` brings it back, on this machine or another, or in the browser.
"""

from course import commands


def add_arguments(parser):
    parser.add_argument("file", metavar="FILE", help="the zip to write, such as my-work.zip")


def run(arguments):
    from course import luggage  # here, because Numba takes long to import

    commands.check_files([("the zip", arguments.file)], [])
    names = luggage.pack(arguments.file)
    print(f"{arguments.file} has {luggage.in_words(names)}")
