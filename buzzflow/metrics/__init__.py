"""What a step used: the figures, whoever read them."""

from buzzflow.metrics.recorder import UsageRecorder
from buzzflow.metrics.usage import Curves, GpuUsage, Sample, Usage

__all__ = ["Curves", "GpuUsage", "Sample", "Usage", "UsageRecorder"]
