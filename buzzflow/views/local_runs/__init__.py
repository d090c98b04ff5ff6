"""The runs that this machine keeps, on a terminal and for programs."""
