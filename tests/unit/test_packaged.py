"""Files beside the code, as files and in a zip file."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from regulars import packaged


def test_a_file_of_the_package_is_read() -> None:
    assert "common_seconds:" in packaged.text("regulars", "recommendations/defaults.yaml")


def test_one_that_is_not_there_is_said() -> None:
    with pytest.raises(FileNotFoundError):
        packaged.text("regulars", "recommendations/missing.yaml")


def test_a_package_in_a_zip_file_is_read_too(tmp_path: Path) -> None:
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("shelf/__init__.py", "")
        made.writestr("shelf/tea.txt", "茶\r\n")
    asked = """
import sys
sys.path.append(sys.argv[1])
from regulars.packaged import text
print(ascii(text("shelf", "tea.txt")))
try:
    text("shelf", "coffee.txt")
except FileNotFoundError as error:
    print(error)
"""
    shared = Path(packaged.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", asked, str(archive)], cwd=shared, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [ascii("茶\n"), "coffee.txt of shelf"]
