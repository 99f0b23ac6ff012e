"""The ward file, typed; every error is reported at once, with file and line."""
