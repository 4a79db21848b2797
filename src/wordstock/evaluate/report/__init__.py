"""The transfer report: what pre-trained vectors save on one's own labelled data, measured."""

from wordstock.evaluate.report.plan import ReportConfig
from wordstock.evaluate.report.points import Point, ReportProgress
from wordstock.evaluate.report.report import TransferReport
from wordstock.evaluate.report.run import transfer_report

__all__ = ["Point", "ReportConfig", "ReportProgress", "TransferReport", "transfer_report"]
