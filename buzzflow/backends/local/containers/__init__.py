"""The docker executor: steps as containers, over the Docker Engine API."""
