"""The hub to try out on one's own machine: any name, one password, no accounts of the system.

All students are the same user of the system, namely you, so each could read, change and stop what
is another's, and yours. The password is that of $COURSE_HUB_PASSWORD; homes are made in the folder
`students` of the folder in which the hub is started.
"""

import os
from pathlib import Path

PASSWORD = os.environ.get("COURSE_HUB_PASSWORD", "")
if len(PASSWORD) < 8:  # JupyterHub itself takes no shorter one
    raise SystemExit("Set COURSE_HUB_PASSWORD, to at least eight characters.")

c = get_config()  # noqa: F821
# By its whole path: where it is not found, nothing is said.
load_subconfig(str(Path(__file__).resolve().with_name("jupyterhub_config.py")))  # noqa: F821

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = PASSWORD
c.SharedPasswordAuthenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
if os.geteuid() == 0:  # as in a container
    c.Spawner.args = [*c.Spawner.args, "--allow-root"]
c.SimpleLocalProcessSpawner.home_dir_template = str(Path("students").absolute() / "{username}")
