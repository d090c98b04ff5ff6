"""The runs that this machine keeps: seen together, compared, and removed."""
