"""Reports: results told in sentences, figures and tables, as one self-contained HTML file."""

if __name__ != "probekit.reports":
    raise ImportError(
        f"This folder is the package probekit.reports and cannot be imported as '{__name__}'. Import probekit.reports; "
        "if that fails, the checkout lacks the link probekit/reports -> ../reports (a system whose git makes no "
        "links): install probekit from a wheel."
    )

from probekit.reports.report import Report

__all__ = ["Report"]
