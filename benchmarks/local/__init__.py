"""Local runs against bare `docker run` and against the local mode of the SageMaker SDK."""
