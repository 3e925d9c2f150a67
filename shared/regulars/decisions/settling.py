"""Rules 5 to 7 of the arbiter, for a shopper who can be reached: the other moments, the caps, the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.decisions import caps, priorities, quiet, reasons, timing, zones
from regulars.decisions.channel import Ranking
from regulars.decisions.config import Decisions, Hours, Kind
from regulars.decisions.model import State
from regulars.decisions.verdicts import Decision, Facts, withheld


class Case:
    """One reachable shopper and one moment."""

    def __init__(self, facts: Facts, kind: Kind, config: Decisions) -> None:
        self.facts, self.kind, self.config, self.now = facts, kind, config, facts.now
        self.moment = facts.moment
        self.expires_at = facts.expires_at
        self.zones: tuple[ZoneInfo, ...] = zones.zones_of(facts.contact, config.place)
        self.country = zones.country_of(facts.contact, config.place)
        self.vendor = config.vendors.vendor(facts.contact.push_vendor)

    def settle(self, ranking: Ranking) -> Decision:
        """The first channel that is free now; else the one that is free soonest; else why the best one never is."""
        ahead = None if self.kind.transactional else self._winner()
        refused = dict(ranking.refused)
        waiting: Decision | None = None
        never: Decision | None = None
        for name in ranking.usable:
            verdict = self._outranked(name, ahead) if ahead else self._on(name)
            if verdict.state is State.PLANNED:
                return self._planned(name, refused)
            if verdict.state is not State.DEFERRED:
                never = never or verdict
            elif waiting is None or _earlier(verdict, waiting):
                waiting = verdict
            refused[name] = verdict.reason
        return waiting or never or withheld(reasons.NO_CONSENT)

    def _winner(self) -> priorities.Winner | None:
        moment = self.moment
        return priorities.winner(self.facts.recent, self.config, kind=moment.kind, moment_id=moment.id, now=self.now)

    def _planned(self, name: str, refused: Mapping[str, str]) -> Decision:
        overtakes: tuple[str, ...] = ()
        if not self.kind.transactional:
            overtakes = priorities.outranked(self.facts.recent, self.config, kind=self.moment.kind, moment_id=self.moment.id)
        return Decision(state=State.PLANNED, reason=reasons.CHOSEN, channel=name, refused=refused, overtakes=overtakes)

    def _outranked(self, name: str, ahead: priorities.Winner) -> Decision:
        detail = f"{ahead.kind} goes first"
        if ahead.until >= self.expires_at:
            return Decision(state=State.LAPSED, reason=reasons.OUTRANKED, detail=detail)
        return self._deferred(name, reasons.OUTRANKED, ahead.until, detail)

    def _on(self, name: str) -> Decision:
        full = None if self.kind.transactional else self._full(name)
        if full:
            if full.frees_at is None or full.frees_at >= self.expires_at:
                return withheld(full.code, full.detail)
            return self._deferred(name, full.code, full.frees_at, full.detail)
        hours = self._hours(name)
        if not quiet.is_open(self.now, self.zones, hours):
            return self._deferred(name, reasons.QUIET_HOURS, self.now)
        best = self._best(self.now, hours)
        if best and best > self.now and not self.moment.deferrals:
            return self._deferred(name, reasons.BEST_HOUR, self.now)
        return Decision(state=State.PLANNED, reason=reasons.CHOSEN)

    def _full(self, name: str) -> caps.Full | None:
        facts, moment = self.facts, self.moment
        wanted = caps.Wanted(
            kind=moment.kind,
            channel=name,
            tier=facts.profile.tier,
            moment_id=moment.id,
            campaign=moment.campaign,
            vendor=self.vendor,
        )
        return caps.full(caps.taken(facts.contact.slots, facts.recent, self.config, self.now), self.config, wanted, self.now)

    def _hours(self, name: str) -> Hours:
        """As the gate will see them, less the last minutes: a message decided at the stroke would come too late."""
        hours = quiet.hours_for(
            self.config, name, self.country, transactional=self.kind.transactional, manufacturer=self.facts.contact.push_vendor
        )
        margin = self.config.closing_margin_minutes / 60 if hours.closes < 24 else 0
        return replace(hours, closes=hours.closes - margin)

    def _best(self, earliest: datetime, hours: Hours) -> datetime | None:
        """The best hour from `earliest` on, None when waiting for it takes too long or outlives the moment."""
        if self.kind.transactional:
            return None
        wanted = self.kind.slot or timing.best_hours(self.facts.profile, self.config.timing)
        best = timing.best_instant(earliest, self.zones, wanted, hours, self.facts.profile.shopper)
        in_time = best and best < self.expires_at and best - earliest <= timedelta(hours=self.kind.waits_hours)
        return best if in_time else None

    def _deferred(self, name: str, reason: str, earliest: datetime, detail: str = "") -> Decision:
        """Wait until the first good instant from `earliest` on: the best hour if in time, else the first open one."""
        hours = self._hours(name)
        opens = quiet.next_open(earliest, self.zones, hours)
        if opens is None or opens >= self.expires_at:
            return withheld(reasons.NO_OPEN_HOUR if self.zones else reasons.NO_TIME_ZONE, detail or reason)
        until = self._best(opens, hours) or opens
        return Decision(state=State.DEFERRED, reason=reason, detail=detail, channel=name, not_before=until)


def _earlier(one: Decision, other: Decision) -> bool:
    return one.not_before is not None and other.not_before is not None and one.not_before < other.not_before
