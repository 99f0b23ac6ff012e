"""One file per device family: bytes in, readings or named refusals out."""
