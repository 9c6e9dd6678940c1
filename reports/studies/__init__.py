"""Pages of studies: the claim, what became of it, the figure drawn again."""

from probekit.reports.studies.page import StudyPage

__all__ = ["StudyPage"]
