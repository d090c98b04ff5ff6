"""Measure the steps of a run with cAdvisor and Prometheus, in containers beside them."""

from buzzflow.backends.local.containers.monitoring.images import MonitoringImages, missing_images, monitoring_images
from buzzflow.backends.local.containers.monitoring.monitor import Monitor

__all__ = ["Monitor", "MonitoringImages", "missing_images", "monitoring_images"]
