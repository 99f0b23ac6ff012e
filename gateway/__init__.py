"""Dripwatch: remote telemetry and alerting for infusion pumps at patients' homes."""
