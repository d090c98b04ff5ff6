"""`python -m tests.faults`: break local runs in full and write the counts into docs/RELIABILITY.md."""

import sys

from tests.faults.full import main

sys.exit(main())
