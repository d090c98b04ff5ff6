"""What runs one step of each kind on this machine."""
