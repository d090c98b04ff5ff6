"""`python -m buzzflow`."""

from buzzflow.cli.main import main

main()
