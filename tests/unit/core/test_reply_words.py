"""Which texts mean something, on a corpus of what people and machines really send."""
# ruff: noqa: RUF001  people write in wide letters too

import pytest

from gateway.core.reply_words import TEXT_MAX, Take, Wish, read

PAGE = "P-017 HIGH: pump alarm air in line since 09:02. 4 h limit at 13:02. Reply 4711 to take it."


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("4711", "4711"),
        (" 4711 ", "4711"),
        ("4711.", "4711"),
        ("#4711", "4711"),
        ("ack 4711", "4711"),
        ("ACK 4711!", "4711"),
        ("Ack: 4711", "4711"),
        ("ack4711", None),
        ("acknowledge 4711", "4711"),
        ("Acknowledged", ""),
        ("ok 471100", "471100"),
        ("yes", ""),
        ("Ok.", ""),
        ("ack", ""),
        ("\u200e4711\u200e", "4711"),
        ("\ufeffack 4711", "4711"),
        ("４７１１", "4711"),
        ("ack\n4711", "4711"),
    ],
)
def test_what_takes_an_incident(written, code):
    """The code of four or six digits, a word for "I have it", or both; nothing else, however well it is meant."""
    assert read(written) == (Take(code) if code is not None else None)


@pytest.mark.hazard("H-58")
@pytest.mark.parametrize(
    "written",
    [
        # quoted pages, as mail programs, telephones and people send them back
        PAGE,
        f"Re: {PAGE}",
        f"RE: FW: {PAGE}",
        f"> {PAGE}",
        f"ok\n\n> {PAGE}",
        f'"{PAGE}"',
        "Reply 4711 to take it.",
        "4711 to take it",
        # receipts and what telephones do with a touch
        "Read",
        "Read 09:02",
        "Delivered",
        "Message read on Mon 09:02",
        "Gelesen: 4711",
        f"Liked \u201c{PAGE}\u201d",
        f"Emphasized \u201c{PAGE}\u201d",
        "Liked an image",
        "\N{THUMBS UP SIGN}",
        "\N{THUMBS UP SIGN} to \u201c4711\u201d",
        # people who are away, at the wheel, in a meeting
        "Out of office",
        "Automatic reply: I am out of the office until 4711.",
        "I'm driving right now. I'll get back to you later.",
        "Auto-reply: OK, I will answer when I am back. Call 4711.",
        "Sorry, I can't talk right now.",
        "Busy. Text me?",
        "Can I call you back?",
        "我正在開會，稍後回覆",
        # voice boxes, written down by a machine
        "Voicemail from +85290000001 (0:07): okay four seven one one",
        "New voicemail (0:12): ok 4711 bye",
        "Missed call from 4711",
        "You have 4711 new messages",
        # undelivered, opted out, balance
        "Message not delivered",
        "User has opted out",
        "Your code is 4711",
        "4711 is your verification code",
        "Balance: 4711",
        # people who mean something else
        "no",
        "nack",
        "not ok",
        "on my way",
        "who is this?",
        "ack?",
        "ok?",
        "ack P-017",
        "4711 4712",
        "4711 please",
        "47111",
        "471",
        "0",
        "ok ok",
        "stop the pump",
        "please stop",
        "start the pump",
        "STOP 4711",
        "end of shift",
        "",
        "   ",
        "\u200b",
        "!",
        "4711" + " " * TEXT_MAX + ".",
        "x" * 10_000,
    ],
)
def test_what_means_nothing(written):
    """No part of a text counts, only the whole of it."""
    assert read(written) is None


@pytest.mark.parametrize(
    "written", ["STOP", "Stop.", " stop ", "STOPALL", "stop all", "Unsubscribe", "CANCEL", "End", "quit!", "停止"]
)
def test_what_ends_the_messages(written):
    """The words that networks know, alone in the message."""
    assert read(written) is Wish.STOP


@pytest.mark.parametrize("written", ["START", "start.", "UNSTOP", "Resume", "opt in", "開始"])
def test_what_brings_them_back(written):
    """`yes` is none of them here: it takes an incident."""
    assert read(written) is Wish.START
