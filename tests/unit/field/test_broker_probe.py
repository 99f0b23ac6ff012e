import socket
import threading

import pytest

from gateway.config.settings import MqttSettings, TlsSettings
from gateway.field.broker_probe import connect_packet, probe
from tests.support.brokers import certificates, mosquitto

pytestmark = pytest.mark.servers


def settings(port: int, **changed: object) -> MqttSettings:
    """A broker on this machine."""
    told = {"host": "127.0.0.1", "client_id": "dripwatch", "protocol": "3.1.1", "keepalive_ms": 60_000}
    return MqttSettings(port=port, **{**told, **changed})


def test_the_packet_is_as_the_standard_draws_it():
    """User and password in their order, a clean session, seven bits a byte of length."""
    assert connect_packet("c", None, None) == b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01c"
    assert connect_packet("c", "u", "pw")[9:] == b"\xc2\x00\x0a\x00\x01c\x00\x01u\x00\x02pw"
    assert connect_packet("c", None, "pw") == connect_packet("c", None, None)
    assert connect_packet("c" * 200, None, None)[:3] == b"\x10\xd4\x01"


def test_a_real_broker_lets_us_in_or_says_why_not(tmp_path):
    """With the right password, the wrong one, and none."""
    with mosquitto(tmp_path, users={"gw": "right"}) as broker:
        assert probe(settings(broker.port, username="gw", password="right")) == ""
        for changed in ({"username": "gw", "password": "wrong"}, {}):
            said = probe(settings(broker.port, **changed))
            assert said == f"127.0.0.1:{broker.port}: the broker does not let this user in; check its ACL and mqtt.username"


def test_a_running_gateways_session_stays_untouched(tmp_path):
    """The probe comes under a name of its own: the same one would throw the gateway out."""
    with mosquitto(tmp_path) as broker, socket.create_connection(("127.0.0.1", broker.port), 5) as gateway:
        gateway.sendall(connect_packet("dripwatch", None, None))
        assert gateway.recv(4) == b"\x20\x02\x00\x00"
        assert probe(settings(broker.port)) == ""
        gateway.sendall(b"\xc0\x00")
        assert gateway.recv(2) == b"\xd0\x00"


def test_tls_is_spoken_and_its_failures_are_told(tmp_path):
    """A broker whose certificate we trust, one whose we do not, and one that speaks none."""
    made = certificates(tmp_path / "certificates")
    with mosquitto(tmp_path / "tls", tls=made, want_client_certificate=True) as broker:
        tls = TlsSettings(made.ca, made.client_cert, made.client_key)
        assert probe(settings(broker.port, tls=tls)) == ""
        stranger = probe(settings(broker.port, tls=TlsSettings(made.stranger_ca)))
        assert "TLS fails (CERTIFICATE_VERIFY_FAILED); check mqtt.tls and the broker's certificate" in stranger
        assert "expects TLS" in probe(settings(broker.port)) or "reset" in probe(settings(broker.port))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "what answers there is no MQTT broker"),
        (b"\x20", "what answers there is no MQTT broker"),
        (b"\x20\x02\x00\x04", "the broker refuses the user or password; check mqtt.username and mqtt.password_file"),
        (b"\x20\x02\x00\x63", "the broker refuses us with code 99"),
    ],
)
def test_whatever_answers_is_told_in_words(answer, said):
    """A web server, half an answer, a refusal, a code that nobody knows."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            wire, _ = server.accept()
            with wire:
                wire.recv(1_000)
                wire.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        told = probe(settings(server.getsockname()[1]))
        thread.join()
    assert said in told


def test_a_server_that_says_nothing_is_not_waited_for_long():
    """The doctor has other patients."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert "timed out; is the broker running" in probe(settings(server.getsockname()[1]), timeout_s=0.05)


def test_a_name_that_does_not_resolve_is_told():
    """With the settings to look at."""
    assert "are mqtt.host and mqtt.port right?" in probe(settings(1883, host="a" * 70 + ".invalid"))
