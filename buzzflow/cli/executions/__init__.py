"""The commands that start, watch and end runs of deployed pipelines, each in a module imported when it is used."""
