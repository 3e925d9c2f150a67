"""The story of one shopper as plain text, a paragraph a moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def as_text(told: Mapping[str, Any]) -> str:
    """The story as plain text, a paragraph a moment."""
    who = told["who"]
    lines = [
        f"{told['shopper']} as of {told['as_of']}",
        f"  {who['stage']} shopper, value tier {who['tier']}{', RFM ' + who['rfm'] if who['rfm'] else ''}, "
        f"{who['orders']} orders; {who['time_zone']} ({who['country']})"
        + ("; control group, never written to" if who["holdout"] else "")
        + (f"; control group of {', '.join(who['control_of'])}" if who["control_of"] else ""),
        *([_foretold(who["expected"])] if "expected" in who else []),
        "  consent: " + (", ".join(f"{name} {word}" for name, word in who["consent"].items()) or "none given"),
        "  addresses: " + (", ".join(f"{name} {text}" for name, text in who["addresses"].items()) or "none"),
        "  caps: " + ", ".join(f"{name} {use}" for name, use in who["caps"].items()),
        *(
            ["  paused: " + ", ".join(f"{name} ({why})" for name, why in who["paused_channels"].items())]
            if "paused_channels" in who
            else []
        ),
        "",
    ]
    if not told["moments"]:
        lines.append("No moment has come up for this shopper yet.")
    for moment in told["moments"]:
        lines += _paragraph(moment)
    return "\n".join(lines)


def _foretold(expected: Mapping[str, Any]) -> str:
    return (
        f"  expected: {expected['purchases']:g} purchases within {expected['within_days']} days"
        f" (any: {expected['chance']:.0%}), the next about {expected['next_purchase']};"
        f" value of the coming year {expected['lifetime_value_cents'] / 100:.2f}"
    )


def _paragraph(moment: Mapping[str, Any]) -> Iterable[str]:
    on = f" on {moment['channel']}" if "channel" in moment else ""
    of = f" of {moment['campaign']}" if "campaign" in moment else ""
    yield f"{moment['decided_at_local']}  {moment['kind']}{of}: {moment['state']}{on}"
    yield f"    {moment['sentence']} [{moment['reason']}]"
    if "waits_until_local" in moment:
        yield f"    waits until {moment['waits_until_local']}"
    if "refused_by" in moment:
        yield f"    refused by {', '.join(moment['refused_by'])}"
    if "name" in moment.get("offer", {}):
        yield f"    brings {moment['offer']['name']}"
    if moment.get("shows"):
        yield f"    shows {', '.join(moment['shows'])}"
    if len(moment["history"]) > 1 or any(step["detail"] != moment["reason"] for step in moment["history"]):
        for step in moment["history"]:
            yield f"    {step['at']}  {step['what']}{' ' + step['detail'] if step['detail'] else ''}"
    for mark, at in moment.get("feedback", {}).items():
        yield f"    {at}  {mark}"
