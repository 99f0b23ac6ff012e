"""What is Apprise's own: its pool, its URLs, its logs. What all transports owe stands in tests/conformance/test_transport.py."""

import asyncio
import contextlib
import http.server
import io
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
from apprise.plugins.custom_json import NotifyJSON
from apprise.plugins.twilio import NotifyTwilio

from gateway.outside.apprise_transport import AppriseTransport
from gateway.runtime.ports import Accepted, Rejected, Unknown
from gateway.runtime.twiml import ask
from tests.support.fake_transport import message
from tests.support.process import free_port
from tests.support.smtp import mail_server
from tests.support.web_hook import web_hook

SHORT_S = 0.3  # a deadline that a hanging recipient is certain to miss
LONG_S = 60.0  # one that no other recipient misses


@pytest.mark.hazard("H-53")
async def test_forty_hung_sends_do_not_delay_another_transport() -> None:
    """Forty sends hang on one transport; a page on another is accepted while all of them still hang."""
    with web_hook() as hook:
        stuck = AppriseTransport("stuck", f"json://127.0.0.1:{hook.port}/{{address}}?rto=60", workers=40, deadline_s=LONG_S)
        other = AppriseTransport("other", f"json://127.0.0.1:{hook.port}/{{address}}", deadline_s=LONG_S)
        hung = [asyncio.create_task(stuck.send(message(f"hang-{number}"))) for number in range(40)]
        await asyncio.to_thread(hook.wait_hanging, 40)
        assert await other.send(message("nurse")) == Accepted("")
        assert not any(task.done() for task in hung)
        hook.release()
        assert await asyncio.gather(*hung) == [Accepted("")] * 40


async def test_a_full_house_says_so_at_once_and_recovers() -> None:
    """When all senders hang a further page is refused for now, not queued; when they come free it is accepted."""
    with web_hook() as hook:
        transport = AppriseTransport("voice", f"json://127.0.0.1:{hook.port}/{{address}}?rto=60", workers=2, deadline_s=SHORT_S)
        results = await asyncio.gather(transport.send(message("hang-1")), transport.send(message("hang-2")))
        assert results == [Unknown("no answer within 0.3 s")] * 2
        assert await transport.send(message("nurse")) == Rejected("all 2 senders are busy", temporary=True)
        hook.release()
        for thread in [thread for thread in threading.enumerate() if thread.name == "apprise voice"]:
            await asyncio.to_thread(thread.join)
        assert await transport.send(message("nurse")) == Accepted("")


async def test_too_many_requests_is_temporary() -> None:
    """HTTP 429 is a "later" among the 4xx."""
    with web_hook() as hook:
        transport = AppriseTransport("voice", f"json://127.0.0.1:{hook.port}/{{address}}", deadline_s=LONG_S)
        assert await transport.send(message("busy")) == Rejected("the service answered HTTP 429", temporary=True)


async def test_an_address_is_encoded_and_stays_one_recipient() -> None:
    """What means something in a URL means nothing in an address."""
    with web_hook() as hook:
        transport = AppriseTransport("voice", f"json://127.0.0.1:{hook.port}/{{address}}", deadline_s=LONG_S)
        assert await transport.send(message("+852?a=b&c#d")) == Accepted("")
        assert [who for who, _ in hook.calls] == ["+852?a=b&c#d"]


@pytest.mark.parametrize("address", ["", "a@ward.example,b@ward.example", "a@ward.example b@ward.example", "notmail"])
async def test_an_address_that_is_not_one_recipient_is_refused(address: str) -> None:
    """Several recipients would share one outcome, and one that Apprise drops would become a mail to ourselves."""
    with mail_server() as server:
        url = f"mailto://127.0.0.1:{server.port}/?mode=insecure&from=dripwatch@ward.example&to={{address}}"
        result = await AppriseTransport("email", url).send(message(address))
        assert isinstance(result, Rejected)
        assert not result.temporary
        assert server.mails == []


async def test_mail_is_plain_text_with_the_subject() -> None:
    """Pager gateways want plain text; the subject goes where the service has a place for it."""
    with mail_server() as server:
        url = f"mailto://127.0.0.1:{server.port}/?mode=insecure&from=dripwatch@ward.example&to={{address}}"
        assert await AppriseTransport("email", url).send(message("nurse@ward.example")) == Accepted("")
        assert [(mail.content_type, mail.subject) for mail in server.mails] == [("text/plain", "Dripwatch: P-017")]


@contextlib.contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """A log file at the most talkative setting; pytest's own capture would listen behind the root logger's back."""
    root, text = logging.getLogger(), io.StringIO()
    handler, before = logging.StreamHandler(text), root.level
    root.addHandler(handler)
    root.setLevel(0)
    try:
        yield text
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


