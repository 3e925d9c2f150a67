"""AWS over plain HTTPS does what botocore does: the same signature, the same calls, the same answers and errors."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scripted_server import ENVIRON, GET, Both, Script

from regulars.adapters import aws_http
from regulars.adapters.aws_http import Client, Signer, serves
from regulars.adapters.dynamodb import client as dynamo
from regulars.adapters.dynamodb.client import batch_get, read_all


@pytest.mark.parametrize("token", ["", "a/session+token=="])
@pytest.mark.parametrize(
    ("service", "method", "path", "headers", "body"),
    [
        (
            "dynamodb",
            "POST",
            "/",
            {"content-type": "application/x-amz-json-1.0", "x-amz-target": "T.GetItem"},
            b'{"a": "\xc3\xa9"}',
        ),
        ("sqs", "POST", "/", {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.X"}, b"{}"),
        ("s3", "GET", "/bucket/config/shop%20two%2B.yaml", {"x-amz-content-sha256": hashlib.sha256(b"").hexdigest()}, b""),
    ],
)
def test_signatures_are_botocores(
    monkeypatch: pytest.MonkeyPatch, service: str, method: str, path: str, headers: dict[str, str], body: bytes, token: str
) -> None:
    at = datetime(2026, 11, 21, 20, 0, 1, tzinfo=UTC)
    environ = {**ENVIRON, "AWS_SESSION_TOKEN": token}
    signer = Signer(service, environ, at.timestamp)
    for _ in range(2):  # the second is made of what was kept of the first
        sent = signer.request(method, "service.example.com:4566", path, tuple(headers.items()), body)
    head, _, rest = sent.partition(b"\r\n\r\n")
    start, *lines = head.decode("ascii").split("\r\n")
    ours = dict(line.split(": ", 1) for line in lines)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: at.replace(tzinfo=None))
    request = AWSRequest(method, f"http://service.example.com:4566{path}", dict(headers), body)
    credentials = Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token or None)
    (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, "eu-west-1").add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"]
    assert (start, rest, ours["content-length"]) == (f"{method} {path} HTTP/1.1", body, str(len(body)))
    assert ours.get("x-amz-security-token", "") == token
    assert headers.items() <= ours.items()


ITEM = {"TableName": "t", "Item": {"pk": {"S": "a"}}}
CALLS: list[tuple[str, str, dict[str, Any], bytes]] = [
    ("dynamodb", "get_item", {"TableName": "t", "Key": {"pk": {"S": "é"}}}, b'{"Item":{"pk":{"S":"a"},"blob":{"B":"AAEC"}}}'),
    (
        "dynamodb",
        "put_item",
        {
            "TableName": "t",
            "Item": {"pk": {"S": "a"}, "b": {"B": b"\x00\xff"}, "bs": {"BS": [b"x"]}, "m": {"M": {"B": {"S": "B"}}}},
        },
        b"{}",
    ),
    (
        "dynamodb",
        "query",
        {"TableName": "t", "KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": {":a": {"S": "x"}}, "Limit": 2},
        b'{"Count":1,"Items":[{"m":{"M":{"B":{"B":"AAEC"},"BS":{"BS":["AQ=="]},"n":{"N":"1"}}}}],"ScannedCount":1}',
    ),
    (
        "dynamodb",
        "batch_get_item",
        {"RequestItems": {"t": {"Keys": [{"pk": {"S": "a"}}]}}},
        b'{"Responses":{"t":[]},"UnprocessedKeys":{}}',
    ),
    ("dynamodb", "transact_write_items", {"TransactItems": [{"Put": ITEM}], "ClientRequestToken": "once"}, b"{}"),
    (
        "sqs",
        "send_message_batch",
        {"QueueUrl": "http://q/1", "Entries": [{"Id": "0", "MessageBody": "漢", "DelaySeconds": 3}]},
        b'{"Failed":[{"Id":"0","Code":"InternalError","SenderFault":false}],"Successful":[]}',
    ),
    ("secretsmanager", "get_secret_value", {"SecretId": "arn"}, b'{"SecretString":"word","Name":"n"}'),
]


@pytest.mark.parametrize(("service", "operation", "arguments", "answer"), CALLS)
def test_calls_and_answers_are_botocores(
    script: Script, both: Both, service: str, operation: str, arguments: dict[str, Any], answer: bytes
) -> None:
    ours, full = both(service)
    script.answers = [(200, answer)] * 2
    got = getattr(ours, operation)(**arguments)
    wanted = getattr(full, operation)(**arguments)
    wanted.pop("ResponseMetadata")
    assert got == wanted
    first, second = script.asked
    assert first[:2] == second[:2]
    assert first[3] == second[3]
    for header in ("x-amz-target", "content-type"):
        assert first[2][header] == second[2][header]


NAMES = st.sampled_from(["B", "BS", "S", "N", "M", "L", "NULL", "Items", "pk", "é"]) | st.text(max_size=3)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
BASE64 = st.binary(max_size=9).map(lambda blob: base64.b64encode(blob).decode())
LEAVES = st.one_of(
    st.fixed_dictionaries({"S": TEXTS}),
    st.fixed_dictionaries({"N": st.integers().map(str)}),
    st.fixed_dictionaries({"B": BASE64}),
    st.fixed_dictionaries({"SS": st.lists(TEXTS, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"BS": st.lists(BASE64, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.just({"NULL": True}),
)
ATTRIBUTES = st.recursive(
    LEAVES,
    lambda inner: (
        st.fixed_dictionaries({"M": st.dictionaries(NAMES, inner, max_size=3)})
        | st.fixed_dictionaries({"L": st.lists(inner, max_size=3)})
    ),
)
ITEMS = st.dictionaries(NAMES, ATTRIBUTES, max_size=4)


def with_bytes(found: dict[str, Any]) -> dict[str, Any]:
    """What botocore's shapes make of an attribute, told by its one name and what is under it."""
    if found.keys() == {"B"} and isinstance(found["B"], str):
        return {"B": base64.b64decode(found["B"])}
    if found.keys() == {"BS"} and isinstance(found["BS"], list):
        return {"BS": list(map(base64.b64decode, found["BS"]))}
    return found


