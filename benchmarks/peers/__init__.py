"""The same pipelines built by buzzflow, by Nike's sagerender and with the SageMaker Python SDK, side by side."""
