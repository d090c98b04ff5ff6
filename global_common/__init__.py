"""Python that every project shares; buzzflow ships it into each step, on Python 3.8 or later."""
