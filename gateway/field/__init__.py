"""Commands for technicians and operators."""
