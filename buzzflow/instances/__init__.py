"""The instance types of the service: their names, what they have, what they cost, and which one fits a step."""
