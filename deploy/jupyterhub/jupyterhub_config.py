"""JupyterHub for a class on one machine; README.md, beside this file, says how to go about it.

Students have accounts of the system, and log in with their passwords. trial_config.py does without.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PYTHON = Path(sys.prefix, "bin/python")  # one environment for the hub and for all students

# ---- What one student may use --------------------------------------------------------------------

# Of private memory, each process: the largest lesson takes half of it (docs/teaching/costs.md).
MEMORY = "2G"
# Of BLAS and of Numba. In a class there are more students than cores, and threads of one program
# that wait for each other make everybody slow.
THREADS = 1
IDLE_SECONDS = 3600  # a kernel that nobody uses is shut down after it, and then a server
LONGEST_SECONDS = 12 * 3600  # so is any server after this: an endless loop is never idle

c = get_config()  # noqa: F821

c.Spawner.mem_limit = MEMORY  # student.sh sees to it, whatever starts the servers
c.Spawner.environment = {
    "OPENBLAS_NUM_THREADS": str(THREADS),
    "OMP_NUM_THREADS": str(THREADS),
    "NUMBA_NUM_THREADS": str(THREADS),
}
c.Spawner.cmd = ["/bin/sh", str(FOLDER / "student.sh"), str(PYTHON)]
c.Spawner.args = [
    f"--MappingKernelManager.cull_idle_timeout={IDLE_SECONDS}",
    "--MappingKernelManager.cull_connected=True",  # a page left open is nobody at work
    "--LanguageServerManager.autodetect=False",  # there are none, and looking takes seconds
]
c.Spawner.default_url = "/lab/tree/lessons/00-start-here.ipynb"
# When all of a class begin at once, the last has to wait for the processor.
c.Spawner.start_timeout = 180
c.Spawner.http_timeout = 180

c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [
            str(PYTHON),
            "-m",
            "jupyterhub_idle_culler",
            f"--timeout={IDLE_SECONDS}",
            f"--max-age={LONGEST_SECONDS}",
        ],
    }
]

# ---- Who may come in, and from where -------------------------------------------------------------

c.JupyterHub.authenticator_class = "pam"  # the passwords of the system
c.PAMAuthenticator.allowed_groups = {"students"}
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
# From this machine alone, until there is https in front of it.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.ConfigurableHTTPProxy.command = str(FOLDER / "node_modules/.bin/configurable-http-proxy")
