"""The demonstration's page in a real browser: headless Chromium renders it and its text is read back."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regulars_demo import page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: the page is not looked at in a browser"),
]
MAIL = page.Sent(
    id="mail/1",
    at="2011-11-20T20:01:00+00:00",
    channel="email",
    kind="cart_abandoned",
    shopper="user:13085",
    to="shopper-13085@shop.example",
    subject='Still here: <b>"tea" & cake</b>',
    text="plain",
    html='<h1>Your basket</h1><img src="https://shop.example/images/22423.jpg"><img width="1" src="http://127.0.0.1:9/l/o/token">',
)
STORY: dict[str, Any] = {
    "who": {"stage": "loyal", "tier": "high", "rfm": "HMH", "orders": 8, "time_zone": "Europe/London", "holdout": False,
            "consent": {"email": "yes"}, "caps": {"day": "0 of 2"}},
    "moments": [{"kind": "cart_abandoned", "state": "WITHHELD", "reason": "no_consent", "sentence": "No consent.",
                 "decided_at_local": "Sun 2011-11-20 20:01 GMT", "history": []}],
}  # fmt: skip


@pytest.fixture
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server with one mail, or with none."""
    mails = [MAIL] if getattr(request, "param", True) else []
    console = page.Console(lambda: mails, lambda shopper: STORY, lambda shopper: [], lambda: ["user:13085"])
    with page.server(console, 0) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def look(url: str, folder: Path) -> str:
    """The document as Chromium made it of the page."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={folder}", "--virtual-time-budget=5000",
        "--dump-dom", url,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_the_outbox_shows_the_mail_and_escapes_its_subject(address: str, tmp_path: Path) -> None:
    seen = look(f"{address}/", tmp_path)
    assert "1 of 1 messages" in seen
    assert "&lt;b&gt;" in seen
    assert "<b>" not in seen


def test_looking_at_a_mail_is_no_opening(address: str, tmp_path: Path) -> None:
    seen = look(f"{address}/mail/mail%2F1", tmp_path)
    assert "Your basket" in seen
    assert "/l/o/" not in seen
    assert "/picture/22423.jpg" in seen


def test_the_timeline_says_why_nothing_was_sent(address: str, tmp_path: Path) -> None:
    seen = look(f"{address}/shopper?id=13085", tmp_path)
    assert "No consent." in seen
    assert "no_consent" in seen


@pytest.mark.parametrize("address", [False], indirect=True)
def test_an_empty_outbox_says_so(address: str, tmp_path: Path) -> None:
    assert "Nothing was sent yet" in look(f"{address}/", tmp_path)