@given(answer=st.fixed_dictionaries({"Items": st.lists(ITEMS, max_size=3), "Item": ITEMS, "Count": st.integers(0, 9)}))
def test_bytes_are_found_however_deep_and_nothing_else_is_taken_for_them(answer: dict[str, Any]) -> None:
    content = json.dumps(answer).encode()
    assert aws_http._decoded(content) == json.loads(content, object_hook=with_bytes)


def test_a_batch_that_is_answered_as_before_is_not_decoded_again(script: Script, both: Both) -> None:
    ours, _ = both("dynamodb")
    asked = {"t": {"Keys": [{"pk": {"S": "a"}}]}}
    one, other = (b'{"Responses":{"t":[{"pk":{"S":"a"},"n":{"N":"%d"},"b":{"B":"AAEC"}}]}}' % number for number in (1, 2))
    script.answers = [(200, content) for content in (one, one, other, one)]
    first, again, changed, back = (ours.batch_get_item(RequestItems=asked) for _ in range(4))
    assert again is first
    assert back is first
    (item,), (later,) = first["Responses"]["t"], changed["Responses"]["t"]
    assert (item["n"], item["b"], later["n"]) == ({"N": "1"}, {"B": b"\x00\x01\x02"}, {"N": "2"})
    assert len(script.asked) == 4


