"""Dead letters (queue messages that failed their bounded tries) and quarantine (rejected events): see, and bring back."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from typing import Any

from tqdm import tqdm

from regulars.adapters.aws import client
from regulars.adapters.dynamodb.messages import DynamoLedger
from regulars.clock import clock_from
from regulars_ops.letters import story
from regulars_ops.stack import Stack

_LOOK_SECONDS = 30  # how long a listed letter stays invisible to others


def add_commands(commands: Any) -> None:
    """`regulars replay QUEUE` and `regulars dead [QUEUE]`."""
    replay: argparse.ArgumentParser = commands.add_parser("replay", help="bring a queue's dead letters back")
    replay.add_argument("queue")
    replay.add_argument("--limit", type=int, default=10_000)
    replay.set_defaults(run=run_replay)
    letters: argparse.ArgumentParser = commands.add_parser("dead", help="count dead letters, or show those of a queue")
    letters.add_argument("queue", nargs="?")
    letters.add_argument("--limit", type=int, default=20)
    letters.add_argument("--explain", action="store_true", help="what each was, how it stands, what replaying it would do")
    letters.set_defaults(run=run_list)


def run_list(stack: Stack, chosen: argparse.Namespace) -> int:
    """Depth of every dead-letter queue, or the letters of one; exit code 1 when there are any."""
    if chosen.queue is None:
        depths = {queue: depth(stack.dead_letter_url(queue)) for queue in sorted(stack.queue_urls)}
        for queue, count in depths.items():
            print(f"{queue:10} {count:6}")
        return 1 if any(depths.values()) else 0
    found = 0
    explained = explainer(stack, chosen.queue) if chosen.explain else None
    for letter in _receive(stack.dead_letter_url(chosen.queue), chosen.limit):
        found += 1
        print(explained(letter) if explained else summary(letter["Body"]))
    print(f"{found} dead letter{'s' if found != 1 else ''} in {chosen.queue}")
    return 1 if found else 0


def run_replay(stack: Stack, chosen: argparse.Namespace) -> int:
    """Every letter is sent to its queue first and deleted after: a crash between repeats it, and repeats are harmless."""
    source, target = stack.dead_letter_url(chosen.queue), stack.queue_urls[chosen.queue]
    moved = 0
    with tqdm(total=min(depth(source), chosen.limit), unit="letter", desc=f"replay {chosen.queue}") as progress:
        for letter in _receive(source, chosen.limit):
            client("sqs").send_message(QueueUrl=target, MessageBody=letter["Body"])
            client("sqs").delete_message(QueueUrl=source, ReceiptHandle=letter["ReceiptHandle"])
            moved += 1
            progress.update()
    print(f"{moved} message{'s' if moved != 1 else ''} back in {chosen.queue}")
    return 0


def explainer(stack: Stack, queue: str) -> Callable[[dict[str, Any]], str]:
    """Letter → its story, by the deployed ledger and clock."""
    environment = stack.environment("send_message")
    ledger = DynamoLedger(environment["MESSAGES_TABLE"], environment["CONTACTS_TABLE"], environment["SUPPRESSIONS_TABLE"])
    clock = clock_from(environment.get("CLOCK_SOURCE", "system"))
    return lambda letter: story(letter, queue, stack.name, ledger.get, clock()).text()


def depth(url: str) -> int:
    """Letters waiting or being looked at."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def summary(body: str) -> str:
    """One line: name, id, shopper and the first characters of a body that is not ours."""
    try:
        message = json.loads(body)
        return f"{message['name']:18} {message['id']:40} {message.get('shopper', '')}"
    except (ValueError, KeyError, TypeError):
        return f"not a message of ours: {body[:100]!r}"


def _receive(url: str, limit: int) -> Iterator[dict[str, Any]]:
    count = 0
    while count < limit:
        answer = client("sqs").receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(10, limit - count),
            VisibilityTimeout=_LOOK_SECONDS,
            WaitTimeSeconds=0,
            AttributeNames=["SentTimestamp"],
        )
        letters = answer.get("Messages", [])
        if not letters:
            return
        yield from letters
        count += len(letters)
