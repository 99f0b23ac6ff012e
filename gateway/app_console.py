"""The composition root's part for the console: which secrets, stores and settings it stands on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.config.settings import ConsoleSettings
from gateway.runtime.access import Role
from gateway.runtime.service import Service

if TYPE_CHECKING:
    from fastapi import APIRouter

_HERE = {"none": None, "read": Role.READ, "triage": Role.TRIAGE}


async def serve_api(service: Service, console: ConsoleSettings, journal: Path, extra: "Sequence[APIRouter]" = ()) -> None:
    """The console with its API, the homes' diary page and `extra` routes; secrets and users are files beside the journal.

    Raises `AccessStoreFailed`, `CannotListen`, `TokenRefused`.
    """
    from gateway.console.accounts import Accounts  # noqa: PLC0415
    from gateway.console.app import Entrance, create_api  # noqa: PLC0415
    from gateway.console.audit_api import audit_router  # noqa: PLC0415
    from gateway.console.diary_links import secret_file  # noqa: PLC0415
    from gateway.console.diary_page import mount_diary  # noqa: PLC0415
    from gateway.console.door import Callers  # noqa: PLC0415
    from gateway.console.export_api import export_router  # noqa: PLC0415
    from gateway.console.sessions import Lengths  # noqa: PLC0415
    from gateway.console.token import load_or_create_token, token_file  # noqa: PLC0415
    from gateway.outside.access_store import SqliteAccessStore, access_file  # noqa: PLC0415
    from gateway.outside.audit_process import AuditProcess  # noqa: PLC0415
    from gateway.outside.export_process import ExportProcess  # noqa: PLC0415
    from gateway.outside.http_server import serve  # noqa: PLC0415
    from gateway.outside.sqlite_history import SqliteHistory  # noqa: PLC0415

    store, history = SqliteAccessStore.open(access_file(journal)), SqliteHistory(journal)
    try:
        lengths = Lengths(idle_ms=console.session_idle_ms, most_ms=console.session_most_ms, kiosk_ms=console.kiosk_session_ms)
        entrance = Entrance(
            accounts=Accounts(service, store, lengths=lengths),
            callers=Callers(here=_HERE[console.here], proxies=frozenset(console.trusted_proxies)),
            base_url=console.base_url,
        )
        routes = [audit_router(AuditProcess(journal).lines), export_router(ExportProcess(journal).pieces), *extra]
        api = create_api(service, token=load_or_create_token(token_file(journal)), extra=routes, entrance=entrance)
        api.state.history = history
        mount_diary(api, service, load_or_create_token(secret_file(journal)), console.base_url)
        await serve(api, host=console.host, port=console.port)
    finally:
        await history.close()
        store.close()
