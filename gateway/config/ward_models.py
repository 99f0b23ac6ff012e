"""Where in the ward file which model judges: a key that is wrong there is answered with that model's keys."""

from collections.abc import Mapping

from pydantic import BaseModel

from gateway.config.mllp_file import MllpFile, MllpTlsFile
from gateway.config.ward_file import (
    AppriseFile,
    ConsoleFile,
    ContactFile,
    InfluxV1File,
    InfluxV2File,
    JournalFile,
    KannelFile,
    LayerFile,
    MqttFile,
    OverrideFile,
    PersonFile,
    PoliciesFile,
    PolicyFile,
    RepeatFile,
    RotationFile,
    RouteFile,
    ScheduleFile,
    SmppFile,
    SnppFile,
    StepFile,
    SyntheticFile,
    TlsFile,
    TwilioFile,
    WardFile,
    WatchdogFile,
)

BY_NAME = ("transports", "people", "schedules", "policies")  # sections whose keys are the ward's own names

MODELS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): WardFile,
    ("mqtt",): MqttFile,
    ("mqtt", "tls"): TlsFile,
    ("mllp",): MllpFile,
    ("mllp", "tls"): MllpTlsFile,
    ("journal",): JournalFile,
    ("influx", "v1"): InfluxV1File,
    ("influx", "v2"): InfluxV2File,
    ("console",): ConsoleFile,
    ("transports", "*", "kannel"): KannelFile,
    ("transports", "*", "smpp"): SmppFile,
    ("transports", "*", "snpp"): SnppFile,
    ("transports", "*", "apprise"): AppriseFile,
    ("transports", "*", "apprise", "twilio"): TwilioFile,
    ("people", "*"): PersonFile,
    ("people", "*", "contacts", "#"): ContactFile,
    ("schedules", "*"): ScheduleFile,
    ("schedules", "*", "rotation"): RotationFile,
    ("schedules", "*", "layers", "#"): LayerFile,
    ("schedules", "*", "overrides", "#"): OverrideFile,
    ("policies",): PoliciesFile,
    ("policies", "*"): PolicyFile,
    ("policies", "*", "steps", "#"): StepFile,
    ("policies", "*", "repeat"): RepeatFile,
    ("routes", "#"): RouteFile,
    ("watchdog",): WatchdogFile,
    ("synthetic",): SyntheticFile,
}
"""Which model judges which mapping of the file; `*` is a name of the ward's own, `#` a place in a list."""
