"""Every code that the HTTP API may answer stands in docs/api.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
SHARED = ROOT / "shared" / "regulars"
SPOKEN = (
    "access.py",
    "signing.py",
    "web.py",
    "capture/collecting.py",
    "capture/form.py",
    "capture/http.py",
    "capture/properties.py",
    "capture/refusing.py",
    "capture/times.py",
    "capture/traits.py",
    "capture/validation.py",
    "catalogue/http.py",
    "catalogue/importing.py",
    "catalogue/rows.py",
    "catalogue/snapshot.py",
    "catalogue/validation.py",
    "channels/http.py",
    "channels/preferences.py",
    "feedback/links.py",
    "offers/claiming.py",
    "offers/codes.py",
    "offers/issuing.py",
    "offers/redeeming.py",
    "offers/rules.py",
    "offers/stock.py",
    "operation/http.py",
    "operation/parsing.py",
    "operation/quarantine.py",
    "recommendations/http.py",
    "recommendations/rulebook.py",
    "recommendations/rules.py",
    "recommendations/search/http.py",
    "recommendations/service.py",
)
CODE = re.compile(r"""(?:code=|BadRow\(|Violation\(number, "\w+", )"([a-z0-9_]+)\"""")


def test_every_code_is_told() -> None:
    told = set(re.findall(r"`([a-z0-9_]+)`", (ROOT / "docs" / "api.md").read_text("utf-8")))
    codes = {code for name in SPOKEN for code in CODE.findall((SHARED / name).read_text("utf-8"))}
    assert len(codes) > 50
    assert codes - told == set()
