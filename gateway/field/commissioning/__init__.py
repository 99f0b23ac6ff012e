"""Commissioning a pump on the bench: a pure procedure, its signed record, and the thin screens around them."""
