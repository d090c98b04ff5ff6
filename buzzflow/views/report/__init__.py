"""The picture of a local run: one HTML file that needs nothing else."""

from buzzflow.views.report.page import report_page, write_report

__all__ = ["report_page", "write_report"]
