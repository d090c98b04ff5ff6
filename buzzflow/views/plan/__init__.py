"""What a deployment would change: for people, for a pull request, and as data."""

from buzzflow.views.plan.data import as_data
from buzzflow.views.plan.human import human
from buzzflow.views.plan.markdown import markdown
from buzzflow.views.plan.words import Shown

__all__ = ["Shown", "as_data", "human", "markdown"]
