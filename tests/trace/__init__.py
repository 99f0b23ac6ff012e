"""From hazard to control to test to its last result: `make trace` and docs/security/."""