def test_a_large_batch_is_not_kept(script: Script, both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, _ = both("dynamodb")
    content = b'{"Responses":{"t":[{"pk":{"S":"large"}}]}}'
    monkeypatch.setattr(aws_http, "_LARGE", len(content) - 1)
    script.answers = [(200, content)] * 2
    first, again = (ours.batch_get_item(RequestItems={"t": {"Keys": [{"pk": {"S": "a"}}]}}) for _ in range(2))
    assert again == first
    assert again is not first


def test_no_reader_can_change_a_kept_answer(script: Script, both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, _ = both("dynamodb")
    monkeypatch.setattr(dynamo, "aws_client", lambda service: ours)
    content = b'{"Responses":{"t":[{"pk":{"S":"a"},"l":{"L":[{"SS":["x"]}]}}]},"UnprocessedKeys":{}}'
    script.answers = [(200, content)] * 3
    asked = {"t": {"Keys": [{"pk": {"S": "a"}}]}}
    read_all(asked)["t"].clear()
    (item,) = batch_get({"t": [{"pk": "a"}]})["t"]
    item["l"].clear()
    assert read_all(asked) == {"t": [{"pk": {"S": "a"}, "l": {"L": [{"SS": ["x"]}]}}]}


@pytest.mark.parametrize("value", ["half \ud83d of a pair", 2**70, -(2**63) - 1])
def test_what_orjson_refuses_goes_over_the_wire_all_the_same(script: Script, both: Both, value: Any) -> None:
    ours, _ = both("dynamodb")
    script.answers = [(200, json.dumps({"Attributes": {"B": {"B": "AAEC"}, "s": {"S": str(value)}}}).encode())]
    answer = ours.put_item(TableName="t", Item={"s": {"S": value}, "b": {"B": b"\x00"}})
    assert script.asked[0][3] == {"TableName": "t", "Item": {"s": {"S": value}, "b": {"B": "AA=="}}}
    assert answer == {"Attributes": {"B": {"B": b"\x00\x01\x02"}, "s": {"S": str(value)}}}


def test_a_value_without_a_form_is_refused(both: Both) -> None:
    with pytest.raises(TypeError, match="no JSON form for set"):
        both("dynamodb")[0].put_item(TableName="t", Item={"s": {"SS": {"a"}}})


def test_what_an_object_is_told_with(script: Script, both: Both) -> None:
    ours, _ = both("s3")
    head = b'HTTP/1.1 200 OK\r\nETag: "old"\r\nContent-Type:Text/Plain \r\neTAG: "Ab1"\r\nX-Etag: "no"\r\n'
    script.answers = [head + b"Content-Length: 4\r\n\r\nbody", (200, b"")]
    told = ours.get_object(Bucket="data", Key="k")
    assert (told["ETag"], told["ContentType"], told["Body"].read()) == ('"Ab1"', "Text/Plain", b"body")
    assert ours.get_object(Bucket="data", Key="k")["ETag"] == ""


@pytest.mark.parametrize("place", ["method", "path", "name", "value"])
@pytest.mark.parametrize("mark", "\r\n")
def test_no_line_break_comes_into_a_head(place: str, mark: str) -> None:
    told = {"method": "GET", "path": "/", "name": "x", "value": "y", place: f"a{mark}b"}
    with pytest.raises(ValueError, match="line break"):
        Signer("s3", ENVIRON).request(told["method"], "h", told["path"], ((told["name"], told["value"]),), b"")


def test_every_second_and_every_day_is_signed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2026, 11, 21, 23, 59, 58, 900_000, tzinfo=UTC)
    clock: list[datetime] = []
    signer = Signer("sqs", ENVIRON, lambda: clock[-1].timestamp())
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: clock[-1].replace(tzinfo=None))
    for seconds in (0, 0.2, 1, 2, 86_400):
        clock.append(start + timedelta(seconds=seconds))
        body = b"x" * len(clock)
        request = AWSRequest("POST", "http://h/", {"x-amz-target": "T"}, body)
        SigV4Auth(Credentials(ENVIRON["AWS_ACCESS_KEY_ID"], ENVIRON["AWS_SECRET_ACCESS_KEY"]), "sqs", "eu-west-1").add_auth(
            request
        )
        sent = signer.request("POST", "h", "/", (("x-amz-target", "T"),), body).decode()
        assert f"\r\nauthorization: {request.headers['Authorization']}\r\n" in sent


def test_objects_are_fetched_as_botocore_does(script: Script, both: Both) -> None:
    ours, full = both("s3")
    script.answers = [(200, b"body")] * 2
    bodies = [client.get_object(Bucket="data", Key="config/shop two+.yaml")["Body"].read() for client in (ours, full)]
    assert bodies == [b"body", b"body"]
    assert script.asked[0][:2] == script.asked[1][:2]


THROTTLED = b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}'
CONDITION = (
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","Message":"no","Item":{"b":{"B":"AAEC"}}}'
)
CANCELLED = (
    b'{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"no",'
    b'"CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed","Message":"m"}]}'
)


