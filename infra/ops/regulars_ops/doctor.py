"""`regulars doctor`: is everything in order? Each check answers ok, warn or bad with a sentence and what to do."""

from __future__ import annotations

import argparse
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta

from regulars.clock import clock_from
from regulars.errors import RegularsError
from regulars.flow import FLOW
from regulars_ops import dead
from regulars_ops.stack import Stack

_LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Finding:
    """`state`: ok, warn, bad."""

    check: str
    state: str
    says: str


def run(stack: Stack, chosen: argparse.Namespace) -> int:
    """Print every finding; 1 when any is bad."""
    findings = [finding for check in CHECKS for finding in _guarded(check, stack)]
    if chosen.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{finding.state:5}{finding.check:14} {finding.says}")
    return 1 if any(finding.state == "bad" for finding in findings) else 0


def _guarded(check: Callable[[Stack], Iterator[Finding]], stack: Stack) -> list[Finding]:
    try:
        return list(check(stack))
    except RegularsError as error:
        return [Finding(check.__name__.strip("_"), "bad", error.reason)]


def _functions(stack: Stack) -> Iterator[Finding]:
    missing = []
    for function in FLOW:
        try:
            stack.environment(function.name)
        except RegularsError:
            missing.append(function.name)
    if missing:
        yield Finding("functions", "bad", f"not deployed: {', '.join(missing)}; deploy the template again")
    else:
        yield Finding("functions", "ok", f"all {len(FLOW)} deployed")


def _api(stack: Stack) -> Iterator[Finding]:
    url = f"{stack.api_url.rstrip('/')}/v1/health"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            yield Finding("api", "ok", f"{url} answers {answer.status}")
    except (urllib.error.URLError, TimeoutError) as error:
        yield Finding("api", "bad", f"{url}: {error}")


def _dead_letters(stack: Stack) -> Iterator[Finding]:
    for queue in sorted(stack.queue_urls):
        count = dead.depth(stack.dead_letter_url(queue))
        if count:
            says = f"{count} in {queue}: `regulars dead {queue}` shows them, `regulars replay {queue}` brings them back"
            yield Finding("dead letters", "bad", says)
            return
    yield Finding("dead letters", "ok", "none")


def _timers(stack: Stack) -> Iterator[Finding]:
    from regulars.adapters.dynamodb.timers import DynamoTimers

    settings = stack.environment("fire_timers")
    now = clock_from(settings.get("CLOCK_SOURCE", "system"))()
    timers = DynamoTimers(settings["TIMERS_TABLE"], int(settings["TIMER_SHARDS"]))
    oldest = min((mark for mark in timers.watermarks().values() if mark), default=None)
    if oldest is None:
        yield Finding("timers", "warn", "no tick has run yet; the minute schedule or `regulars tick` runs one")
    elif now - oldest > _LATE:
        yield Finding("timers", "warn", f"the oldest watermark is {now - oldest} behind; is the minute schedule enabled?")
    else:
        yield Finding("timers", "ok", f"watermark {oldest:%Y-%m-%d %H:%M}Z")


def _model(stack: Stack) -> Iterator[Finding]:
    from regulars.adapters.dynamodb.models import DynamoModels

    pointer = DynamoModels(stack.environment("build_similarity")["MODELS_TABLE"]).pointer()
    if pointer is None:
        yield Finding("model", "warn", "none built yet; recommendations fall back to popularity. `regulars build similarity`")
    else:
        yield Finding("model", "ok", f"version {pointer.version}, built {pointer.built_at:%Y-%m-%d %H:%M}Z")


CHECKS: tuple[Callable[[Stack], Iterator[Finding]], ...] = (_functions, _api, _dead_letters, _timers, _model)
