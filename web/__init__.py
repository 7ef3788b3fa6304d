"""The panel and the REST API: Flask over the office, served by Twisted in the process of ``ocm serve``."""