@pytest.mark.parametrize(
    ("answers", "tries", "code"),
    [
        ([(400, CONDITION)], 1, "ConditionalCheckFailedException"),
        ([(400, CANCELLED)], 1, "TransactionCanceledException"),
        ([(400, THROTTLED)] * 4, 4, "ProvisionedThroughputExceededException"),
        ([(500, b"")] * 4, 4, "500"),
        ([(503, b"<html>")] * 4, 4, "503"),
        ([(400, THROTTLED), (500, b""), None, (200, b"{}")], 4, ""),
    ],
)
def test_errors_and_retries_are_botocores(
    script: Script, both: Both, answers: list[tuple[int, bytes] | None], tries: int, code: str
) -> None:
    told: list[dict[str, Any]] = []
    for client in both("dynamodb"):
        script.answers, script.asked = list(answers), []
        try:
            client.get_item(**GET)
            told.append({})
        except ClientError as error:
            told.append(error.response)
        assert len(script.asked) == tries
    ours, full = told
    assert ours.get("Error", {}).get("Code", "") == full.get("Error", {}).get("Code", "") == code
    assert ours.get("CancellationReasons") == full.get("CancellationReasons")
    assert ours.get("Item") == full.get("Item")


def test_a_missing_object_is_told_by_its_code(script: Script, both: Both) -> None:
    for client in both("s3"):
        script.answers = [(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")]
        with pytest.raises(ClientError) as caught:
            client.get_object(Bucket="data", Key="gone")
        assert caught.value.response["Error"]["Code"] == "NoSuchKey"


def test_a_connection_is_kept_and_replaced_when_the_other_side_hung_up(script: Script, both: Both) -> None:
    ours, _ = both("dynamodb")
    ours.get_item(**GET)
    kept = ours._local.connection
    ours.get_item(**GET)
    assert ours._local.connection is kept
    script.answers = [None]
    ours.get_item(**GET)
    assert ours._local.connection is not kept


def test_nobody_there_is_botocores_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    client = Client("dynamodb", {**ENVIRON, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, lambda: None)
    with pytest.raises(EndpointConnectionError):
        client.get_item(**GET)


def test_a_transaction_without_a_token_gets_one(script: Script, both: Both) -> None:
    ours, _ = both("dynamodb")
    script.answers = [(500, b""), (200, b"{}")]
    ours.transact_write_items(TransactItems=[])
    first, second = (asked[3]["ClientRequestToken"] for asked in script.asked)
    assert first == second


def test_what_is_not_served_here_is_botocores(both: Both) -> None:
    ours, full = both("dynamodb")
    assert ours.describe_table == full.describe_table
    assert ours.exceptions is full.exceptions


@pytest.mark.parametrize(
    ("service", "changes", "served"),
    [
        ("dynamodb", {}, True),
        ("sesv2", {}, False),
        ("dynamodb", {"AWS_LAMBDA_FUNCTION_NAME": ""}, False),
        ("dynamodb", {"AWS_ACCESS_KEY_ID": ""}, False),
        ("dynamodb", {"AWS_USE_FIPS_ENDPOINT": "true"}, False),
        ("s3", {"HTTPS_PROXY": "http://proxy"}, False),
    ],
)
def test_it_stands_in_only_where_nothing_is_special(service: str, changes: dict[str, str], served: bool) -> None:
    assert serves(service, {**ENVIRON, **changes}) is served


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({"AWS_REGION": "eu-west-1"}, "https://sqs.eu-west-1.amazonaws.com"),
        ({"AWS_REGION": "cn-north-1"}, "https://sqs.cn-north-1.amazonaws.com.cn"),
        ({"AWS_REGION": "x", "AWS_ENDPOINT_URL": "http://l:1/"}, "http://l:1"),
        ({"AWS_REGION": "x", "AWS_ENDPOINT_URL": "http://l:1", "AWS_ENDPOINT_URL_SQS": "http://q:2"}, "http://q:2"),
    ],
)
def test_endpoints(environ: dict[str, str], host: str) -> None:
    assert aws_http._endpoint("sqs", environ) == host
