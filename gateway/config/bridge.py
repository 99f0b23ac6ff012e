"""Loading `bridge.yaml`: everything that is wrong with it at once, or what the bridge needs from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from gateway.config.bridge_file import MODELS, BridgeYaml
from gateway.config.build import build_mqtt, resolved
from gateway.config.parse import apprise_url
from gateway.config.problems import Report
from gateway.config.references import items, mapping
from gateway.config.secrets import read_secrets
from gateway.config.settings import MqttSettings
from gateway.config.shape import check_model
from gateway.config.text_file import located_in
from rules.yaml_lines import Path

WAYS = ("serial", "tcp", "listen")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedBridge:
    """A bridge file that has passed every check; `url` is the second path's, where there is one."""

    file: BridgeYaml
    mqtt: MqttSettings
    spool: File
    url: str | None = field(default=None, repr=False)


def load_bridge_file(file: File) -> LoadedBridge:
    """Load the file at `file`; its relative paths start at its own directory. Raises `ConfigError` with every problem."""
    located = located_in(file)
    report = Report(str(file), located)
    raw = {key: value for key, value in located.value.items() if value is not None}
    checked = check_model(BridgeYaml, MODELS, raw, report)
    for path, words in (*_lines(raw), *_places(raw), *_pumps(raw), *_pins(raw), *_last_resort(raw)):
        report.add(path, words)
    secrets = read_secrets(raw, file.parent, report)
    url = _second_path(mapping(raw.get("last_resort")), file.parent, report)
    if checked is not None:
        for words in _spool(resolved(checked.spool.path, file.parent), file, *(secret.path for secret in secrets.files)):
            report.add(("spool", "path"), words)
    report.refuse_if_any()
    assert checked is not None  # noqa: S101 - without a report the shape is right
    return LoadedBridge(
        file=checked,
        mqtt=build_mqtt(checked.mqtt, f"{checked.site}-{checked.name}", secrets, file.parent),
        spool=resolved(checked.spool.path, file.parent),
        url=url,
    )


def _lines(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    if not raw.get("lines") and not raw.get("beside"):
        yield (), "nothing to read: name at least one line, or one pump under beside"
    for i, line in items(raw.get("lines")):
        named = [way for way in WAYS if mapping(line).get(way) is not None]
        if len(named) != 1:
            yield ("lines", i), f"one way to the device, not {len(named)}: serial, tcp or listen"
        if (mapping(line).get("pump") is None) is (mapping(line).get("slots") is None):
            yield ("lines", i), "one of pump (the line is one pump's) and slots (several pumps, by their slot)"
        if mapping(line).get("slots") is not None and mapping(line).get("adapter") != "bbraun-bcc":
            yield ("lines", i, "slots"), "only bbraun-bcc speaks of several pumps on one line"


def _places(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Two lines by one way would take each other's bytes."""
    seen: dict[tuple[str, str], int] = {}
    for i, line in items(raw.get("lines")):
        for way in WAYS:
            named = mapping(line).get(way)
            place = mapping(named).get("port", named)
            where = str(place).removeprefix("127.0.0.1:") if way == "listen" else str(place)
            if isinstance(place, str | int) and (first := seen.setdefault((way, where), i)) != i:
                yield ("lines", i, way), f"lines[{first}] reads {place} already; several pumps on one line are its slots"


def _devices(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str, str]]:
    """(path, section, device) of every device that is named."""
    if isinstance(raw.get("name"), str):
        yield ("name",), "name", raw["name"]
    for section in ("lines", "beside"):
        for i, one in items(raw.get(section)):
            if isinstance(mapping(one).get("pump"), str):
                yield (section, i, "pump"), section, one["pump"]
            for slot, device in mapping(mapping(one).get("slots")).items():
                if isinstance(device, str):
                    yield (section, i, "slots", slot), section, device


def _pumps(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    seen: dict[str, set[str]] = {}
    for path, section, device in _devices(raw):
        before = seen.setdefault(device, set())
        if section in before or (before and "name" in {section, *before}):
            yield path, f"{device} is named twice; each pump and the bridge itself have a name of their own"
        before.add(section)
    for i, one in items(raw.get("beside")):
        if "lines" in seen.get(str(mapping(one).get("pump")), ()) and {"relay", "lights"} & set(mapping(one)):
            yield ("beside", i), "this pump speaks for itself on its line: only mains and scale may stand beside it"
        if not {"relay", "lights", "mains", "scale"} & set(mapping(one)):
            yield ("beside", i), "nothing is wired: name relay, lights, mains or scale"


def _wired(raw: Mapping[str, Any]) -> Iterator[tuple[Path, int]]:
    """(path, BCM number) of every pin."""
    for i, one in items(raw.get("beside")):
        for key in ("relay", "mains"):
            yield from _pin(("beside", i, key), mapping(one).get(key))
        for colour, pin in mapping(mapping(one).get("lights")).items():
            yield from _pin(("beside", i, "lights", colour), pin)
        for key in ("data", "clock"):
            yield from _pin(("beside", i, "scale", key), mapping(mapping(one).get("scale")).get(key))
    for key in ("buzzer", "light", "button"):
        yield from _pin(("last_resort", key), mapping(raw.get("last_resort")).get(key))


def _pin(path: Path, value: object) -> Iterator[tuple[Path, int]]:
    gpio = mapping(value).get("gpio", value)
    if isinstance(gpio, int) and not isinstance(gpio, bool):
        yield path, gpio


def _pins(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    seen: set[int] = set()
    for path, gpio in _wired(raw):
        if gpio in seen:
            yield path, f"GPIO {gpio} is wired twice"
        seen.add(gpio)
    for i, one in items(raw.get("beside")):
        if mapping(mapping(one).get("scale")).get("counts_per_g") == 0:
            yield ("beside", i, "scale", "counts_per_g"), "must not be 0; docs/bridge.md tells how to find it"


def _last_resort(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    last = raw.get("last_resort")
    if isinstance(last, Mapping) and not {"buzzer", "light", "url", "url_file"} & set(last):
        yield ("last_resort",), "does nothing: name a buzzer, a light, or a url; or leave it out"
    if mapping(last).get("url") is not None and mapping(last).get("url_file") is not None:
        yield ("last_resort", "url_file"), "give url or url_file, not both"


def _spool(spool: File, *others: File) -> Iterator[str]:
    """What stands in the spool's place and is none is set aside; so it must be nothing that somebody needs."""
    if spool.exists() and not spool.is_file():
        yield f"{spool} is a folder or a device; name a file of the spool's own"
    if any(spool.resolve() == other.resolve() for other in others):
        yield f"{spool} is another file of this bridge; name a file of the spool's own"


def _second_path(last: Mapping[str, Any], base_dir: File, report: Report) -> str | None:
    if not isinstance(last.get("url_file"), str):
        return last["url"] if isinstance(last.get("url"), str) else None
    try:
        return apprise_url((base_dir / last["url_file"]).read_text().strip())
    except OSError as error:
        report.add(("last_resort", "url_file"), (error.strerror or "cannot be read").lower())
    except ValueError as wrong:  # also: not UTF-8
        report.add(("last_resort", "url_file"), str(wrong) if "Apprise" in str(wrong) else "must hold the URL as text")
    return None
