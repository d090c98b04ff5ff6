"""`python -m tests.reliability`: break deployments in full and write the counts into docs/RELIABILITY.md."""

import sys

from tests.reliability.full import main

if __name__ == "__main__":  # the processes that share the work import this, too
    sys.exit(main())
