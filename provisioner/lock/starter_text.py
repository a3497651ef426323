"""The text of a first ``tfsetup.yaml``: a word on every key, and those that it does not use behind a #."""

from __future__ import annotations

import json
import re

from provisioner.declared.keys import DECLARATION, TARGET
from provisioner.declared.proposal import index_text
from provisioner.lock.starter import First
from provisioner.model.team import Target

# What stands behind a # for each key that the first file does not use.
_EXAMPLES = {
    "pythons": 'pythons: ["3.11", "3.12"]',
    "requirements": "requirements:\n  - pandas>=2",
    "files": "files: [requirements.in]",
    "instead": "instead:\n  - {of: 'numpy==1.22.3', take: 'numpy==1.24.3'}",
    "project": "project: {file: pyproject.toml, extras: [gpu], groups: [dev]}",
    "indexes": (
        "indexes:\n  - url: https://packages.example.com/simple\n"
        "  - url: https://${TFSETUP_INDEX_TEAM_USERNAME}:${TFSETUP_INDEX_TEAM_PASSWORD}@packages.example.com/private/simple\n    name: team\n"
        "    packages: [our-own-package]"
    ),
    "channels": "channels: [conda-forge, ./our-channel, 'https://${TFSETUP_INDEX_TEAM_USERNAME}:${TFSETUP_INDEX_TEAM_PASSWORD}@packages.example.com/conda']",
    "conda": "conda: [ffmpeg, 'gcc_linux-64=12']",
    "policy": (
        'policy:\n  releases: ">=2.16"\n  driver: "525.60.13"\n  source_builds: false\n  cool_down: 7\n  proven: true\n'
        '  signed_off:\n    - {release: "2.20.0", by: Ada Lovelace, date: "2026-03-31"}'
    ),
    "verify": "verify: [pandas, 'python smoke_test.py']",
    "folder": "folder: locks",
    "formats": "formats: [requirements, pylock, conda-lock]",
}
_TARGET_EXAMPLES = {
    "floor": 'floor: "2.31"',
    "driver": 'driver: "550.54.14"',
    "tensorflow": 'tensorflow: "2.19"',
    "kind": "kind: conda",
    "source": "source: wheels",
}


def text_of(first: First, origin: str) -> str:
    """Return the file; ``origin`` says what it was made from."""
    head = (
        f"# What the machines of a team shall have. Written by `tfsetup init` from {origin}; `tfsetup lock` makes the locks.\n"
        "# Paths are relative to this file; `tfsetup schema declaration` prints a JSON Schema for editors."
    )
    parts = [
        head,
        _key("tensorflow", f"tensorflow: {_quoted(first.tensorflow)}"),
        _key("targets", "targets:\n" + "\n".join(_target(target) for target in first.targets)),
    ]
    used = _used(first)
    parts += [_key(key, used.get(key) or _commented(example)) for key, example in _EXAMPLES.items()]
    return "\n\n".join(parts) + "\n"


def _used(first: First) -> dict[str, str]:
    """Return the lines of the keys that say something."""
    used = {
        "requirements": _requirements(first) if first.requirements or first.left_out else "",
        "files": f"files: {json.dumps(first.files)}" if first.files else "",
        "project": "project: {file: pyproject.toml}" if first.project else "",
        "indexes": "indexes:\n" + "\n".join(f"  - {index_text(index)}" for index in first.indexes) if first.indexes else "",
        "channels": f"channels: {json.dumps(first.channels)}" if first.channels else "",
        "conda": f"conda: {json.dumps(first.conda)}" if first.conda else "",
    }
    return {key: text for key, text in used.items() if text}


def _key(name: str, text: str) -> str:
    return f"# {DECLARATION.keys[name].about}.\n{text}"


def _target(target: Target) -> str:
    said = {"name": target.name, "platform": target.platform, "device": target.device, "python": _quoted(target.python)}
    said |= {"driver": f'"{target.driver}"'} if target.driver else {}
    said |= {"kind": target.kind, "source": target.source} if target.kind == "conda" else {}
    lines = [f"{key}: {value}{_about(key)}" for key, value in said.items()]
    lines += [f"# {example}{_about(key)}" for key, example in _TARGET_EXAMPLES.items() if key not in said]
    return "  - " + "\n    ".join(lines)


def _about(key: str) -> str:
    return f"  # {TARGET.keys[key].about}"


def _requirements(first: First) -> str:
    lines = [f"  - {_plain(text)}" for text in first.requirements]
    lines += [f"  # - {name}: installed from no index, so it cannot be locked by hash" for name in first.left_out]
    exact = all("==" in text for text in first.requirements)
    note = "# These are the versions that are there; loosen (>=) what `tfsetup lock --upgrade` may move.\n" if exact else ""
    return note + ("requirements:\n" if first.requirements else "# requirements:\n") + "\n".join(lines)


def _commented(text: str) -> str:
    return "\n".join(f"# {line}" for line in text.splitlines())


def _quoted(text: str) -> str:
    """Return a text with quotes where YAML, or another program than this one, would take it for something else."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", text) else json.dumps(text)


def _plain(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._=+!-]*", text) else json.dumps(text)
