"""Lower what users wrote to what it means: names looked up, references checked, steps in order."""

from buzzflow.lower.lower import Lowered, lower

__all__ = ["Lowered", "lower"]
