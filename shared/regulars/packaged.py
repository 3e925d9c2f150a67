"""Files that lie beside the code, also where the package is a zip file (Spark). `importlib.resources` does the same, but loads
tempfile, shutil and zipfile with it in every cold start."""

from __future__ import annotations

from pkgutil import get_data


def text(package: str, path: str) -> str:
    """The UTF-8 text of `path` within the package, lines ending as in Python; raises FileNotFoundError."""
    try:
        content = get_data(package, path)
    except OSError as error:  # as a zip file says it
        raise FileNotFoundError(f"{path} of {package}") from error
    if content is None:
        raise FileNotFoundError(f"{path} of {package}")
    return content.decode("utf-8").replace("\r\n", "\n")
