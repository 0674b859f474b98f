"""Say which digits are there and whether they are whole; download the full MNIST."""

from course import commands, download, idx, mnist


def add_arguments(parser):
    commands.add_data_option(parser)
    parser.add_argument("--download", action="store_true", help="fetch full MNIST first")


def run(arguments):
    try:
        if arguments.download:
            print(f"Full MNIST is in {download.fetch(arguments.data)}")
        print(mnist.describe(arguments.data))
        damaged = [row for row in mnist.status(arguments.data) if row.problem]
    except (OSError, idx.IdxError, download.DownloadError) as error:
        raise commands.CommandError(error) from None
    return 1 if damaged else 0
