"""Every reason code with its sentence. Codes are stable: ledgers, counters and reports keep them.

A code may be added, never renamed or given another meaning. `sentence` is what an operator reads.
"""

from __future__ import annotations

CHOSEN = "chosen"
EXPIRED = "expired"
FROM_THE_FUTURE = "from_the_future"
UNKNOWN_KIND = "unknown_kind"
ANSWERED = "answered_by_order"
UNKNOWN_SHOPPER = "unknown_shopper"
ERASED = "erased"
MUTED = "muted"
HOLDOUT = "holdout"
CONTROL = "control"
NO_CONSENT = "no_consent"
NO_ADDRESS = "no_address"
SUPPRESSED = "suppressed"
PROVIDER_REFUSED = "provider_refused"
CHANNEL_PAUSED = "channel_paused"
OVER_BUDGET = "over_budget"
SOLD_OUT = "sold_out"
OFFER_CLOSED = "offer_closed"
OUTRANKED = "outranked"
CAP_OVERALL = "cap_overall"
CAP_CHANNEL = "cap_channel"
CAP_KIND = "cap_kind"
CAP_TOPIC = "cap_topic"
CAP_CAMPAIGN = "cap_campaign"
CAP_VENDOR = "cap_vendor"
NO_TIME_ZONE = "no_time_zone"
QUIET_HOURS = "quiet_hours"
NO_OPEN_HOUR = "no_open_hour"
BEST_HOUR = "best_hour"
NOTHING_TO_SHOW = "nothing_to_show"
DEFERRED_TOO_OFTEN = "deferred_too_often"
MERGED = "merged"

CONSENT_WITHDRAWN = "consent_withdrawn"
ADDRESS_CHANGED = "address_changed"
CAP_FULL = "cap_full"
SENT = "sent"
UNDECIDABLE = "undecidable"
REFUSED = "refused"
GAVE_UP = "gave_up"
NO_PROVIDER = "no_provider"
RENDER_FAILED = "render_failed"
LEASE_EXPIRED = "lease_expired"
THROTTLED = "throttled"

SENTENCES = {
    CHOSEN: "Decided to write: nothing stood against it.",
    EXPIRED: "The moment had passed before anything could be sent.",
    FROM_THE_FUTURE: "The moment claims to have happened in the future; it is not believed.",
    UNKNOWN_KIND: "No such kind of message is configured.",
    ANSWERED: "The shopper has ordered since; there is nothing left to remind of.",
    UNKNOWN_SHOPPER: "Nothing is known of this shopper.",
    ERASED: "The shopper asked to be forgotten.",
    MUTED: "The shopper has an open complaint; marketing is silent until it is settled.",
    HOLDOUT: "The shopper belongs to the control group that is never written to, to measure what messages bring.",
    CONTROL: "The shopper belongs to the control group of this campaign, to measure what the campaign brings.",
    NO_CONSENT: "The shopper has not agreed to such messages on any channel.",
    NO_ADDRESS: "The shopper agreed, but no address is known on any channel that is allowed.",
    SUPPRESSED: "The address is suppressed: it bounced, complained or said stop.",
    PROVIDER_REFUSED: "The channel's provider refused this message; no other channel was left.",
    CHANNEL_PAUSED: "Marketing on this channel is paused.",
    OVER_BUDGET: "The money set aside for such messages is spent, or its coupon is in another currency than the budgets.",
    SOLD_OUT: "The offer that the message would have brought is used up.",
    OFFER_CLOSED: "The offer that the message would have brought has not begun or has ended.",
    OUTRANKED: "A more important message to the same shopper goes first.",
    CAP_OVERALL: "The shopper has had as many messages as the shop allows in this time.",
    CAP_CHANNEL: "The shopper has had as many messages on this channel as the shop allows in this time.",
    CAP_KIND: "The shopper has had as many messages of this kind as the shop allows in this time.",
    CAP_TOPIC: "The shopper has had as many messages on this topic as the shop allows in this time.",
    CAP_CAMPAIGN: "The shopper has had as many messages of this campaign as the shop allows in this time.",
    CAP_VENDOR: "The maker of the shopper's telephone lets no more marketing through to it in this time.",
    NO_TIME_ZONE: "Nothing tells what time it is where the shopper lives, so it may be night.",
    QUIET_HOURS: "It is night, or not a legal hour, where the shopper lives.",
    NO_OPEN_HOUR: "The moment would expire before it is allowed to write where the shopper lives.",
    BEST_HOUR: "Waits for the hour at which this shopper usually reads.",
    NOTHING_TO_SHOW: "Every item the message would have been about is gone or out of stock.",
    DEFERRED_TOO_OFTEN: "The moment was put off too many times.",
    MERGED: "The shopper became known under another name; the decision was made there.",
    CONSENT_WITHDRAWN: "The shopper withdrew consent after the decision; the message was stopped.",
    ADDRESS_CHANGED: "The address changed or was removed after the decision; the message was stopped.",
    CAP_FULL: "Other messages took the last free place in the meantime.",
    SENT: "The provider accepted the message.",
    UNDECIDABLE: "It cannot be told whether the provider accepted the message; it is never sent again.",
    REFUSED: "The provider refused the message for good.",
    GAVE_UP: "The provider could not be reached within the allowed tries.",
    NO_PROVIDER: "Nothing is set up to send on this channel.",
    RENDER_FAILED: "The template and the content do not fit; the log says where.",
    LEASE_EXPIRED: "The sender died or stalled between claiming and writing its receipt.",
    THROTTLED: "It could not be handed over at that moment; the order comes again.",
}


def sentence(code: str) -> str:
    """The sentence of a code; what follows a colon is the provider's own word. An unknown code is shown as it is."""
    word, _, detail = code.partition(":")
    told = SENTENCES.get(word, f"Reason {word}.")
    return f"{told} ({detail})" if detail else told
