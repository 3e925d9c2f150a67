"""docs/kpis.md says what the definitions say."""

from __future__ import annotations

from pathlib import Path

from regulars.metrics.model import KPIS
from regulars.metrics.page import page


def test_the_page_is_generated() -> None:
    kept = Path(__file__).parents[3] / "docs" / "kpis.md"
    assert kept.read_text("utf-8") == page(), "run: python -m regulars.metrics.page > docs/kpis.md"


def test_every_kpi_is_on_it() -> None:
    text = page()
    assert all(kpi.title in text for kpi in KPIS)
