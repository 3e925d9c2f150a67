"""What is committed as compiled is what the compiler makes of the sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from regulars.errors import Invalid
from regulars_ops import compile_templates
from regulars_ops.compile_templates import SOURCES, compile_words, compiled


def test_the_compiled_templates_are_those_of_the_sources() -> None:
    for name, text in compiled().items():
        assert (SOURCES / "compiled" / name).read_text("utf-8") == text, f"{name}: run python -m regulars_ops.compile_templates"


def test_check_passes_and_writes_nothing() -> None:
    assert compile_templates.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('  was: "原价"\n', "", "common.was"),
        ('"查看"', '"{{ broken"', "common.view"),
        ('"查看"', "[1]", "common.view"),
    ],
)
def test_words_that_miss_a_text_or_are_not_liquid_are_refused(tmp_path: Path, before: str, after: str, says: str) -> None:
    (tmp_path / "words").mkdir()
    for language in ("en", "zh"):
        source = (SOURCES / "words" / f"{language}.yaml").read_text("utf-8")
        (tmp_path / "words" / f"{language}.yaml").write_text(source.replace(before, after), "utf-8")
    with pytest.raises(Invalid) as error:
        compile_words(tmp_path)
    assert says in error.value.reason
