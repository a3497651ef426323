"""``pyvenv.cfg``, which makes a folder a virtual environment (PEP 405)."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.base.paths import turned


def parse_config(text: str) -> dict[str, str]:
    """Return the keys of a ``pyvenv.cfg`` (PEP 405): ``home = /usr/bin`` and so on; paths as the tool spells them."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): turned(value.strip()) for key, _, value in pairs}


def config_version(config: Mapping[str, str]) -> str:
    """Return the Python of a ``pyvenv.cfg`` as ``3.11.7``: virtualenv writes 3.11.7.final.0, uv and venv 3.11.7 (or 3.13.0rc1, 3.12.1+)."""
    return ".".join((config.get("version_info") or config.get("version", "")).split("+")[0].split(".")[:3])
