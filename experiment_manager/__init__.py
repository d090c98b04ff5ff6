"""What a step reports about an experiment; buzzflow ships it into each step, on Python 3.8 or later."""
