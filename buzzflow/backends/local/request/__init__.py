"""What a run is asked to do, and what it lacks: everything that is checked before anything starts."""
