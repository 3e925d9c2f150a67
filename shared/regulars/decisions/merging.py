"""Which of several words about consent stands, and two contacts that turn out to be one shopper.

Words about consent arrive late and in any order (apps that were offline, providers that repeat themselves, links). Each is
a register by subject: the later instant wins, a tie goes to the refusal. That is a maximum, so the order of arrival, and
of joins, does not matter (Shapiro et al., "Conflict-free Replicated Data Types", 2011: last-writer-wins register).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from regulars.channels.model import Contact
from regulars.clock import to_ms


def joined(source: Contact, target: Contact, now: datetime) -> Contact:
    """The target's own values win, of words about consent the later, and every slot stays taken, one a moment."""
    words = newer(target, {**source.consent, **source.topics}, source.consent_at)
    slots = {slot.moment_id: slot for slot in (*source.slots, *target.slots)}
    return replace(
        target,
        version=max(source.version, target.version) + 1,
        addresses={**source.addresses, **target.addresses},
        consent={**source.consent, **target.consent, **_of(words, channels=True)},
        topics={**source.topics, **target.topics, **_of(words, channels=False)},
        consent_at={
            **source.consent_at,
            **target.consent_at,
            **{subject: source.consent_at.get(subject, 0) for subject in words},
        },
        language=target.language or source.language,
        time_zone=target.time_zone or source.time_zone,
        country=target.country or source.country,
        name=target.name or source.name,
        push_vendor=target.push_vendor or source.push_vendor,
        slots=tuple(sorted(slots.values(), key=lambda slot: (slot.at, slot.moment_id))),
        updated_at=now,
    )


def newer(standing: Contact, words: Mapping[str, bool], given_ms: Mapping[str, int]) -> dict[str, bool]:
    """Those of `words` (subject → word, given at `given_ms`) that stand against what the contact says."""
    return {
        subject: word
        for subject, word in words.items()
        if _rank(word, given_ms.get(subject, 0)) > _rank(_word(standing, subject), standing.consent_at.get(subject, 0))
    }


def unsaid(standing: Contact, words: Mapping[str, bool]) -> dict[str, bool]:
    """Those of `words` that say more than that what is refused is still refused. Apps repeat a refusal at every start: that
    moves its instant, so that no consent from before it comes to stand, and needs no proof and no new look at the contact."""
    return {subject: word for subject, word in words.items() if word or _word(standing, subject) is not False}


def given(words: Iterable[str], consent_at: Mapping[str, datetime] | None, now: datetime) -> dict[str, int]:
    """When each of `words` was given, epoch ms: `now` unless `consent_at` says; never later, or a clock that is fast would
    outlive the refusals of the next minutes."""
    told = consent_at or {}
    return {subject: to_ms(min(told.get(subject, now), now)) for subject in words}


def _word(contact: Contact, subject: str) -> bool | None:
    return (contact.topics if "/" in subject else contact.consent).get(subject)


def _rank(word: bool | None, at_ms: int) -> tuple[bool, int, bool]:
    """Any word beats none, a later one an earlier one, a refusal a consent of the same instant."""
    return word is not None, at_ms if word is not None else 0, word is False


def _of(words: Mapping[str, bool], *, channels: bool) -> dict[str, bool]:
    return {subject: word for subject, word in words.items() if ("/" not in subject) is channels}
