"""What `sam build` does, for an interpreter other than the template's: copies code, installs layers, writes the built tree.

`sam build` insists on an interpreter named like the runtime. Where only another one is to be had, the local stack runs
the functions in that one, so their layers are installed for it; the templates stay as they are but for the local paths.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from regulars_local import cloudformation, toolchain

_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")


def package(template: Path, build: Path, python: Path) -> None:
    """Replace `build` by the tree that `sam deploy` takes, built from `template` for `python`.

    Raises CalledProcessError when a layer's requirements cannot be installed.
    """
    shutil.rmtree(build, ignore_errors=True)
    _stack(template, build, python)


def _stack(template: Path, build: Path, python: Path) -> None:
    build.mkdir(parents=True)
    content = cloudformation.load(template)
    for name, resource in content["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::CloudFormation::Stack":
            _stack(template.parent / properties["TemplateURL"], build / name, python)
            properties["TemplateURL"] = f"{name}/template.yaml"
        elif resource["Type"] == "AWS::Lambda::Function":
            shutil.copytree(template.parent / properties["Code"], build / name, ignore=_IGNORED)
            properties["Code"] = name
        elif resource["Type"] == "AWS::Serverless::LayerVersion":
            _layer(template.parent / properties["ContentUri"], build / name / "python", python)
            properties["ContentUri"] = name
    _write(build / "template.yaml", content)


def _layer(source: Path, target: Path, python: Path) -> None:
    shutil.copytree(source, target, ignore=_IGNORED)
    requirements = source / "requirements.txt"
    if requirements.exists():
        command = [toolchain.uv(), "pip", "install", "--quiet", "--no-deps", "--python", str(python)]
        subprocess.run([*command, "--target", str(target), "--requirement", str(requirements)], check=True)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120), "utf-8")
