"""Measure buzzflow on this machine, each figure beside its baseline from the same run: `make bench`."""
