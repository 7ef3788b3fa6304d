"""What the panel and the API may do."""

from ocm_cti.office.office import HealthReport, Office, Snapshot

__all__ = ["HealthReport", "Office", "Snapshot"]
