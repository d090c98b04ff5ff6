"""The commands about the runs of this machine."""
