"""How long a text is on the air: the GSM 7-bit default alphabet (3GPP TS 23.038), written down for tests."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")


def septets(text: str) -> int | None:
    """The length in septets; None when a character is not in the alphabet, so that 160 would shrink to 70."""
    if not set(text) <= BASIC | EXTENDED:
        return None
    return sum(2 if character in EXTENDED else 1 for character in text)
