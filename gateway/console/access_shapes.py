"""Users, tokens and sessions as JSON: what the API says of them, and what it is asked. Never a password; a token only once."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gateway.config.durations import parse_duration
from gateway.console.shapes import Shape, When
from gateway.domain.instants import MINUTE_MS
from gateway.runtime.access import Role

Name = Annotated[str, Field(min_length=1, max_length=63)]
Password = Annotated[str, Field(max_length=1_000, json_schema_extra={"format": "password"})]
Length = Annotated[
    int, BeforeValidator(parse_duration), Field(ge=MINUTE_MS, json_schema_extra={"type": "string", "examples": ["90d"]})
]


class UserShape(Shape):
    """Somebody who can sign in. `locked_until`: after too many wrong passwords, until when the name stays shut."""

    name: str
    role: Role
    disabled: bool
    created_at: When
    locked_until: When | None
    sessions: int


class TokenShape(Shape):
    """A program's token, without the token itself. It opens nothing any more from `until_at` on."""

    name: str
    role: Role
    created_at: When
    created_by: str
    until_at: When | None


class TokenMadeShape(TokenShape):
    """A new token: `token` is what the program shows. It cannot be seen again."""

    token: str


class SessionShape(Shape):
    """A browser that is signed in. `browser` is what it says of itself."""

    id: str
    user: str
    began_at: When
    seen_at: When
    browser: str
    address: str


class ChangedShape(Shape):
    """What was changed, in words."""

    message: str


class Asked(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class UserAsked(Asked):
    """A new user: a name as in the ward file, a role, and a first password of 12 characters or more."""

    name: Name
    role: Role
    password: Password


class RoleAsked(Asked):
    """Another role."""

    role: Role


class PasswordAsked(Asked):
    """Another password, of 12 characters or more."""

    password: Password


class TokenAsked(Asked):
    """A new token: a name, a role, and for how long (for ever without)."""

    name: Name
    role: Role
    for_: Annotated[Length | None, Field(alias="for", description="how long it lasts, like 90d; for ever without")] = None
