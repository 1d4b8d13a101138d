"""The command line: ``tms …``, one module a group of verbs."""
