"""`python -m course`: the command line of the course."""

import sys

from course.cli import main

sys.exit(main())
