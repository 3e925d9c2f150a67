"""The command line when things are not as it needs them: one line that says so, exit code 2."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from regulars_ops import main, stack


def refuse(error: Exception) -> None:
    raise error


def test_without_a_stack_it_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.main(["doctor"]) == 2
    assert "make up" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "does not answer"),
        (MemoryError(), "too little memory"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetItem"), "AccessDenied"),
    ],
)
def test_what_aws_says_is_one_line(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stack, "connect", lambda name: stack.Stack("regulars", ""))
    monkeypatch.setattr("regulars_ops.doctor.run", lambda stack, chosen: refuse(error))
    assert main.main(["doctor"]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    commands = next(action for action in main.parser()._actions if isinstance(action, argparse._SubParsersAction))
    for name in commands.choices:
        with pytest.raises(SystemExit) as ended:
            main.main([name, "--help"])
        assert ended.value.code == 0


@pytest.mark.parametrize("option", ["--from", "--to"])
@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "1/2/2026"])
def test_a_report_of_no_such_day_says_what_a_day_looks_like(option: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main.main(["report", option, text])
    assert left.value.code == 2
    assert f"argument {option}: '{text}' is no day: YYYY-MM-DD" in capsys.readouterr().err
