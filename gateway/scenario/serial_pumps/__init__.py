"""Pumps that answer on a serial line as the real ones do: what a technician, a test or a demo talks to."""
