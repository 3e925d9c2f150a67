"""One spelling for each address, so that a suppression holds however the address was typed."""

from __future__ import annotations


def normalised(channel: str, address: str) -> str:
    """E-mail in lower case; telephone numbers as + and digits, `00` in front read as +; push tokens as they are."""
    text = address.strip()
    if channel == "email":
        return text.lower()
    if channel == "sms":
        digits = "".join(character for character in text if character.isascii() and character.isdigit())
        return f"+{digits[2:] if digits.startswith('00') and not text.startswith('+') else digits}"
    return text


def masked(address: str) -> str:
    """What an operator may see of an address: enough to recognise it, too little to use it."""
    name, at, host = address.partition("@")
    if at:
        return f"{name[:1]}***@{host}"
    return f"***{address[-3:]}" if len(address) > 6 else "***"
