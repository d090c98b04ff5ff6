"""The shape of what users write: Pydantic models with one word for each concept in all step types."""
