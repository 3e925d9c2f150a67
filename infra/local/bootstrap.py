"""`python3 infra/local/bootstrap.py VERB`: makes what a fresh machine lacks, then does what the verb says.

Takes Python 3.11 or newer and the network; nothing outside this folder is changed. Standard library only, because nothing
is installed yet when it starts. `make VERB` is the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".local" / "tools"
VENV = ROOT / ".venv"
PY = "python"
TOOLS_PACKAGES = ("infra/ops/regulars_ops", "infra/local/regulars_local", "infra/demo/regulars_demo")
BENCHES = {
    "recommend": ("recommend", "--json", ".local/bench/recommend.json"),
    "search": ("search",),
    "collect": ("collect",),
    "cold-start": ("cold_start",),
    "repurchase": ("repurchase",),
    "quality": ("quality", "--json", ".local/bench/quality.json"),
    "new-items": ("new_items", "../shared/data/online_retail_2/lines.parquet"),
    "new-shoppers": ("new_shoppers", "../shared/data/online_retail_2/lines.parquet"),
    "build": ("build", "--json", ".local/bench/build.json"),
    "limits": ("limits",),
    "large-log": ("large_log", "--repurchase"),
}
"""One table each: the script of tests/bench and its words."""
STOP_PAGE = (PY, "-m", "regulars_demo", "--stop")
KERNEL = (PY, "-m", "regulars_local", "kernel")
PREPARED = (
    KERNEL,
    ("uv", "sync", "--frozen", "--quiet", "--inexact", "--group", "bench"),
    (PY, "-c", "import pathlib; pathlib.Path('.local/bench').mkdir(parents=True, exist_ok=True)"),
)


def bench(name: str) -> tuple[str, ...]:
    """The command of one table."""
    script, *words = BENCHES[name]
    return (PY, f"tests/bench/bench_{script}.py", *words)


LINT = (
    (PY, "-m", "ruff", "check", "."),
    (PY, "-m", "ruff", "format", "--check", "."),
    (PY, "-m", "mypy", "shared/regulars", *TOOLS_PACKAGES),
    ("cfn-lint", "template.yaml", "infra/stacks/*.yaml"),
)
VERBS = {
    "setup": ((PY, "-m", "regulars_local", "setup"),),
    "demo": ((PY, "-m", "regulars_demo"),),
    "lint": LINT,
    "test": (
        *LINT,
        KERNEL,
        (PY, "-m", "regulars_local", "validate"),
        (PY, "-m", "pytest", "-n", "auto", "--ignore", "tests/bench", "-m", "not stack and not spark"),
        (PY, "-m", "pytest", "-rs", "tests/spark"),
        (PY, "-m", "pytest", "--ignore", "tests/bench", "-m", "stack"),
    ),
    "build": ((PY, "-m", "regulars_local", "build"),),
    "spark": ((PY, "-m", "regulars_local", "spark"),),
    "deploy-local": ((PY, "-m", "regulars_local", "up"),),
    "up": ((PY, "-m", "regulars_local", "up"),),
    "down": (
        STOP_PAGE,
        (PY, "-m", "regulars_local", "down"),
    ),
    "reset": (
        STOP_PAGE,
        (PY, "-m", "regulars_local", "reset"),
    ),
    "status": ((PY, "-m", "regulars_local", "status"),),
    "bench": (*PREPARED, *map(bench, BENCHES)),
    **{f"bench-{name}": (*PREPARED, bench(name)) for name in BENCHES},
    "pictures": ((PY, "tests/bench/pictures.py"),),
    "simulate": ((PY, "-m", "tests.simulation"),),
    "mutants": (KERNEL, (PY, "-m", "tests.mutants")),
    "docs": ((PY, "-m", "regulars_ops.flow_table"), (PY, "-m", "regulars_ops.settings_page")),
    "clean": (
        STOP_PAGE,
        (PY, "-m", "regulars_local", "reset"),
    ),
}
_MADE = (".local", ".aws-sam", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "tests/contract/node_modules")


def main(arguments: list[str]) -> int:
    """Exit code of the first command that fails, else 0."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts this may have any Python
        return refuse(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    if not arguments or arguments[0] not in VERBS:
        return refuse(f"say one of: {' '.join(VERBS)}")
    os.environ.setdefault("UV_SYSTEM_CERTS", "1")  # trust what this machine trusts: companies' proxies sign for themselves
    verb, more = arguments[0], arguments[1:]
    uv = find_uv() or install_uv()
    if uv is None or not sync(uv):
        return 1
    commands = VERBS[verb]
    for number, command in enumerate(commands, 1):
        if verb == "bench" and command not in PREPARED:
            print(f"\n== {' '.join(command[1:])}", flush=True)
        code = run([*command, *(more if number == len(commands) else [])], uv)
        if code:
            return code
    if verb == "clean":
        for made in _MADE:
            shutil.rmtree(ROOT / made, ignore_errors=True)
    return 0


def refuse(reason: str) -> int:
    """Say why not."""
    print(f"bootstrap: {reason}", file=sys.stderr)
    return 2


def find_uv() -> str | None:
    """uv on PATH, or as installed here before."""
    return shutil.which("uv") or shutil.which("uv", path=str(TOOLS / "venv" / "bin"))


def install_uv() -> str | None:
    """uv into a private virtual environment; None, and why, where Python cannot make one."""
    print("installing uv into .local/tools", flush=True)
    venv = TOOLS / "venv"
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], stdout=subprocess.DEVNULL).returncode:
        refuse("this Python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv")
        return None
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv>=0.9,<1"]
    if subprocess.run(pip).returncode:
        refuse("uv could not be installed; is the package index reachable?")
        return None
    return str(venv / "bin" / "uv")


def sync(uv: str) -> bool:
    """The project's environment, as uv.lock says, for this Python unless there is one already; REGULARS_EXTRAS names extras
    (`spark`) that are wanted beside."""
    command = [uv, "sync", "--frozen", "--quiet"]
    for extra in os.environ.get("REGULARS_EXTRAS", "").split():
        command += ["--extra", extra]
    if not VENV.exists():
        print("installing dependencies into .venv", flush=True)
        command += ["--python", sys.executable]
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode == 0


def run(command: list[str], uv: str) -> int:
    """One command in the project's environment; patterns are expanded here, there is no shell."""
    program = str(VENV / "bin" / "python") if command[0] == PY else command[0]
    words = [word for part in command[1:] for word in expand(part)]
    path = os.pathsep.join((str(VENV / "bin"), str(Path(uv).parent), os.environ.get("PATH", os.defpath)))
    places = ("shared", "infra/ops", "infra/local", "infra/demo")
    environment = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(str(ROOT / place) for place in places)}
    environment.pop("VIRTUAL_ENV", None)
    return subprocess.run([program, *words], cwd=ROOT, env=environment).returncode


def expand(word: str) -> list[str]:
    """`infra/stacks/*.yaml` as the files it means."""
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(word)) if "*" in word else [word]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
