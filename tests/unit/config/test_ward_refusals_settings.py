"""Refusals of what the shell needs, each with its line."""

from tests.unit.config.broken_ward import check_refused, refusals


@refusals(
    # the top
    ("site: haem-ward\n", "", 1, "site: required, but missing"),
    ("site: haem-ward", "site: Haem Ward  # HERE", None, "site: not a name: use small letters, digits and '-'"),
    ("site: haem-ward", "site: 5  # HERE", None, "site: must be text, not a number; put it in quotes"),
    ("site: haem-ward", "sight: haem-ward  # HERE", None, "sight: unknown key 'sight'; did you mean 'site'?"),
    (
        "timezone: Asia/Hong_Kong",
        "timezone: Hongkong City  # HERE",
        None,
        "timezone: unknown time zone 'Hongkong City'; write it like",
    ),
    ("timezone: Asia/Hong_Kong", "timezone: ../etc/passwd  # HERE", None, "timezone: unknown time zone"),
    ("timezone: Asia/Hong_Kong", "timezone: Asia  # HERE", None, "timezone: unknown time zone 'Asia'"),
    # mqtt, journal, influx, console
    ("{host: 127.0.0.1}\njournal", "{prot: 1}  # HERE\njournal", None, "mqtt.prot: unknown key 'prot'; did you mean 'port'?"),
    (
        "{host: 127.0.0.1}\njournal",
        "{zzz: 1}  # HERE\njournal",
        None,
        "mqtt.zzz: unknown key 'zzz'; known: host, port, client_id",
    ),
    ("{host: 127.0.0.1}\njournal", '{port: "1883"}  # HERE\njournal', None, "mqtt.port: must be a whole number, not text"),
    ("{host: 127.0.0.1}\njournal", "{port: 0}  # HERE\njournal", None, "mqtt.port: must be at least 1"),
    ("{host: 127.0.0.1}\njournal", "{port: 65536}  # HERE\njournal", None, "mqtt.port: must be at most 65535"),
    ("{host: 127.0.0.1}\njournal", "{port: true}  # HERE\njournal", None, "mqtt.port: must be a whole number, not true or false"),
    ("{host: 127.0.0.1}\njournal", "{protocol: 4}  # HERE\njournal", None, "mqtt.protocol: must be '3.1.1' or '5'"),
    ("{host: 127.0.0.1}\njournal", "{keepalive: 0s}  # HERE\njournal", None, "mqtt.keepalive: too short; at least 1 s"),
    ("{host: 127.0.0.1}\njournal", '{host: ""}  # HERE\njournal', None, "mqtt.host: must not be empty"),
    ("{host: 127.0.0.1}\njournal", f"{{host: {'x' * 1001}}}  # HERE\njournal", None, "mqtt.host: longer than 1000 characters"),
    ("{host: 127.0.0.1}\njournal", "{password: x}  # HERE\njournal", None, "mqtt: a password without a username; add username"),
    ("{host: 127.0.0.1}\njournal", "{tls: {cert: c}}  # HERE\njournal", None, "mqtt.tls: cert and key come together"),
    (
        "{host: 127.0.0.1}\njournal",
        "{tls: yes}  # HERE\njournal",
        None,
        "mqtt.tls: must be a mapping (`key: value` lines), not text",
    ),
    (
        "{host: 127.0.0.1}\njournal",
        "{username: u, password: p, password_file: f}  # HERE\njournal",
        None,
        "mqtt.password_file: give password or password_file, not both",
    ),
    ("mqtt: {host: 127.0.0.1}", "mqtt: [1]  # HERE", None, "mqtt: must be a mapping (`key: value` lines), not a list"),
    ("keep: 60d", "keep: 60  # HERE\n  ", None, "journal.keep: not a length of time: 60; write it like 90s"),
    ("keep: 60d", "keep: 1h  # HERE\n  ", None, "journal.keep: too short; at least 86400 s"),
    ("keep: 60d", "max_bytes: 20G  # HERE\n  ", None, "journal.max_bytes: not a size: '20G'; write it like 500MiB or 20GiB"),
    ("keep: 60d", "max_bytes: 20  # HERE\n  ", None, "journal.max_bytes: must be at least 1048576"),
    ("api: v1", "api: v9  # HERE\n  ", None, "influx: unknown api 'v9'; known: v1, v2"),
    ("api: v1, ", "  # HERE\n  ", None, "influx: `api` is required, but missing"),
    (
        "api: v1",
        "api: v2, database: d  # HERE\n  ",
        None,
        "influx.database: unknown key 'database'; known: api, url, org, bucket",
    ),
    ("http://127.0.0.1:8086", "127.0.0.1:8086", 5, "influx.url: not a web address; write it like http://127.0.0.1:8086"),
    ("http://127.0.0.1:8086", "http://[::1", 5, "influx.url: not a web address"),
    ('"127.0.0.1:8080"', '"8080"  # HERE\n  ', None, "console.listen: not a place to listen: '8080'; write host:port"),
    ('"127.0.0.1:8080"', '":8080"', 6, "console.listen: not a place to listen"),
    ('"127.0.0.1:8080"', f'"h:{"9" * 5000}"', 6, "console.listen: not a place to listen"),
    ('listen: "127.0.0.1:8080"', 'base_url: "ftp://h"', 6, "console.base_url: not a web address"),
    ('listen: "127.0.0.1:8080"', 'base_url: "http://u:p@h"', 6, "console.base_url: stands in every page, so it holds no user"),
    # transports
    ("kind: snpp", "kind: snnp", 10, "transports.pager: unknown kind 'snnp'; known: kannel, smpp, snpp, apprise"),
    ("kind: snpp, ", "", 10, "transports.pager: `kind` is required, but missing"),
    ("kind: snpp, host", "kind: snpp, hots", 10, "transports.pager.hots: unknown key 'hots'; did you mean 'host'?"),
    ("kind: snpp, host", "kind: snpp, hots", 10, "transports.pager.host: required, but missing"),
    (
        'sender: "13013"}\n  centre',
        'sender: "13013", receipts: 1}\n  centre',
        8,
        "transports.sms.receipts: must be true or false, not a num",
    ),
    ("mailto://", "mailto:", 11, "transports.email.url: not an Apprise URL; write it like mailto://"),
    ("  pager: {kind", "  pa/ger: {kind", 10, "transports.pa/ger: not a name: use letters, digits, '-', '_' and '.'"),
    ("  pager: {kind", "  after: {kind", 10, "transports.after: a contact's delay is called so; name the transport otherwise"),
)
def test_wrong_settings_are_refused_at_their_line(old, new, line, message):
    """File, line, path, what is wrong and the mend."""
    check_refused(old, new, line, message)
