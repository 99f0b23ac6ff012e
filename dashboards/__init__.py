"""Grafana dashboards as code: `build` makes the JSON that deploy/grafana/dashboards holds.

They ask for what gateway/runtime/point_schema.py declares, and for nothing else. Needs grafana-foundation-sdk, which is among the
development dependencies only: a hospital installs the JSON.
"""
