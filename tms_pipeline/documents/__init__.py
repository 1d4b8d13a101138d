"""The documents' generated parts: what code, settings and rules say, as tables."""
