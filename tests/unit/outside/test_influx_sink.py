import math
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.outside import influx_sink
from gateway.outside.influx_sink import InfluxV1Sink, InfluxV2Sink, PoisonFile, Refusal, verdict, write_isolating
from gateway.runtime.point_sink import Poison, StoreUnavailable


class Picky:
    """Takes bodies without bad lines; `words` says how it refuses one, `names` whether it stores the good lines of it."""

    def __init__(self, words: Callable[[list[bytes]], str], *, largest: int = 10_000) -> None:
        self.words = words
        self.largest = largest
        self.stored: set[bytes] = set()
        self.posts = 0

    async def post(self, body: bytes) -> Refusal | None:
        self.posts += 1
        lines = body.split(b"\n")
        if len(lines) > self.largest:
            return Refusal("larger than the store takes")
        bad = [line for line in lines if line.startswith(b"bad")]
        if bad:
            return Refusal(self.words(bad))
        self.stored.update(lines)
        return None


GOOD = [b"good%d" % n for n in range(5_000)]
REPORTS = {
    "names-all": lambda bad: (
        "partial write: " + "\n".join(f"unable to parse '{b.decode()}': missing fields" for b in bad) + " dropped=0"
    ),
    "names-one": lambda bad: f"partial write: unable to parse '{bad[0].decode()}': missing fields dropped=0",
    "names-another-line": lambda bad: "unable to parse 'something else': missing fields",
    "counts": lambda bad: f"partial write: field type conflict: input field dropped={len(bad)}",
    "says-little": lambda bad: "bad request",
}


@pytest.mark.parametrize("words", REPORTS.values(), ids=REPORTS.keys())
@pytest.mark.parametrize("places", [[0], [4_999], [17, 18, 2_500]])
async def test_exactly_the_bad_lines_come_back(words: Callable[[list[bytes]], str], places: list[int]) -> None:
    """However little the store says, each bad line is found, with a reason, and each good line is stored."""
    lines = list(GOOD)
    for place in places:
        lines[place] = b"bad%d" % place
    store = Picky(words)
    poison = await write_isolating(store.post, lines)
    assert [each.line for each in poison] == [lines[place] for place in places]
    assert all(each.reason for each in poison)
    assert store.stored == set(lines) - {each.line for each in poison}
    assert store.posts <= 2 * len(places) * math.ceil(math.log2(len(lines)) + 1)


async def test_a_batch_of_nothing_but_conflicts_is_not_halved() -> None:
    """When the store counts as many dropped as were sent, one answer is enough."""
    store = Picky(REPORTS["counts"])
    assert len(await write_isolating(store.post, [b"bad%d" % n for n in range(5_000)])) == 5_000
    assert store.posts == 1


async def test_a_body_that_is_too_large_is_halved() -> None:
    """Nothing is wrong with the lines, so all are stored."""
    store = Picky(REPORTS["says-little"], largest=700)
    assert await write_isolating(store.post, GOOD) == []
    assert store.stored == set(GOOD)


async def test_a_reason_is_short_and_does_not_repeat_the_line() -> None:
    """A line of a thousand characters is kept once."""
    line = b"bad" + b"x" * 1_000
    store = Picky(REPORTS["names-one"])
    (poison,) = await write_isolating(store.post, [line])
    assert poison == Poison(line, "partial write: unable to parse '…': missing fields dropped=0")


class TestVerdict:
    @pytest.mark.parametrize("status", [200, 204])
    def test_stored(self, status: int) -> None:
        """Both words for "stored" are one."""
        assert verdict(status, "", "token") is None

    @pytest.mark.parametrize(
        ("status", "text", "detail"),
        [
            (400, '{"error":"partial write: field type conflict"}', "partial write: field type conflict"),
            (400, '{"code":"invalid","message":"unable to parse"}', "unable to parse"),
            (422, '{"code":"unprocessable entity","message":"field type conflict"}', "field type conflict"),
            (413, "<html>Request Entity Too Large</html>", "larger than the store takes"),
        ],
    )
    def test_refused_for_ever(self, status: int, text: str, detail: str) -> None:
        """What InfluxDB itself refuses will not be taken tomorrow either."""
        assert verdict(status, text, "token") == Refusal(detail)

    @pytest.mark.parametrize(
        ("status", "text", "words"),
        [
            (401, '{"error":"authorization failed"}', r"refuses us \(401\); check token and bucket: authorization failed"),
            (403, "", r"refuses us \(403\); check token and bucket: no reason given"),
            (404, '{"code":"not found","message":"bucket \\"x\\" not found"}', 'check token and bucket: bucket "x" not found'),
            (400, "The plain HTTP request was sent to HTTPS port", "answers 400: The plain HTTP request"),
            (400, "[]", "answers 400"),
            (302, "", "answers 302"),
            (429, "slow down", "answers 429: slow down"),
            (500, '{"error":"timeout"}', "answers 500: timeout"),
            (503, "", "answers 503"),
        ],
    )
    def test_not_now(self, status: int, text: str, words: str) -> None:
        """An operator's error, a proxy's answer or a busy store costs no line, and says what to look at."""
        with pytest.raises(StoreUnavailable, match=words):
            verdict(status, text, "token and bucket")


class TestPoisonFile:
    def test_it_is_line_protocol_with_reasons(self, tmp_path: Path) -> None:
        """Each line stands under its reason as a comment, so that the file can be mended and posted."""
        keep = PoisonFile(tmp_path / "poison.lp")
        keep(Poison(b"pump rate_ml_h=x 1", "invalid\nnumber"))
        keep(Poison(b"pump, rate_ml_h=1 2", "missing tag"))
        assert (tmp_path / "poison.lp").read_text() == (
            "# invalid number\npump rate_ml_h=x 1\n# missing tag\npump, rate_ml_h=1 2\n"
        )

    def test_it_has_a_limit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A full file becomes the older one of two; the newest lines stay."""
        monkeypatch.setattr(influx_sink, "POISON_FILE_MAX_BYTES", 1_000)
        keep = PoisonFile(tmp_path / "poison.lp")
        for n in range(200):
            keep(Poison(b"line %d" % n, "reason"))
        files = sorted(tmp_path.iterdir())
        assert [file.name for file in files] == ["poison.lp", "poison.lp.1"]
        assert all(file.stat().st_size < 1_100 for file in files)
        assert files[0].read_text().endswith("line 199\n")

    def test_a_disk_that_refuses_is_only_told(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """The forwarder goes on: the journal has the record."""
        PoisonFile(tmp_path / "no" / "such" / "poison.lp")(Poison(b"line", "reason"))
        assert "cannot set a refused line aside" in caplog.text


@pytest.mark.parametrize(
    "make", [lambda: InfluxV1Sink("http://127.0.0.1:1", ""), lambda: InfluxV2Sink("http://127.0.0.1:1", "o", "", "t")]
)
def test_a_sink_without_a_target_is_refused_at_once(make: Callable[[], object]) -> None:
    """An empty database or bucket would make the store refuse every body as malformed."""
    with pytest.raises(ValueError, match="is empty"):
        make()
