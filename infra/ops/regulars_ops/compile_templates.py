"""Turns the sources of the message templates into what `send_message` reads.

    python -m regulars_ops.compile_templates            writes channels/templates/compiled/
    python -m regulars_ops.compile_templates --check    exits 1 when what is committed differs

MJML becomes HTML with its Liquid left in, the words files become one JSON file: at run time there is neither an MJML
compiler (it is native code) nor a YAML parser (slow without its C library). The words are checked on the way: every
language has the same kinds and fields, and every text is Liquid.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import regulars.channels
from regulars.errors import Invalid
from regulars.shop import parse_yaml

SOURCES = Path(regulars.channels.__file__).parent / "templates"
OPTIONAL_SUFFIXES = ("_discount", "_craft")


def compile_html(sources: Path = SOURCES) -> str:
    """The e-mail layout as HTML with Liquid in it."""
    from mjml import mjml2html

    html: str = mjml2html(
        (sources / "email.mjml").read_text("utf-8"),
        include_loader=lambda path: (sources / path).read_text("utf-8"),
    )
    return html.rstrip() + "\n"


def compile_words(sources: Path = SOURCES) -> str:
    """All words files as JSON by language; raises Invalid naming what is missing, surplus or not Liquid."""
    words = {path.stem: parse_yaml(path.read_text("utf-8")) for path in sorted((sources / "words").glob("*.yaml"))}
    reference = _fields(words["en"])
    for language, texts in words.items():
        difference = reference ^ _fields(texts)
        if difference:
            raise Invalid(f"words/{language}.yaml and words/en.yaml differ in {', '.join(sorted(difference))}")
        _check_liquid(language, texts)
    return json.dumps(words, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def compiled(sources: Path = SOURCES) -> Mapping[str, str]:
    """File name under `compiled/` → its text."""
    return {"email.html": compile_html(sources), "words.json": compile_words(sources)}


def main(arguments: list[str] | None = None) -> int:
    """Entry point; the exit status."""
    parser = argparse.ArgumentParser(prog="compile_templates", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the committed files differ")
    check = parser.parse_args(arguments).check
    target = SOURCES / "compiled"
    stale = []
    for name, text in compiled().items():
        path = target / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, "utf-8")
    verb = "differs from its source" if check else "written"
    for name in stale:
        print(f"{name}: {verb}", file=sys.stderr if check else sys.stdout)
    return 1 if check and stale else 0


def _fields(tree: Any, path: str = "") -> set[str]:
    """Dotted paths of all texts; tone variants may be missing in a language, so they do not count."""
    if isinstance(tree, Mapping):
        return {name for key, value in tree.items() for name in _fields(value, f"{path}.{key}" if path else str(key))}
    return set() if path.endswith(OPTIONAL_SUFFIXES) else {path}


def _check_liquid(language: str, tree: Any, path: str = "") -> None:
    from liquid import Environment
    from liquid.exceptions import LiquidError

    if isinstance(tree, Mapping):
        for key, value in tree.items():
            _check_liquid(language, value, f"{path}.{key}" if path else str(key))
        return
    if not isinstance(tree, str):
        raise Invalid(f"words/{language}.yaml: {path} is not a text")
    try:
        Environment().from_string(tree)
    except LiquidError as error:
        raise Invalid(f"words/{language}.yaml: {path}: {error}") from error


if __name__ == "__main__":
    raise SystemExit(main())
