"""`make demo`: deploy, replay, show. A second run starts from the kept state. `--fresh` begins again."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tqdm import tqdm

from regulars.adapters.storage.s3 import S3Storage
from regulars.errors import RegularsError
from regulars.shop import OVERRIDES_KEY
from regulars_demo import history, page, show, simulated
from regulars_demo.drive import Api, Driver, happened
from regulars_demo.sources import Sources
from regulars_demo.virtual import ClockFile
from regulars_local import outbox, server
from regulars_local.stack import HOME, LocalStack, load, reset, up
from regulars_ops.stack import Stack, use_local_endpoint

SHOP = Path(__file__).resolve().parents[1] / "shop.yaml"
RULES = SHOP.with_name("rules.yaml")
PAGE_PORT = 4580
CLOSE = timedelta(days=60)
"""So long before the end the clock goes in small steps and the sweep runs daily; before that, coarsely."""
FAR_STEP, CLOSE_STEP = timedelta(days=1), timedelta(hours=8)
FAR = {
    "sweep_lifecycle": timedelta(days=7),
    "build_similarity": timedelta(days=182),
    "build_popularity": timedelta(days=61),
    "forecast_needs": timedelta(days=61),
    # It reads each hour's coupons in 32 parts: two years of hours would take longer than everything else together.
    "expire_coupons": timedelta(days=3650),
    "enforce_retention": timedelta(days=182),
    "write_reports": timedelta(days=60),
}
NEAR = {
    **FAR,
    "sweep_lifecycle": timedelta(days=1),
    "build_popularity": timedelta(days=14),
    "forecast_needs": timedelta(days=14),
    "write_reports": timedelta(days=14),
}
"""Schedules that run less often here than on AWS, so that two years fit into minutes. All run once more at the end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 done, 2 failed with the reason."""
    parser = argparse.ArgumentParser(prog="regulars_demo", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="forget the kept state and begin again")
    parser.add_argument("--days", type=int, help="replay only the last DAYS of the two years")
    parser.add_argument("--stop", action="store_true", help="stop the page; the stack goes on")
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.serve is not None:
            return serve(chosen.serve)
        if chosen.stop:
            stop_page()
            return 0
        return run(chosen.fresh, chosen.days)
    except (RegularsError, RuntimeError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


def run(fresh: bool, days: int | None) -> int:
    """The whole demonstration."""
    began = time.monotonic()
    if fresh:
        stop_page()
        reset()
        _marker().unlink(missing_ok=True)
    say("1  The stack: the same templates as on AWS, on this machine")
    local = up(HOME, tell=lambda text: say(f"   {text}"))
    use_local_endpoint(local.endpoint_url)
    if _marker().exists() and json.loads(_marker().read_text("utf-8")).get("bucket") == local.bucket:
        say("2  The replay: already in the kept state (`make demo ARGS=--fresh` begins again)")
    else:
        replay(local, days)
    sources = Sources(local)
    show.summary(local, sources)
    port = start_page()
    say(f"\nDone in {time.monotonic() - began:.0f} s. The outbox and every shopper's timeline: http://{server.HOST}:{port}/")
    say("The stack and the page go on running; `make down` stops both and keeps the state.")
    say("Try, in .venv/bin: regulars explain SHOPPER, regulars report --from 2011-11-01 --to 2011-12-09, regulars doctor")
    return 0


def replay(local: LocalStack, days: int | None) -> None:
    """Catalogue, then every call of the sample and the simulated ones, on the virtual clock."""
    api, clock = Api(local.api_url, local.write_key), ClockFile(Path(local.clock_file))
    invoices = history.invoices()
    start = invoices[0].at.replace(hour=20, minute=0) - timedelta(days=1)  # 20:00 London is when most are written to
    end = (invoices[-1].at + timedelta(days=1)).replace(hour=20, minute=0)
    if days:
        start = max(start, end - timedelta(days=days))
    invoices = [invoice for invoice in invoices if invoice.at > start]
    clock.set(start)
    S3Storage(local.bucket).put(OVERRIDES_KEY, SHOP.read_bytes(), "application/yaml")
    say("2  The replay")
    say(f"   real:      {len(invoices)} orders and credit notes of Online Retail II, {start:%Y-%m-%d} to {end:%Y-%m-%d}")
    say("   simulated: contact data and consent, browsing before and between orders, opens and clicks")
    say("   the clock is virtual; schedules run on it, the frequent ones less often than on AWS")
    operator = Api(local.api_url, local.operator_key)
    import_catalogue(operator)
    put_rules(operator)
    device = "arn:aws:sns:us-east-1:000000000000:endpoint/GCM/gift-shop"
    calls = sorted(simulated.calls(invoices, device, lambda call: happened(call) < end), key=happened)
    driver = Driver(Stack(local.stack, local.api_url), api, clock, FAR_STEP, FAR)
    behaviour = Behaviour(local)
    with tqdm(total=len(calls), unit=" calls", desc="   replaying", dynamic_ncols=True, mininterval=0.5) as progress:

        def moved(at: datetime, count: int) -> None:
            progress.set_description_str(f"   {at:%Y-%m-%d}")
            progress.update(count)
            behaviour.look(at)

        near = max(start, end - CLOSE)
        split = bisect_right(calls, near, key=happened)
        driver.replay(calls[:split], start, near, moved)
        driver.step, driver.slowed = CLOSE_STEP, NEAR
        driver.replay(calls[split:], near, end, moved)
    for function in ("build_popularity", "build_similarity", "sweep_lifecycle", "write_reports"):
        driver.stack.invoke(function)
    driver.settle()
    for entry in driver.tally.rejected[:5]:
        say(f"   rejected: {entry}")
    say(f"   opened {behaviour.opened} and clicked {behaviour.clicked} messages (simulated readers, real links)")
    _marker().write_text(json.dumps({"bucket": local.bucket, "until": end.isoformat()}), "utf-8")
    show.captured(driver.tally)


def import_catalogue(api: Api) -> None:
    """The sample's catalogue through the operator's API."""
    rows = list(history.catalogue())
    with tqdm(total=len(rows), unit=" items", desc="   catalogue", dynamic_ncols=True) as progress:
        for first in range(0, len(rows), 500):
            chunk = rows[first : first + 500]
            body = "\n".join(json.dumps(row) for row in chunk).encode()
            api.call("POST", "/v1/catalogue", body, content_type="application/x-ndjson")
            progress.update(len(chunk))


def put_rules(api: Api) -> None:
    """The sample's merchandising rules and lists through the operator's API; what can have no effect is told."""
    told = api.call("PUT", "/v1/rules", RULES.read_bytes(), content_type="application/yaml")
    say(f"   rules:     {told['rules']} rules and {told['lists']} list(s) put; they hold from their dates on")
    for warning in told.get("warnings", ()):
        say(f"   warning:   {warning['message']}")


@dataclass
class Behaviour:
    """Simulated readers: from time to time they open a mail that arrived and some follow a link, over the real endpoints."""

    local: LocalStack
    opened: int = 0
    clicked: int = 0
    looked_at: datetime | None = None
    seen: int = 0

    def look(self, at: datetime) -> None:
        """Every other virtual week."""
        if self.looked_at and at - self.looked_at < timedelta(days=14):
            return
        self.looked_at = at
        mails = list(outbox.emails(self.local.endpoint_url))
        fresh, self.seen = mails[self.seen :], len(mails)
        for mail in fresh:
            opens, clicks = simulated.reads(mail.message_id)
            self.opened += opens and simulated.follow(mail.html, "/l/o/")
            self.clicked += clicks and simulated.follow(mail.html, "/l/c/")


def serve(port: int) -> int:
    """The page, in the foreground."""
    local = load(HOME)
    if local is None:
        raise RuntimeError("no local stack here")
    use_local_endpoint(local.endpoint_url)
    sources = Sources(local)
    console = page.Console(sources.outbox, sources.story, sources.timeline, sources.shoppers)
    with page.server(console, port) as running:
        running.serve_forever()
    return 0


def start_page() -> int:
    """The page in a process of its own, unless it runs already; its port."""
    stop_page()
    port = PAGE_PORT if server.port_is_free(PAGE_PORT) else server.free_port()
    with (HOME / "page.log").open("wb") as log:
        command = [sys.executable, "-m", "regulars_demo", "--serve", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    (HOME / "page.pid").write_text(str(process.pid), "ascii")
    return port


def stop_page() -> None:
    """End the page that an earlier run started, and nothing else: the process must still be ours."""
    file = HOME / "page.pid"
    if file.exists():
        number = int(file.read_text("ascii"))
        line = Path(f"/proc/{number}/cmdline")
        if not line.exists() or b"regulars_demo" in line.read_bytes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGTERM)
        file.unlink()


def say(text: str) -> None:
    print(text, flush=True)


def _marker() -> Path:
    return HOME / "demo.json"


if __name__ == "__main__":
    sys.exit(main())
