"""Grafana dashboards as code: `build` makes the JSON that deploy/grafana/dashboards holds.

They ask for what gateway/runtime/point_schema.py declares, and for nothing else. Needs grafana-foundation-sdk, which is among the
development dependencies only: a hospital installs the JSON.
"""

import warnings

with warnings.catch_warnings():
    # It would rather have its second kind of dashboard, which Grafana before 12 does not read from files.
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    import grafana_foundation_sdk.builders.dashboard
    import grafana_foundation_sdk.builders.stat  # noqa: F401  both are loaded here for their warnings' sake
