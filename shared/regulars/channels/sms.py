"""How long an SMS is (3GPP TS 23.038): 160 or 70 characters in one part, 153 or 67 in each of several."""

from __future__ import annotations

_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€")
_LOOKALIKES = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " ", "×": "x", "•": "-"}
)


def plain(text: str) -> str:
    """Typographic signs as their GSM look-alikes: one curly quote would make the whole message cost double."""
    return text.translate(_LOOKALIKES)


def parts(text: str) -> int:
    """How many parts the text is sent and billed as."""
    if all(character in _GSM_BASIC or character in _GSM_EXTENDED for character in text):
        units, single, several = sum(2 if character in _GSM_EXTENDED else 1 for character in text), 160, 153
    else:
        units, single, several = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if units <= single else -(-units // several)
