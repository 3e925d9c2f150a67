"""The daily sweep: stage, tier, RFM and expected purchases of every shopper, rule tags that the calendar changes, win-back
moments, and those of the calendar.

One pass reads everybody and keeps the few numbers that decide; then only who changed is read again and written on her
version. A changed shopper who acts meanwhile is judged anew tomorrow. Moments go out before the change is written: a sweep
that dies in between emits them again, and their ids (kind and the day of the last order) make them the same moments.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from regulars.clock import Clock, from_ms, to_ms, zone_named
from regulars.errors import Conflict, GiveUp
from regulars.ids import short_hash
from regulars.messages import Moment
from regulars.needs.forecasting import Forecaster
from regulars.profiles.config import Coverage, ProfilesConfig
from regulars.profiles.lifecycle import Situation, decide
from regulars.profiles.model import Expected, Order, Profile
from regulars.profiles.occasions import Calendar, note_told, told_through
from regulars.profiles.outlooks import expected_of, told
from regulars.profiles.reading import profile_at, ruled
from regulars.profiles.record import DAY_MS, Record, Standing, trimmed
from regulars.profiles.retention import Retention, high_value
from regulars.profiles.rfm import Bought, RfmLines, TierLines, bought, lines
from regulars.profiles.rules import Rule
from regulars.profiles.writing import ProfileStore, Stored
from regulars.queues import Queue
from regulars.storage import Storage

SUMMARY_KEY = "profiles/sweep/day={day}.json"
CHANGES_KEY = "profiles/changes/day={day}.jsonl"


def changes_key(day: object) -> str:
    """Where the list of a day (a date) of changed stages lies."""
    return CHANGES_KEY.format(day=day)


Report = Callable[[str, Mapping[str, Any]], None]
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class _Swept:
    """What the pass keeps of one shopper."""

    shopper: str
    version: int
    standing: Standing
    situation: Situation
    window: Bought | None
    spent_cents: int
    silent_since: str
    silent_days: float
    favourite: str
    rule_tags: Mapping[str, tuple[str, ...]] | None
    expected: Expected | None
    occasions: tuple[Moment, ...]


class SweepLifecycle:
    """One daily run; returns its summary, which also lies in the data bucket with the list of changes."""

    def __init__(
        self,
        *,
        profiles: ProfileStore,
        moments: Queue,
        storage: Storage,
        config: ProfilesConfig,
        rules: Sequence[Rule],
        clock: Clock,
        report: Report,
        needs: Callable[[], Forecaster | None] = lambda: None,
    ) -> None:
        self._profiles = profiles
        self._moments = moments
        self._storage = storage
        self._config = config
        self._rules = rules
        self._clock = clock
        self._report = report
        self._needs = needs

    def __call__(self) -> Mapping[str, Any]:
        now = self._clock()
        covered = _Covered(self._config.coverage, Retention(now))
        forecaster, version = self._forecaster()
        zone = zone_named(self._config.weights.time_zone) or ZoneInfo("UTC")
        calendar = Calendar(self._config.occasions, self._config.festivals, told_through(self._storage), now, zone)
        everybody = [self._look(stored, now, covered, forecaster, calendar) for stored in self._profiles.scan()]
        rfm_lines = lines(self._config.rfm, [entry.window for entry in everybody if entry.window])
        tier_lines = TierLines(self._config.tiers, [entry.spent_cents for entry in everybody])
        judged = [(entry, self._judge(entry, rfm_lines, tier_lines, now)) for entry in everybody]
        moments = [moment for entry, standing in judged for moment in self._win_back(entry, standing, now)]
        occasions = [moment for entry in everybody for moment in entry.occasions]
        out = [*moments, *occasions]
        for start in range(0, len(out), _AT_ONCE):
            self._moments.send(out[start : start + _AT_ONCE])
        note_told(self._storage, calendar.today)
        changes = self._write(judged, {moment.shopper: moment.subject for moment in moments}, now)
        summary = {
            "day": now.date().isoformat(),
            "shoppers": len(everybody),
            "changed": len(changes),
            "stages": dict(Counter(standing.stage for _, standing in judged)),
            "tiers": dict(Counter(standing.tier for _, standing in judged)),
            "win_back": dict(Counter(moment.kind for moment in moments)),
            "occasions": dict(Counter(moment.kind for moment in occasions)),
            "high_tier_from_cents": tier_lines.high_cents,
            "needs": version,
            "lifetime_cents": sum(standing.expected.lifetime_cents for _, standing in judged if standing.expected),
            **covered.shares(len(everybody)),
            **covered.retention.numbers(),
            **high_value(standing for _, standing in judged),
        }
        self._keep(summary, changes)
        return summary

    def _forecaster(self) -> tuple[Forecaster | None, str]:
        """(the forecaster, its version or why there is none): a broken model leaves the facts as they are."""
        try:
            found = self._needs()
        except GiveUp as error:
            self._report("needs_model_broken", {"reason": error.reason})
            return None, error.code
        return found, found.version if found else ""

    def _look(
        self, stored: Stored, now: datetime, covered: _Covered, forecaster: Forecaster | None, calendar: Calendar
    ) -> _Swept:
        config, record = self._config, stored.record
        profile = profile_at(record, stored.orders, now, config.weights)
        covered.add(profile)
        rule_tags = ruled(record, now, config, self._rules)
        window = bought(profile.orders, now, config.tiers.window_days)
        known = record.standing.expected
        if forecaster:
            known = told(known, expected_of(profile.orders, now, forecaster), now.date(), forecaster.settings.facts)
        return _Swept(
            shopper=record.shopper,
            version=record.version,
            standing=record.standing,
            situation=_situation(record, profile.orders, now, config.lifecycle.loyal_window_days),
            window=bought(profile.orders, now, config.rfm.window_days),
            spent_cents=window.spent_cents if window else 0,
            silent_since=_silent_since(profile).date().isoformat(),
            silent_days=(now - _silent_since(profile)).total_seconds() / 86400,
            favourite=favourite_category(profile),
            rule_tags=rule_tags if rule_tags != record.rule_tags else None,
            expected=known,
            occasions=tuple(calendar.moments(profile)),
        )

    def _judge(self, entry: _Swept, rfm_lines: RfmLines, tier_lines: TierLines, now: datetime) -> Standing:
        rule = decide(entry.situation, self._config.lifecycle)
        tier, rfm = tier_lines.tier(entry.spent_cents), rfm_lines.letters(entry.window)
        standing = replace(entry.standing, tier=tier, rfm=rfm, expected=entry.expected)
        if rule.stage != standing.stage or not standing.stage_since_ms:
            standing = replace(standing, stage=rule.stage, stage_since_ms=to_ms(now), stage_reason=rule.reason)
        return standing

    def _win_back(self, entry: _Swept, standing: Standing, now: datetime) -> Iterable[Moment]:
        """At most one moment a silence and kind; the kind that tells most goes first."""
        kind = _win_back_kind(entry, standing, self._config.win_back.high_value_days)
        if kind and _answered(entry.standing.win_back, entry.silent_since) < _RANK[kind]:
            lapses = now + timedelta(days=self._config.win_back.lapses_after_days)
            yield Moment(
                id=f"{kind}#{entry.silent_since}",
                correlation_id=f"sweep-{now.date().isoformat()}",
                sent_at_ms=to_ms(now),
                shopper=entry.shopper,
                kind=kind,
                subject=entry.silent_since,
                occurred_at_ms=to_ms(now),
                due_at_ms=to_ms(now),
                expires_at_ms=to_ms(lapses),
                facts={"stage": standing.stage, "category": entry.favourite},
            )

    def _write(
        self, judged: Sequence[tuple[_Swept, Standing]], answered: Mapping[str, str], now: datetime
    ) -> list[dict[str, Any]]:
        """Writes who changed; returns the changes of stage with their reasons."""
        changes = []
        for entry, standing in judged:
            if entry.shopper in answered:
                kind = _win_back_kind(entry, standing, self._config.win_back.high_value_days)
                standing = replace(standing, win_back=f"{answered[entry.shopper]}#{_RANK[kind]}")
            if standing == entry.standing and entry.rule_tags is None:
                continue
            if self._save(entry, standing, now) and standing.stage != entry.standing.stage:
                changes.append(
                    {
                        "shopper": entry.shopper,
                        "from": entry.standing.stage,
                        "to": standing.stage,
                        "reason": standing.stage_reason,
                        "at": now.isoformat(),
                    }
                )
        return changes

    def _save(self, entry: _Swept, standing: Standing, now: datetime) -> bool:
        record = self._profiles.load(entry.shopper)
        if record.version != entry.version:
            return False
        rule_tags = record.rule_tags if entry.rule_tags is None else entry.rule_tags
        record = replace(record, standing=replace(standing, swept_ms=to_ms(now)), rule_tags=rule_tags)
        try:
            self._profiles.save(trimmed(record, self._config.weights, self._config.weights.floor / 10))
        except Conflict:
            return False
        return True

    def _keep(self, summary: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> None:
        day = summary["day"]
        body = json.dumps(summary, sort_keys=True).encode()
        text = "".join(json.dumps(change, ensure_ascii=False) + "\n" for change in changes)
        for change in changes:
            whose = short_hash(change["shopper"]).hex()
            self._report("lifecycle_changed", {**change, "shopper": whose})
        if changes:
            self._storage.put(CHANGES_KEY.format(day=day), text.encode(), "application/x-ndjson")
        self._storage.put(SUMMARY_KEY.format(day=day), body, "application/json")


class _Covered:
    """Counts who has usable tags (P11), and who came back."""

    def __init__(self, config: Coverage, retention: Retention) -> None:
        self.retention = retention
        self._config = config
        self._covered = 0
        self._moved = 0

    def add(self, profile: Profile) -> None:
        telling = [t for t, w in profile.tags.items() if w >= self._config.weight and not t.startswith(("behaviour/", "base/"))]
        self._covered += len(telling) >= self._config.tags
        self._moved += bool(profile.items or profile.tags)
        self.retention.add(profile.orders)

    def shares(self, shoppers: int) -> dict[str, float]:
        """Tags are decayed when read, so none is ever older than its reader: freshness is that of the last deed."""
        whole = max(1, shoppers)
        return {"tag_coverage": round(self._covered / whole, 4), "behaviour_used": round(self._moved / whole, 4)}


def favourite_category(profile: Profile) -> str:
    """The heaviest category tag's value, "" without one."""
    prefix = "preference/category/"
    found = [(weight, tag) for tag, weight in profile.tags.items() if tag.startswith(prefix)]
    return max(found)[1].removeprefix(prefix) if found else ""


