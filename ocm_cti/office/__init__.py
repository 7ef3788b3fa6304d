"""What the panel and the API may do."""

from ocm_cti.office.office import HealthReport, Office

__all__ = ["HealthReport", "Office"]
