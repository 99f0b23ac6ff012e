"""What a Twilio call says and asks, as TwiML: a text is read out, and one key decides. Speech is never listened to.

Source: Twilio's reference of `<Gather>` and `<Say>`. Without a key the call goes on to what stands behind `<Gather>`, so that
silence, a voice box and a machine that talks lead to the end of the call, and change nothing.
"""

# ruff: noqa: RUF001  Chinese has its own commas

import re
from xml.sax.saxutils import escape, quoteattr

TAKE, PASS_ON = "4", "6"
WAIT_S = 10  # for a key
ROUNDS = 2  # the text is read so often

_CHINESE = re.compile("[\u3400-\u9fff]")
_PROMPTS = {
    "": ("Press 4 to take it, 6 to pass it on.", "No key was pressed. Nothing was changed."),
    "zh-HK": ("按 4 接手，按 6 轉交。", "沒有按鍵，沒有任何改變。"),
}


def ask(text: str, action: str) -> str:
    """A call that reads the text and sends the key that is pressed to `action` (a URL)."""
    language = _language(text)
    prompt, nothing = _PROMPTS[language]
    said = _say(text, language) + _say(prompt, language)
    gather = (
        f'<Gather input="dtmf" numDigits="1" timeout="{WAIT_S}" method="POST" action={quoteattr(action)}>{said}</Gather>' * ROUNDS
    )
    return f"<Response>{gather}{_say(nothing, language)}<Hangup/></Response>"


def say(text: str) -> str:
    """A call that says one thing and ends."""
    return f"<Response>{_say(text, _language(text))}<Hangup/></Response>"


def nothing() -> str:
    """The answer to a text message to which the answer comes another way."""
    return "<Response/>"


def _say(text: str, language: str) -> str:
    return f"<Say{f' language={quoteattr(language)}' if language else ''}>{escape(text)}</Say>"


def _language(text: str) -> str:
    return "zh-HK" if _CHINESE.search(text) else ""
