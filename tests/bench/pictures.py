"""Draws what the benchmarks wrote: quality, build time over size, latency.

    python tests/bench/pictures.py [--from .local/bench] [--into docs/pictures]

Reads quality.json, build.json and recommend.json (each bench writes its own with `--json`) and writes one SVG for each that
is there. A missing one is said.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib  # type: ignore[import-not-found]

matplotlib.use("svg")
from matplotlib import pyplot  # type: ignore[import-not-found]

ROOT = Path(__file__).resolve().parents[2]
OURS, THEIRS, GOAL = "#1f6f5c", "#b9c4c9", "#b3452c"
matplotlib.rcParams |= {"svg.hashsalt": "regulars", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}


def quality(rows: list[dict[str, Any]]) -> Any:
    """NDCG@10 by method, a panel for each data set, with the target."""
    names = list(dict.fromkeys(row["data"] for row in rows))
    figure, panels = pyplot.subplots(1, len(names), figsize=(4.2 * len(names), 3), squeeze=False)
    for panel, name in zip(panels[0], names, strict=True):
        some = [row for row in rows if row["data"] == name]
        values = [row["ndcg@10"] for row in some]
        colours = [OURS if row["method"] == "regulars" else THEIRS for row in some]
        bars = panel.barh([row["method"] for row in some], values, color=colours)
        panel.bar_label(bars, fmt="%.3f", padding=2)
        for row in some:
            if "target" in row:
                panel.axvline(row["target"], color=GOAL, linewidth=1, linestyle="--")
        panel.set_xlim(0, max(values) * 1.2)
        panel.set_title(f"{name}: NDCG@10 (dashed: target)", fontsize=9)
    return figure


def build(document: dict[str, Any]) -> Any:
    """Seconds over interactions, both logarithmic, and the engines on the large matrix."""
    figure, (growth, engines) = pyplot.subplots(1, 2, figsize=(8.4, 3))
    for threads in sorted({row["threads"] for row in document["growth"]}):
        some = [row for row in document["growth"] if row["threads"] == threads]
        growth.loglog([row["interactions"] for row in some], [row["seconds"] for row in some], "o-", label=f"{threads} threads")
    growth.set_xlabel("interactions")
    growth.set_ylabel("seconds")
    growth.set_title("top-100 build over size", fontsize=9)
    growth.legend(frameon=False)
    rows = document["builds"]
    labels = [f"{row['engine']}, {row['threads']} thr." for row in rows]
    bars = engines.barh(
        labels, [row["seconds"] for row in rows], color=[OURS if "regulars" in name else THEIRS for name in labels]
    )
    engines.bar_label(bars, fmt="%.1f s", padding=2)
    engines.set_title("the same lists, seconds", fontsize=9)
    return figure


def recommend(document: dict[str, Any]) -> Any:
    """Share of calls answered within so many milliseconds of CPU: of all, and of those with the core to themselves."""
    figure, panels = pyplot.subplots(1, 2, figsize=(8.4, 3), sharey=True)
    for panel, which, title in zip(panels, ("milliseconds", "undisturbed"), ("all calls", "core to itself"), strict=True):
        for name, values in document.get(which, {}).items():
            ordered = sorted(values)
            panel.plot(ordered, [(place + 1) / len(ordered) for place in range(len(ordered))], label=name)
        panel.axvline(3, color=GOAL, linewidth=1, linestyle="--")
        panel.axvline(10, color=GOAL, linewidth=1, linestyle=":")
        panel.set_xlim(0, 12)
        panel.set_title(title, fontsize=9)
        panel.set_xlabel("CPU, ms (dashed: goal p50, dotted: p99)")
    panels[0].set_ylabel("share of calls")
    panels[0].legend(frameon=False)
    return figure


DRAWN: dict[str, Callable[[Any], Any]] = {"quality": quality, "build": build, "recommend": recommend}


def main() -> None:
    """Draw what is there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--from", dest="source", type=Path, default=ROOT / ".local" / "bench")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "pictures")
    chosen = parser.parse_args()
    chosen.into.mkdir(parents=True, exist_ok=True)
    for name, draw in DRAWN.items():
        file = chosen.source / f"{name}.json"
        if not file.exists():
            print(f"SKIPPED {name}: no {file}", file=sys.stderr)
            continue
        figure = draw(json.loads(file.read_text("utf-8")))
        figure.savefig(chosen.into / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
        print(chosen.into / f"{name}.svg")


if __name__ == "__main__":
    main()