_RANK = {"": 0, "winback_high_value": 1, "winback_churn_risk": 2, "winback_dormant": 3}
_KIND_OF_STAGE = {"churn-risk": "winback_churn_risk", "dormant": "winback_dormant"}


def _win_back_kind(entry: _Swept, standing: Standing, high_value_days: int) -> str:
    """What a silence calls for now: its stage where that has just changed, else high value gone quiet."""
    if standing.stage != entry.standing.stage and standing.stage in _KIND_OF_STAGE:
        return _KIND_OF_STAGE[standing.stage]
    quiet = standing.tier == "high" and entry.silent_days >= high_value_days and standing.stage not in ("lost", "dormant")
    return "winback_high_value" if quiet else ""


def _answered(win_back: str, silent_since: str) -> int:
    """How far the silence that began on this day was answered already."""
    since, _, rank = win_back.partition("#")
    return int(rank) if since == silent_since else 0


def _silent_since(profile: Profile) -> datetime:
    """The last order; before any, the last deed."""
    if profile.orders:
        return profile.orders[-1].at
    return profile.last_seen_at or profile.as_of


def _situation(record: Record, orders: Sequence[Order], now: datetime, window_days: int) -> Situation:
    now_ms = to_ms(now)
    since = now - timedelta(days=window_days)
    return Situation(
        stage=record.standing.stage,
        days_in_stage=(now_ms - record.standing.stage_since_ms) / DAY_MS,
        days_since_first=(now_ms - record.first_ms) / DAY_MS if record.first_ms else 0.0,
        days_quiet=(now - from_ms(record.newest_ms)).total_seconds() / 86400 if record.newest_ms else 0.0,
        orders_in_window=sum(order.at >= since for order in orders),
        orders=len(orders),
    )
