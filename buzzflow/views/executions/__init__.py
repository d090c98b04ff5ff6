"""Show runs of deployed pipelines: as tables for people, as data for programs."""
