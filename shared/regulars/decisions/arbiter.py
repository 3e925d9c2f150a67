"""The arbiter: what is known → one Decision. Pure; the rules stand in the order in which they speak.

    1 the moment        known kind? not past, not from the future, not put off for ever, not answered by an order
    2 the shopper       known, not erased; for marketing: no open complaint, not in the control group
    3 the channel       consent → address → suppression; the usable ones ranked by worth
    4 the others        of several live moments the highest wins
    5 the caps          rolling, per channel: the next channel may still have a place
    6 the clock         quiet and legal hours, then the hour she usually reads at

Order updates (transactional) skip the shopper's rules for marketing, 4, 5 and the best hour; quiet hours hold for them on
channels that ring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.channels.model import Contact
from regulars.clock import from_ms
from regulars.decisions import caps, channel, priorities, quiet, reasons, timing, zones
from regulars.decisions.config import Decisions, Hours, Kind
from regulars.decisions.model import Message, State
from regulars.ids import short_hash
from regulars.messages import Moment
from regulars.profiles.model import Profile

HOLDOUT, TREATED = "holdout", "treated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a decision may depend on. `recent`: the shopper's ledger. `suppressed`: channel → why her address is."""

    moment: Moment
    profile: Profile
    contact: Contact
    now: datetime
    recent: Sequence[Message] = ()
    suppressed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`state`: PLANNED, DEFERRED (until `not_before`), WITHHELD or LAPSED. `detail` explains the reason's particulars.

    `refused`: why not on each channel passed over. `overtakes`: moment ids of lesser plans that lapse for this one.
    """

    state: State
    reason: str
    detail: str = ""
    channel: str = ""
    not_before: datetime | None = None
    arm: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    overtakes: tuple[str, ...] = ()


def decide(facts: Facts, config: Decisions) -> Decision:
    """The one answer; never an exception for any well-formed moment."""
    kind = config.kinds.get(facts.moment.kind)
    if kind is None:
        return _withheld(reasons.UNKNOWN_KIND, facts.moment.kind)
    stop = _moment_stops(facts, kind, config) or _shopper_stops(facts, kind, config)
    if stop:
        return stop
    ranking = channel.rank(kind, facts.contact, facts.profile, facts.suppressed, config)
    if not ranking.usable:
        return _withheld(ranking.reason, refused=ranking.refused)
    return _Case(facts, kind, config).settle(ranking)


def arm_of(shopper: str, config: Decisions) -> str:
    """Sticky: the same shopper, salt and share give the same arm, with nothing stored; raising the share only adds."""
    point = int.from_bytes(short_hash("holdout", config.holdout.salt, shopper), "big") / 2**64
    return HOLDOUT if point < config.holdout.share else TREATED


def answered(profile: Profile, occurred_at: datetime) -> bool:
    """Whether an order came after the moment."""
    return any(order.at > occurred_at for order in profile.orders)


def _withheld(reason: str, detail: str = "", arm: str = "", refused: Mapping[str, str] | None = None) -> Decision:
    return Decision(state=State.WITHHELD, reason=reason, detail=detail, arm=arm, refused=refused or {})


def _moment_stops(facts: Facts, kind: Kind, config: Decisions) -> Decision | None:
    moment = facts.moment
    occurred_at = from_ms(moment.occurred_at_ms)
    if facts.now >= from_ms(moment.expires_at_ms):
        return Decision(state=State.LAPSED, reason=reasons.EXPIRED)
    if occurred_at > facts.now + timedelta(minutes=config.future_tolerance_minutes):
        return _withheld(reasons.FROM_THE_FUTURE)
    if kind.answered_by_order and answered(facts.profile, occurred_at):
        return Decision(state=State.LAPSED, reason=reasons.ANSWERED)
    if moment.deferrals > config.most_deferrals:
        return Decision(state=State.LAPSED, reason=reasons.DEFERRED_TOO_OFTEN)
    return None


def _shopper_stops(facts: Facts, kind: Kind, config: Decisions) -> Decision | None:
    profile = facts.profile
    if profile.traits.get("erased"):
        return _withheld(reasons.ERASED)
    if profile.first_seen_at is None and facts.contact.version == 0:
        return _withheld(reasons.UNKNOWN_SHOPPER)
    if kind.transactional:
        return None
    muting = next((trait for trait in config.mute_traits if profile.traits.get(trait)), None)
    if muting:
        return _withheld(reasons.MUTED, muting)
    if arm_of(profile.shopper, config) == HOLDOUT:
        return _withheld(reasons.HOLDOUT, arm=HOLDOUT)
    return None


class _Case:
    """Rules 4 to 6 for a shopper who can be reached."""

    def __init__(self, facts: Facts, kind: Kind, config: Decisions) -> None:
        self.facts, self.kind, self.config, self.now = facts, kind, config, facts.now
        self.moment = facts.moment
        self.expires_at = from_ms(facts.moment.expires_at_ms)
        self.zones: tuple[ZoneInfo, ...] = zones.zones_of(facts.contact, config.place)
        self.country = zones.country_of(facts.contact, config.place)
        self.arm = "" if kind.transactional else TREATED

    def settle(self, ranking: channel.Ranking) -> Decision:
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
        return waiting or never or _withheld(reasons.NO_CONSENT)

    def _winner(self) -> priorities.Winner | None:
        moment = self.moment
        return priorities.winner(self.facts.recent, self.config, kind=moment.kind, moment_id=moment.id, now=self.now)

    def _planned(self, name: str, refused: Mapping[str, str]) -> Decision:
        overtakes: tuple[str, ...] = ()
        if not self.kind.transactional:
            overtakes = priorities.outranked(self.facts.recent, self.config, kind=self.moment.kind, moment_id=self.moment.id)
        return Decision(
            state=State.PLANNED, reason=reasons.CHOSEN, channel=name, arm=self.arm, refused=refused, overtakes=overtakes
        )

    def _outranked(self, name: str, ahead: priorities.Winner) -> Decision:
        detail = f"{ahead.kind} goes first"
        if ahead.until >= self.expires_at:
            return Decision(state=State.LAPSED, reason=reasons.OUTRANKED, detail=detail, arm=self.arm)
        return self._deferred(name, reasons.OUTRANKED, ahead.until, detail)

    def _on(self, name: str) -> Decision:
        full = None if self.kind.transactional else self._full(name)
        if full:
            if full.frees_at is None or full.frees_at >= self.expires_at:
                return _withheld(full.code, full.detail, self.arm)
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
        return caps.full(
            caps.taken(facts.contact.slots, facts.recent, self.config, self.now),
            self.config,
            kind=moment.kind,
            channel=name,
            tier=facts.profile.tier,
            moment_id=moment.id,
            now=self.now,
        )

    def _hours(self, name: str) -> Hours:
        """As the gate will see them, less the last minutes: a message decided at the stroke would come too late."""
        hours = quiet.hours_for(self.config, name, self.country, transactional=self.kind.transactional)
        margin = self.config.closing_margin_minutes / 60 if hours.closes < 24 else 0
        return replace(hours, closes=hours.closes - margin)

    def _best(self, earliest: datetime, hours: Hours) -> datetime | None:
        """The best hour from `earliest` on, None when waiting for it takes too long or outlives the moment."""
        if self.kind.transactional:
            return None
        wanted = timing.best_hours(self.facts.profile, self.config.timing)
        best = timing.best_instant(earliest, self.zones, wanted, hours, self.facts.profile.shopper)
        in_time = best and best < self.expires_at and best - earliest <= timedelta(hours=self.kind.waits_hours)
        return best if in_time else None

    def _deferred(self, name: str, reason: str, earliest: datetime, detail: str = "") -> Decision:
        """Wait until the first good instant from `earliest` on: the best hour if in time, else the first open one."""
        hours = self._hours(name)
        opens = quiet.next_open(earliest, self.zones, hours)
        if opens is None or opens >= self.expires_at:
            return _withheld(reasons.NO_OPEN_HOUR, detail or reason, self.arm)
        until = self._best(opens, hours) or opens
        return Decision(state=State.DEFERRED, reason=reason, detail=detail, channel=name, not_before=until, arm=self.arm)


def _earlier(one: Decision, other: Decision) -> bool:
    return one.not_before is not None and other.not_before is not None and one.not_before < other.not_before
