"""The runs of a sweep on the machines of a `dask.distributed` cluster; docs/cluster.md says how.

A worker that dies costs the run that it was doing, which the scheduler gives to another one.
"""

import contextlib
import logging
import zlib
from concurrent.futures import CancelledError

import numpy as np

from course.sweep import MISSING, SweepError
from course.sweep.running import run

PATIENCE = 10  # seconds to wait for a scheduler that does not answer

try:
    import distributed
    from distributed.scheduler import KilledWorker
except ImportError:
    raise SweepError(MISSING) from None


class SamplesPlugin(distributed.WorkerPlugin):
    """Brings the samples to each worker, once, also to those that join later.

    Its name tells other samples apart, for two sweeps may share the workers.
    """

    def __init__(self, samples):
        self.samples = samples
        sums = (zlib.crc32(np.ascontiguousarray(array)) for array in samples.arrays)
        self.name = "course-samples-" + "-".join(f"{number:08x}" for number in sums)


def on_cluster(runs, samples, address, warn):
    """Do the runs on the workers of the scheduler at `address`; an engine, see `engines`.

    `warn` is told of what slows the sweep down. Raises SweepError if the scheduler does not answer
    or is lost, or if a run kills its workers; what has been yielded until then is done.
    """
    with connected(address) as client:
        plugin = SamplesPlugin(samples)
        look_at_workers(client, warn)
        send(client, plugin, address)
        runs = {f"{plugin.name}-{client.id}-{place}": one for place, one in enumerate(runs)}
        futures = [
            client.submit(run_there, plugin.name, *one, key=key, pure=False)
            for key, one in runs.items()
        ]
        done = distributed.as_completed(futures, loop=client.loop)
        del futures  # so that the scheduler forgets a result that has been read
        for future in done:
            yield *runs[future.key], result_of(future, address)


def send(client, plugin, address):
    """Send the samples to the workers."""
    try:
        client.register_plugin(plugin)
    except Exception as error:  # whatever happened on a worker comes back as it was
        raise SweepError(
            f"{address}: a worker cannot take the samples; it needs this version of the course "
            f"({error})"
        ) from None


def run_there(name, settings, seed):
    """One run, on the worker that this is called on, with the samples of the plugin `name`."""
    return run(settings, seed, distributed.get_worker().plugins[name].samples)


def result_of(future, address):
    """What came of a run; SweepError says why nothing did."""
    try:
        return future.result()
    except (CancelledError, OSError):  # OSError: the connection was closed meanwhile
        raise SweepError(f"{address}: the scheduler was lost; the same command goes on") from None
    except KilledWorker:
        raise SweepError(
            f"{address}: the workers that tried a run died one after the other, perhaps because "
            "their memory ran out"
        ) from None


@contextlib.contextmanager
def connected(address):
    """A client of the scheduler at `address`. Certificates for TLS are those of Dask's settings."""
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what fails is told below
    unreachable = f"{address}: no scheduler can be reached there"
    try:
        ours = distributed.Security().get_connection_args("client")
        if address.startswith("tls://") and not ours.get("ssl_context"):
            raise SweepError(f"{unreachable}: Dask's settings name no certificate for TLS")
        if address.startswith("tcp://") and ours["require_encryption"]:
            raise SweepError(f"{unreachable}: Dask's settings ask for TLS, so for tls://...")
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except OSError as error:  # also for a certificate that is not there, or not theirs
        raise SweepError(f"{unreachable}: {' '.join(str(error).split())}") from None
    try:
        yield client
    finally:
        with contextlib.suppress(OSError, TimeoutError):
            client.close(timeout=PATIENCE)


def look_at_workers(client, warn):
    """Say what is odd about the workers."""
    workers = client.scheduler_info()["workers"].values()
    if not workers:
        warn("The scheduler has no workers yet; the runs begin when the first one joins.")
    if any(worker["nthreads"] > 1 for worker in workers):
        warn("Some workers have several threads, which get into each other's way: --nthreads 1.")
