"""Import, build, sweep, explain, report, settings, tokens: one function per command, `(stack, arguments) → exit code`."""

from __future__ import annotations

import argparse
import base64
import gzip
import http.client
import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

from regulars.access import hash_key
from regulars.clock import clock_from
from regulars.compose.channels import signer as make_signer
from regulars.compose.operation import serve_operator
from regulars.errors import Invalid, Misconfigured, RegularsError
from regulars.operation.http import OperatorApi
from regulars.operation.quarantine import list_records, replay_records
from regulars.sections import check
from regulars.shop import OVERRIDES_KEY, parse_yaml
from regulars_ops.stack import Stack

_EVENTS_A_BATCH = 100
_ROWS_A_CALL = 500


class ApiRefused(RegularsError):
    """The stack's HTTP API answered an error; the reason is its own."""

    code = "api_refused"


def operator(stack: Stack) -> OperatorApi:
    """The operator's services with the deployed function's own environment."""
    return serve_operator(stack.environment("serve_operator"))


def shopper_key(text: str) -> str:
    """`user:` is understood before a bare number or name."""
    return text if text.startswith(("user:", "anon:")) else f"user:{text}"


def explain(stack: Stack, chosen: argparse.Namespace) -> int:
    """The story of one shopper."""
    story = operator(stack).explain()
    key = shopper_key(chosen.shopper)
    print(_json(story(key)) if chosen.json else story.text(key))
    return 0


def report(stack: Stack, chosen: argparse.Namespace) -> int:
    """KPIs against their goals."""
    made = operator(stack).reports().report(chosen.day_from, chosen.day_to)
    print(_json(made.to_wire()) if chosen.json else made.text())
    return 0


def quarantine(stack: Stack, chosen: argparse.Namespace) -> int:
    """List rejected events, or try them again."""
    api = operator(stack)
    if chosen.action == "list":
        query = {"day": chosen.day, "reason": chosen.reason, "limit": str(chosen.limit)}
        print(_json(list_records(api.quarantine(), api.clock, {key: value for key, value in query.items() if value})))
        return 0
    body = {"ids": chosen.ids} if chosen.ids else {"day": chosen.day, "reason": chosen.reason or "", "limit": chosen.limit}
    answer = replay_records(api.quarantine(), api.collector(), api.clock, {key: value for key, value in body.items() if value})
    print(_json(answer))
    return 1 if answer["failed"] else 0


def import_file(stack: Stack, chosen: argparse.Namespace) -> int:
    """Rows or events through the HTTP API, with a progress bar and every refusal's reason; exit code 1 when there was one."""
    post = partial(_post, stack.api_url, chosen.key)
    step = _import_rows if chosen.what == "catalogue" else _import_events
    accepted, refused = 0, 0
    with tqdm(unit="row", desc=f"import {chosen.what}") as progress:
        for count, wrong in step(post, chosen.file):
            accepted += count - len({entry.get("row", entry.get("index")) for entry in wrong})
            refused += len({entry.get("row", entry.get("index")) for entry in wrong})
            for entry in wrong:
                progress.write(_json(entry))
            progress.update(count)
    print(f"{accepted} accepted, {refused} refused")
    return 1 if refused else 0


def _import_rows(post: Any, file: Path) -> Iterator[tuple[int, list[Any]]]:
    lines = _lines(file)
    head, content_type = "", "application/x-ndjson"
    if file.name.removesuffix(".gz").endswith(".csv"):
        head, content_type = next(lines, "") + "\n", "text/csv"
    for first, chunk in _chunks(lines, _ROWS_A_CALL):
        answer = post("/v1/catalogue", (head + "\n".join(chunk)).encode(), content_type)
        wrong = [{**entry, "row": entry["row"] + first} for entry in answer["violations"]]
        yield len(chunk), wrong


def _import_events(post: Any, file: Path) -> Iterator[tuple[int, list[Any]]]:
    for _, chunk in _chunks(_lines(file), _EVENTS_A_BATCH):
        try:
            batch = [json.loads(line) for line in chunk]
        except ValueError as error:
            raise Invalid(f"{file}: not JSON lines: {error}") from error
        answer = post("/v1/batch", json.dumps({"batch": batch}).encode(), "application/json")
        yield len(chunk), [entry for entry in answer["results"] if entry["status"] == "rejected"]


def _chunks(lines: Iterator[str], size: int) -> Iterator[tuple[int, list[str]]]:
    first, chunk = 0, []
    for number, line in enumerate(lines):
        chunk.append(line)
        if len(chunk) == size:
            yield first, chunk
            first, chunk = number + 1, []
    if chunk:
        yield first, chunk


def _lines(file: Path) -> Iterator[str]:
    if not file.exists():
        raise Invalid(f"no file {file}")
    with gzip.open(file, "rt", encoding="utf-8-sig") if file.suffix == ".gz" else file.open(encoding="utf-8-sig") as text:
        try:
            for line in text:
                if line.strip():
                    yield line.rstrip("\n")
        except UnicodeDecodeError as error:
            raise Invalid(f"{file} is not UTF-8: {error}") from error


def _post(api_url: str, key: str, path: str, body: bytes, content_type: str) -> Any:
    parts = urlsplit(api_url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=60)
    token = base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": content_type}
    try:
        connection.request("POST", parts.path.rstrip("/") + path, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
    finally:
        connection.close()
    if answer.status >= 300:
        raise ApiRefused(f"{path} answered {answer.status}: {text[:300]}")
    return json.loads(text)


def run_function(stack: Stack, chosen: argparse.Namespace) -> int:
    """Run a scheduled function now and show its summary."""
    print(_json(stack.invoke(chosen.function)))
    return 0


def build(stack: Stack, chosen: argparse.Namespace) -> int:
    """Build a model now and show what was chosen."""
    name = "forecast_needs" if chosen.function == "needs" else f"build_{chosen.function}"
    print(_json(stack.invoke(name)))
    return 0


def config(stack: Stack, chosen: argparse.Namespace) -> int:
    """Show the shop's overrides, check a file, or check and store it. Functions take it up with their next start."""
    from regulars.adapters.storage.s3 import S3Storage

    storage = S3Storage(stack.environment("capture_events")["DATA_BUCKET"])
    if chosen.action == "show":
        print((storage.get(OVERRIDES_KEY) or b"# no overrides: every number has its default\n").decode())
        return 0
    if chosen.file is None:
        raise Misconfigured(f"regulars config {chosen.action} needs a file")
    text = "".join(line + "\n" for line in _lines(chosen.file))
    check(parse_yaml(text))
    if chosen.action == "apply":
        storage.put(OVERRIDES_KEY, text.encode(), "application/yaml")
    print(f"{chosen.file}: in order{', applied' if chosen.action == 'apply' else ''}")
    return 0


def token(stack: Stack, chosen: argparse.Namespace) -> int:
    """A Bearer token that proves a shopper's identity to the inbox and preferences routes."""
    environment = stack.environment("serve_shopper")
    signer = make_signer(environment["SIGNING_SECRET_ARN"], clock_from(environment["CLOCK_SOURCE"]))
    made, ends_at = signer.shopper_token(shopper_key(chosen.shopper), lifetime=timedelta(hours=chosen.hours))
    print(made)
    print(f"until {ends_at.isoformat()}", file=sys.stderr)
    return 0


def key(_: object, __: argparse.Namespace) -> int:
    """A fresh key for an app or an operator, and what the template's parameter wants of it."""
    fresh = secrets.token_urlsafe(24)
    print(f"key   {fresh}\nhash  {hash_key(fresh)}")
    return 0


def _json(value: Mapping[str, Any] | Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
