"""What a deployment would change: for people, for a pull request, and as data."""

from buzzflow.views.plan.data import as_data
from buzzflow.views.plan.human import human
from buzzflow.views.plan.markdown import markdown

__all__ = ["as_data", "human", "markdown"]
