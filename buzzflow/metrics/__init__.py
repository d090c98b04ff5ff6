"""What a step used: the figures, whoever read them."""

from buzzflow.metrics.usage import Sample, Usage, UsageRecorder

__all__ = ["Sample", "Usage", "UsageRecorder"]
