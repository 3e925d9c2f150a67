"""Telling machines from shoppers: mail proxies fetch pictures, scanners follow links, browsers load pages ahead.

What gives one away, each enough by itself:

    the request     HEAD, or a header that says it loads ahead: Sec-Purpose (Fetch standard), X-Purpose (Safari), X-Moz
                    (Firefox), Purpose (Chrome before Sec-Purpose)
    the name        agents and parts of agents that name themselves
    the haste       an open or click within `machine_seconds` of its delivery; nobody reads that fast
    the breadth     another link of the same message within `burst_milliseconds`: scanners follow all of them at once

The first click of such a burst looks like a shopper's until the second: it is taken back then (mark `unclicked`), and a
click that comes later, on its own, counts as `clicked_again`.
"""

from __future__ import annotations

from collections.abc import Mapping

from regulars.decisions.model import Message, State
from regulars.feedback.config import FeedbackConfig
from regulars.messages import Feedback
from regulars.web import Request

_AHEAD_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_AHEAD = ("prefetch", "prerender", "preview")
TAKEN_BACK, AGAIN = "unclicked", "clicked_again"


def loads_ahead(request: Request) -> str:
    """What of the request says that nobody looks at the answer yet; "" for nothing."""
    if request.method == "HEAD":
        return "head"
    for name in _AHEAD_HEADERS:
        said = request.headers.get(name, "").lower()
        if any(word in said for word in _AHEAD):
            return name
    return ""


def is_machine(feedback: Feedback, message: Message | None, config: FeedbackConfig) -> bool:
    """Whether an open or a click is a machine's, as far as can be told now."""
    return _named(feedback, config) or (
        message is not None and (_hasty(feedback, message, config) or in_burst(feedback, message, config))
    )


def in_burst(feedback: Feedback, message: Message, config: FeedbackConfig) -> bool:
    """Whether another link of the message was clicked at the same moment, before or after this one."""
    link = _link(feedback)
    if feedback.kind != "clicked" or not link:
        return False
    return any(
        word in ("clicked", "machine_clicked")
        and detail
        and detail != link
        and abs(at_ms - feedback.at_ms) <= config.burst_milliseconds
        for at_ms, word, detail in message.history
    )


def taken_back(marks: Mapping[str, int], feedback: Feedback, config: FeedbackConfig) -> bool:
    """Whether the message's `clicked` is part of the burst this machine click belongs to, and still stands."""
    clicked = marks.get("clicked")
    return clicked is not None and TAKEN_BACK not in marks and abs(clicked - feedback.at_ms) <= config.burst_milliseconds


def click_marks(marks: Mapping[str, int]) -> tuple[int, ...]:
    """When the message was clicked by the shopper, epoch ms: what attribution and learning may use."""
    own = [] if TAKEN_BACK in marks or "clicked" not in marks else [marks["clicked"]]
    return (*own, *([marks[AGAIN]] if AGAIN in marks else []))


def _named(feedback: Feedback, config: FeedbackConfig) -> bool:
    if feedback.detail.get("bot"):
        return True
    agent = str(feedback.detail.get("user_agent", "")).strip()
    if agent in config.machine_agents:
        return True
    lowered = agent.lower()
    return any(part in lowered for part in config.machine_agent_parts)


def _hasty(feedback: Feedback, message: Message, config: FeedbackConfig) -> bool:
    """Too soon after the message arrived: its delivery if that is known, else the moment its provider took it."""
    at_ms = message.marks.get("delivered") or max((at for at, word, _ in message.history if word == State.SENT), default=0)
    return bool(at_ms) and feedback.at_ms - at_ms < config.machine_seconds.get(message.channel, 0) * 1000


def _link(feedback: Feedback) -> str:
    return str(feedback.detail.get("link") or "")
