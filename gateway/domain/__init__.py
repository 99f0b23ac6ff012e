"""Words and numbers: frozen dataclasses; no behaviour beyond validity."""
