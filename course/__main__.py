"""`python -m course`: the command line of the course."""

import sys

try:
    from course.commands.cli import main

    sys.exit(main())
except KeyboardInterrupt:  # while it was still loading
    sys.exit(130)
