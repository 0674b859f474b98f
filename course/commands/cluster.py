"""Start the scheduler of a cluster, or workers of one, for `sweep --scheduler`.

Whoever reaches a scheduler or a worker can run code as you, so both listen on this machine alone
unless --host says otherwise. docs/cluster.md has several machines, and encryption.
"""

import ipaddress
import sys

from course import commands
from course.nn import shares
from course.sweep import MISSING

SCHEDULER_PORT, DASHBOARD_PORT = 8786, 8787
HERE_ONLY = "127.0.0.1"


def add_arguments(parser):
    parts = parser.add_subparsers(dest="part", required=True, metavar="scheduler|worker")
    part = parts.add_parser("scheduler", help="gives the runs to workers", description=__doc__)
    add_host_option(part)
    port = commands.whole_number(1, 65535)
    part.add_argument("--port", type=port, default=SCHEDULER_PORT, metavar="N")
    part.add_argument(
        "--dashboard-port",
        type=port,
        metavar="N",
        default=DASHBOARD_PORT,
        help="of its page, on this machine alone",
    )
    part.set_defaults(start=start_scheduler)
    part = parts.add_parser("worker", help="does runs, one a core", description=__doc__)
    part.add_argument("scheduler", type=commands.scheduler, metavar="tcp://HOST:PORT")
    add_host_option(part)
    part.add_argument(
        "--processes",
        type=commands.positive_int,
        metavar="N",
        default=shares.CORES,
        help="runs at a time (default: one for each core)",
    )
    part.set_defaults(start=start_worker)


def add_host_option(parser):
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default=HERE_ONLY,
        help="to listen on: of this machine in its network, tls://... (default: %(default)s)",
    )


def run(arguments):
    if not arguments.host.startswith("tls://") and not is_here_only(arguments.host):
        print(
            f"Note: without TLS, whoever reaches {arguments.host} can run code as you.",
            file=sys.stderr,
        )
    try:
        arguments.start(arguments)
    except ModuleNotFoundError:
        raise commands.CommandError(MISSING) from None
    except (RuntimeError, ValueError) as error:  # an address that is none, or certificates missing
        raise commands.CommandError(error) from None


def is_here_only(host):
    """Whether nobody on another machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def start_scheduler(arguments):
    """Run Dask's scheduler until it is stopped."""
    from distributed.cli import dask_scheduler

    dask_scheduler.main(
        [
            *("--host", arguments.host, "--port", str(arguments.port)),
            *("--dashboard-address", f"{HERE_ONLY}:{arguments.dashboard_port}"),
        ],
        standalone_mode=False,
    )


def start_worker(arguments):
    """Run Dask's workers, each a process with one thread, until they are stopped."""
    from distributed.cli import dask_worker

    dask_worker.main(
        [
            *(arguments.scheduler, "--host", arguments.host),
            *("--nworkers", str(arguments.processes), "--nthreads", "1"),
            *("--dashboard-address", f"{HERE_ONLY}:0"),
        ],
        standalone_mode=False,
    )
