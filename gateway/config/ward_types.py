"""What the values of our YAML files may be: texts, names, lengths of time, addresses; each refused in words."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from gateway.config.durations import parse_duration
from gateway.config.parse import as_text, host_alone, http_url, parse_locale
from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.domain.locale import Locale

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)  # of every model: no unknown keys, no silent conversion, no change


def at_least(least_ms: int) -> AfterValidator:
    """A length of time of at least so many ms."""

    def check(length_ms: int) -> int:
        if length_ms < least_ms:
            raise ValueError(f"too short; at least {least_ms // SECOND_MS} s")
        return length_ms

    return AfterValidator(check)


Duration = Annotated[int, BeforeValidator(parse_duration)]
PositiveDuration = Annotated[int, BeforeValidator(parse_duration), at_least(SECOND_MS)]
Session = Annotated[Duration, at_least(5 * MINUTE_MS)]
Text = Annotated[str, BeforeValidator(as_text), Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]  # part of page keys: no '/', ':' or '@'
Site = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]  # a level of an MQTT topic
Port = Annotated[int, Field(ge=1, le=65_535)]
HttpUrl = Annotated[str, AfterValidator(http_url)]
Host = Annotated[Text, AfterValidator(host_alone)]
Names = Annotated[list[str], Field(min_length=1)]
Language = Annotated[Locale, BeforeValidator(parse_locale)]
