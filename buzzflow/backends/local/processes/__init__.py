"""The process executor: steps as processes, each with an `/opt/ml` of its own, where there is no Docker."""
