"""Cold start of the API functions: a fresh process to its first answer, as a ratio to what nobody can do without.

    python tests/bench/bench_cold_start.py [function …] [--rounds N]

The yardstick of the same run is a fresh process that does `import boto3`, makes a DynamoDB client and gets one item from
the same endpoint: a stub on 127.0.0.1. Byte code is compiled beforehand, as it is shipped. Rounds alternate and the
fastest of each counts: what else the machine does only ever adds. Goal: at most 1.0.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "shared")]

from tests.support.http_server import payload_event  # noqa: E402
from tests.support.stub_aws import stub_aws  # noqa: E402

from regulars.flow import QUEUES, TABLES  # noqa: E402

KEY_HASH = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"
BASIC = {"authorization": "Basic a2V5Og==", "content-type": "application/json"}  # user name "key"
VIEWED = {"userId": "u1", "event": "Product Viewed", "messageId": "m1", "properties": {"product_id": "p1", "price": 2.55}}
CALLS: dict[str, tuple[str, str, Mapping[str, str], bytes]] = {
    "collect_events": ("POST /v1/track", "/v1/track", {}, json.dumps(VIEWED).encode()),
    "serve_recommendations": (
        "GET /v1/recommendations/{scene}",
        "/v1/recommendations/home?userId=u1&shopper=user:u1",
        {"scene": "home"},
        b"",
    ),
    "serve_shopper": ("GET /v1/preferences", "/v1/preferences?token=x", {}, b""),
    "serve_links": ("GET /l/o/{token}", "/l/o/x", {"token": "x"}, b""),
    "serve_operator": ("GET /v1/catalogue/{item_id}", "/v1/catalogue/p1", {"item_id": "p1"}, b""),
}
YARDSTICK = """
import boto3
boto3.client("dynamodb").get_item(TableName="items", Key={"pk": {"S": "p1"}})
"""
FUNCTION = """
import json, sys
sys.path.insert(0, sys.argv[1])
import app
reply = app.handler(json.loads(sys.argv[2]), None)
assert reply["statusCode"] < 500, reply
"""


def environment(endpoint: str) -> dict[str, str]:
    """What Lambda gives every function, and every setting any of them asks for."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "shared"),
        "AWS_ACCESS_KEY_ID": "stub",
        "AWS_SECRET_ACCESS_KEY": "stub",
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "POWERTOOLS_SERVICE_NAME": "bench",
        "WRITE_KEY_HASHES": KEY_HASH,
        "OPERATOR_KEY_HASHES": KEY_HASH,
        "DATA_BUCKET": "data",
        "SIGNING_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:signing",
        "LINK_BASE_URL": endpoint,
        **{f"{name.upper()}_TABLE": name for name in TABLES},
        **{f"{name.upper()}_QUEUE_URL": f"{endpoint}/000000000000/{name}" for name in QUEUES},
    }


def seconds(arguments: list[str], env: dict[str, str]) -> float:
    """Wall time of one fresh process from its start to its end."""
    start = perf_counter()
    done = subprocess.run([sys.executable, *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("functions", nargs="*", help="default: every API function there is")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    wanted = chosen.functions or [name for name in CALLS if (ROOT / "functions" / name / "app.py").exists()]
    compileall.compile_dir(ROOT / "shared", quiet=2)
    for name in wanted:
        compileall.compile_dir(ROOT / "functions" / name, quiet=2)
    with stub_aws() as endpoint:
        env = environment(endpoint)
        best = dict.fromkeys(["yardstick", *wanted], float("inf"))
        for _ in range(chosen.rounds):
            best["yardstick"] = min(best["yardstick"], seconds(["-c", YARDSTICK], env))
            for name in wanted:
                route, target, params, body = CALLS[name]
                event = payload_event(route.partition(" ")[0], target, BASIC, body, route, params)
                arguments = ["-c", FUNCTION, str(ROOT / "functions" / name), json.dumps(event)]
                best[name] = min(best[name], seconds(arguments, env))
    print(f"{'import boto3 + client + get':32} {best['yardstick'] * 1000:6.0f} ms   1.00")
    for name in wanted:
        print(f"{name:32} {best[name] * 1000:6.0f} ms  {best[name] / best['yardstick']:5.2f}")


if __name__ == "__main__":
    main()
