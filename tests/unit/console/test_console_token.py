import stat

import pytest

from gateway.console.token import TokenRefused, load_or_create_token, read_token, token_file


def test_the_first_start_makes_a_token_that_only_its_owner_reads(tmp_path):
    """The folder is made too; the token stays the same at the next start."""
    path = token_file(tmp_path / "data" / "dripwatch.db")
    token = load_or_create_token(path)
    assert path == tmp_path / "data" / "api-token"
    assert len(token) == 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_token(path) == read_token(path) == token
    assert list(path.parent.iterdir()) == [path]


def test_two_gateways_have_two_tokens(tmp_path):
    """It is random, not derived."""
    assert load_or_create_token(tmp_path / "a") != load_or_create_token(tmp_path / "b")


def test_an_empty_file_gets_a_token(tmp_path):
    """What a full disk left behind does not keep the gateway from starting."""
    (tmp_path / "api-token").touch()
    assert len(load_or_create_token(tmp_path / "api-token")) == 43


@pytest.mark.parametrize(("before", "after"), [(0o666, 0o640), (0o644, 0o640), (0o640, 0o640), (0o400, 0o400)])
def test_what_others_may_read_is_taken_from_them(tmp_path, before, after):
    """A group may be let in on purpose; the world may not."""
    path = tmp_path / "api-token"
    path.write_text("x" * 30 + "\n")
    path.chmod(before)
    assert load_or_create_token(path) == "x" * 30
    assert stat.S_IMODE(path.stat().st_mode) == after


@pytest.mark.parametrize("content", [b"short", b"two words are no token at all", b"\xff" * 30, b"\n"])
def test_a_file_that_holds_something_else_is_refused_with_the_mend(tmp_path, content):
    """A weak or broken token would be worse than none."""
    path = tmp_path / "api-token"
    path.write_bytes(content)
    with pytest.raises(TokenRefused, match=r"holds no token .*; remove it and start the gateway again"):
        load_or_create_token(path)


def test_a_token_that_is_not_there_is_said_with_who_writes_it(tmp_path):
    """The command line's words when the gateway never ran here."""
    with pytest.raises(TokenRefused, match="no such file or directory; the gateway writes this file at its start"):
        read_token(tmp_path / "api-token")


def test_nothing_is_left_behind_when_the_disk_refuses(tmp_path, monkeypatch):
    """Half a token never carries the name, and no stray file stays."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        load_or_create_token(tmp_path / "api-token")
    assert list(tmp_path.iterdir()) == []