async def test_secrets_of_the_url_are_in_no_reason_and_no_log() -> None:
    """Passwords and tokens stay out of everything that people or log files see."""
    with everything_logged() as log, web_hook() as hook:
        absent = AppriseTransport("voice", f"json://u:pa55w0rd@127.0.0.1:{free_port()}/t0ken/{{address}}")
        broken = AppriseTransport("voice", "json-of-some-kind://u:pa55w0rd@127.0.0.1/t0ken/{address}")
        present = AppriseTransport("voice", f"json://u:pa55w0rd@127.0.0.1:{hook.port}/t0ken/{{address}}")
        told = [str(await absent.send(message("nurse"))), str(await broken.send(message("nurse"))), str(broken.check())]
        told += [str(await present.send(message(who))) for who in ("nurse", "nobody", "later", "drop")]
        logging.getLogger("somebody").debug("this is kept")
    assert "this is kept" in log.getvalue()
    for secret in ("pa55w0rd", "t0ken"):
        assert secret not in "\n".join([*told, log.getvalue()])


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mailto://127.0.0.1/?mode=insecure&from=dripwatch@ward.example&to={address}", None),
        ("json://127.0.0.1:9000/voice/{address}", None),
        ("nothing-like-this://x/{address}", "apprise does not understand the URL"),
        ("mailto://127.0.0.1/?mode=insecure&to={address}", "apprise does not understand the URL"),
        ("", "apprise does not understand the URL"),
        ("smpp://u:p@127.0.0.1/1/{address}", "use kind: smpp"),
        ("mailto://127.0.0.1/?from=d@ward.example&to={address},b@ward.example", "more than one recipient"),
        ("mailto://127.0.0.1/?from=d@ward.example&to={address}&cc=b@ward.example", "more than one recipient"),
    ],
)
async def test_check_tells_before_the_first_page(url: str, problem: str | None) -> None:
    """`check-config` learns what `send` would refuse for good."""
    transport = AppriseTransport("x", url)
    said = transport.check()
    assert (said is None) is (problem is None)
    assert (problem or "") in (said or "")
    if said is not None:
        assert await transport.send(message("somebody@ward.example")) == Rejected(said)


def test_check_of_an_address() -> None:
    """A contact's own address can be checked too."""
    transport = AppriseTransport("email", "mailto://127.0.0.1/?mode=insecure&from=d@ward.example&to={address}")
    assert transport.check("pharmacy@ward.example") is None
    assert "for a recipient" in (transport.check("85290000001") or "")


async def test_whatever_a_plugin_raises_is_a_failed_send(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugins are foreign code: an exception of any kind is a page to try again, never a crash."""

    def broken(self: NotifyJSON, **_: object) -> bool:
        raise KeyError("t0ken")

    monkeypatch.setattr(NotifyJSON, "send", broken)
    transport = AppriseTransport("voice", "json://127.0.0.1:9/{address}")
    assert await transport.send(message("nurse")) == Rejected("apprise reports a failure (KeyError)", temporary=True)


async def test_a_message_in_parts_is_not_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apprise's rest of 5.5 s between two requests of an instance is off."""

    def rest(_: float) -> None:
        raise AssertionError("apprise takes a rest")

    monkeypatch.setattr("apprise.url.time", SimpleNamespace(sleep=rest))
    monkeypatch.setattr(NotifyJSON, "body_maxlen", 20)
    monkeypatch.setattr(NotifyJSON, "request_rate_per_sec", 5.5)
    with web_hook() as hook:
        transport = AppriseTransport("voice", f"json://127.0.0.1:{hook.port}/{{address}}?overflow=split")
        assert await transport.send(message("nurse", "one two three four five six seven eight")) == Accepted("")
        assert len(hook.calls) > 1


async def test_twilio_is_given_the_call_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """What asks for a key must arrive as it is: neither escaped, nor read out, nor with a title before it."""
    given: list[dict[str, list[str]]] = []

    class Twilio(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Twilio)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setattr(NotifyTwilio, "notify_call_url", f"http://127.0.0.1:{server.server_port}/{{sid}}")
    call = ask("P-017 HIGH: a < b & c", "https://ward.example/inbound/twilio?page=AbC")
    try:
        transport = AppriseTransport(
            "voice", f"twilio://AC{'0' * 32}:{'1' * 32}@13013001234/{{address}}?method=call", deadline_s=LONG_S
        )
        assert await transport.send(replace(message("85290000001"), text=call)) == Accepted("")
    finally:
        server.shutdown()
        server.server_close()
    assert [form["Twiml"] for form in given] == [[call]]
    assert given[0]["To"] == ["+85290000001"]
