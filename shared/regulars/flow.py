"""The one page: which function exists, what wakes it, what it reads, writes and emits.

Everything else is derived from or checked against this table: `functions/`, the templates, the golden wake-up events,
`functions/README.md` and the table in the docs. Tables, queues and stores are named by one noun each; an environment
variable is that noun in capitals plus `_TABLE`, `_QUEUE_URL` or `_BUCKET`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Http:
    """Routes of the HTTP API, written `METHOD /path/{name}`."""

    routes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """One SQS queue (each has a dead-letter queue `<name>_dead`)."""

    name: str


@dataclass(frozen=True, slots=True)
class Stream:
    """The DynamoDB stream of a table."""

    table: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """An EventBridge Scheduler expression, in UTC."""

    expression: str


Wake = Http | Queue | Stream | Schedule


@dataclass(frozen=True, slots=True)
class Function:
    """One deployed function; `reads`/`writes` name tables or buckets, `emits` queues or providers."""

    name: str
    stage: str
    purpose: str
    woken_by: tuple[Wake, ...]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    emits: tuple[str, ...] = ()


TABLES = (
    "events",  # the log: one packed item per shopper and unit of capture
    "quarantine",  # rejected events with their reason
    "profiles",  # tags, traits, carts, purchases
    "catalogue",  # items, prices, stock
    "models",  # neighbours, popularity, merchandising rules, pointers to the live version
    "timers",  # the due index
    "contacts",  # addresses, consent, rolling cap slots
    "suppressions",  # addresses never to be written to
    "messages",  # the ledger: every decision, silence too
    "inbox",  # in-app messages
    "offers",  # coupons, and what is taken of each pool
    "channels",  # sending permits per window, health and pauses
    "metrics",  # counters per day
)
QUEUES = ("events", "moments", "email", "push", "sms", "inapp", "feedback")
BUCKETS = ("data",)

_SEGMENT = ("track", "identify", "page", "screen", "alias", "group", "batch")

FLOW: tuple[Function, ...] = (
    Function(
        "collect_events",
        "capture",
        "Speaks Segment's HTTP tracking protocol; validates, corrects clocks, quarantines, queues",
        (Http((*(f"POST /v1/{call}" for call in _SEGMENT), "GET /v1/health")),),
        reads=("data",),
        writes=("quarantine",),
        emits=("events",),
    ),
    Function(
        "capture_events",
        "capture",
        "Applies one shopper's events once: log, tags, cart, purchases, contacts, identity, catalogue feeds",
        (Queue("events"),),
        reads=("profiles", "events", "contacts", "catalogue", "data"),
        writes=("profiles", "events", "contacts", "catalogue", "quarantine"),
    ),
    Function(
        "archive_events",
        "capture",
        "Copies the log into the archive that builds and analysts read",
        (Stream("events"),),
        reads=("events",),
        writes=("data",),
    ),
    Function(
        "plan_triggers",
        "triggers",
        "Writes and cancels timers for what shoppers do",
        (Stream("events"),),
        reads=("events", "timers", "catalogue", "profiles", "data"),
        writes=("timers",),
    ),
    Function(
        "fire_timers",
        "triggers",
        "Reads what is due since the watermark and emits it as moments",
        (Schedule("rate(1 minute)"),),
        reads=("timers", "data"),
        writes=("timers",),
        emits=("moments",),
    ),
    Function(
        "sweep_lifecycle",
        "profiles",
        "Daily: RFM, lifecycle stage, value tier; emits stage changes and win-back moments, prunes faded tags",
        (Schedule("cron(15 2 * * ? *)"),),
        reads=("profiles", "data"),
        writes=("profiles", "data"),
        emits=("moments",),
    ),
    Function(
        "decide_message",
        "decisions",
        "The one arbiter: whom to write to, about what, when, where, or why not",
        (Queue("moments"),),
        reads=("profiles", "contacts", "suppressions", "messages", "offers", "channels", "models", "catalogue", "data"),
        writes=("messages", "timers"),
        emits=("email", "push", "sms", "inapp"),
    ),
    Function(
        "send_message",
        "channels",
        "Claims, renders and hands one message to its provider",
        (Queue("email"), Queue("push"), Queue("sms"), Queue("inapp")),
        reads=("messages", "contacts", "suppressions", "offers", "channels", "profiles", "timers", "data"),
        writes=("messages", "contacts", "inbox", "offers", "channels", "timers"),
        emits=("ses", "sns", "sms_voice"),
    ),
    Function(
        "serve_links",
        "feedback",
        "Signed open and click links; unsubscribe that only POST changes",
        (
            Http(
                (
                    *(f"{method} /l/{kind}/{{token}}" for kind in "ocu" for method in ("GET", "HEAD")),
                    "POST /l/u/{token}",
                )
            ),
        ),
        reads=("messages", "contacts", "data"),
        writes=("contacts",),
        emits=("feedback",),
    ),
    Function(
        "receive_callbacks",
        "feedback",
        "Notifications of SNS topics over HTTP: verified, then queued; subscriptions confirmed by an API call",
        (Http(("POST /v1/callbacks/sns",)),),
        reads=("data",),
        emits=("feedback", "sns_subscriptions"),
    ),
    Function(
        "record_feedback",
        "feedback",
        "Deliveries, bounces, complaints, opens, clicks, replies: ledger, suppression, attribution",
        (Queue("feedback"),),
        reads=("messages", "contacts", "suppressions", "metrics", "data"),
        writes=("messages", "contacts", "suppressions", "metrics"),
    ),
    Function(
        "roll_up_metrics",
        "metrics",
        "Counts what the log and the ledger tell, once each, per day; pauses a channel that draws complaints or bounces",
        (Stream("messages"), Stream("events")),
        reads=("messages", "events", "metrics", "channels", "data"),
        writes=("metrics", "messages", "channels"),
    ),
    Function(
        "build_similarity",
        "similarity",
        "Builds neighbours from the archive and flips the pointer",
        (Schedule("cron(45 2 * * ? *)"),),
        reads=("data", "catalogue", "models"),
        writes=("models", "data"),
        emits=("emr_serverless",),
    ),
    Function(
        "build_popularity",
        "similarity",
        "Hourly popularity with decay, new arrivals, catalogue snapshot, search index",
        (Schedule("rate(1 hour)"),),
        reads=("data", "catalogue", "models"),
        writes=("models", "data"),
    ),
    Function(
        "forecast_needs",
        "needs",
        "Daily: who buys again, when and what, what it is worth, which categories will be needed",
        (Schedule("cron(45 1 * * ? *)"),),
        reads=("data",),
        writes=("data",),
    ),
    Function(
        "serve_recommendations",
        "recommendations",
        "What should this shopper see, and what does the shop have for these words?",
        (Http(("GET /v1/recommendations/{scene}", "GET /v1/search", "GET /v1/suggestions")),),
        reads=("profiles", "models", "catalogue", "data"),
    ),
    Function(
        "serve_shopper",
        "channels",
        "The shopper's own inbox and preferences",
        (
            Http(
                (
                    "GET /v1/inbox",
                    "POST /v1/inbox/{message_id}/read",
                    "GET /v1/preferences",
                    "PUT /v1/preferences",
                )
            ),
        ),
        reads=("inbox", "contacts", "profiles"),
        writes=("inbox", "contacts"),
        emits=("feedback",),
    ),
    Function(
        "serve_operator",
        "operation",
        "Catalogue import, merchandising rules, quarantine, explanations, reports",
        (
            Http(
                (
                    "POST /v1/catalogue",
                    "GET /v1/catalogue/{item_id}",
                    "GET /v1/rules",
                    "PUT /v1/rules",
                    "GET /v1/quarantine",
                    "POST /v1/quarantine/replay",
                    "GET /v1/shoppers/{shopper}/explain",
                    "GET /v1/report",
                )
            ),
        ),
        reads=(
            "catalogue",
            "models",
            "quarantine",
            "messages",
            "profiles",
            "metrics",
            "contacts",
            "channels",
            "events",
            "data",
        ),
        writes=("catalogue", "models", "quarantine", "data"),
        emits=("events",),
    ),
    Function(
        "serve_offers",
        "offers",
        "Coupons: the shopper's wallet and claims, redemption and return by the shop's server, how an offer stands",
        (
            Http(
                (
                    "GET /v1/coupons",
                    "POST /v1/offers/{offer}/claim",
                    "POST /v1/coupons/{code}/redeem",
                    "POST /v1/coupons/{code}/return",
                    "GET /v1/offers/{offer}",
                )
            ),
        ),
        reads=("offers", "profiles", "data"),
        writes=("offers",),
    ),
    Function(
        "expire_coupons",
        "offers",
        "Hourly: gives back what coupons took that nobody used, once; reminds of those that end soon",
        (Schedule("rate(1 hour)"),),
        reads=("offers", "data"),
        writes=("offers",),
        emits=("moments",),
    ),
    Function(
        "enforce_retention",
        "privacy",
        "Daily: deletes what has outlived its retention, without trusting TTL",
        (Schedule("cron(30 3 * * ? *)"),),
        reads=("profiles", "events", "contacts", "messages", "timers", "inbox", "offers", "metrics", "quarantine", "data"),
        writes=("profiles", "events", "contacts", "messages", "timers", "inbox", "offers", "metrics", "quarantine", "data"),
    ),
    Function(
        "erase_shopper",
        "privacy",
        "One shopper out of every table, at once; the archive follows with the daily run",
        (Http(("DELETE /v1/shoppers/{shopper}",)),),
        reads=("profiles", "events", "contacts", "messages", "timers", "inbox", "offers", "metrics", "quarantine", "data"),
        writes=("profiles", "events", "contacts", "messages", "timers", "inbox", "offers", "metrics", "quarantine", "data"),
    ),
    Function(
        "write_reports",
        "metrics",
        "Daily KPI report against the goals",
        (Schedule("cron(0 4 * * ? *)"),),
        reads=("metrics", "data"),
        writes=("data",),
    ),
)


def function(name: str) -> Function:
    """The entry called `name`; raises KeyError with the known names."""
    for entry in FLOW:
        if entry.name == name:
            return entry
    raise KeyError(f"no function {name!r}; known: {', '.join(entry.name for entry in FLOW)}")
