"""The TMS pipeline: what happens between a provider's spreadsheets and SSG's TPGateway."""

__version__ = "0.1.0"
