"""The environment of PEP 508 markers for a Python of another version than the tool's own, on this machine."""

from __future__ import annotations

from collections.abc import Mapping


def markers_of(version: str) -> Mapping[str, str]:
    """Return the markers of a CPython (``3.11`` or ``3.11.7``) on this machine; those of the tool's own Python where ``version`` is empty."""
    from packaging.markers import default_environment  # noqa: PLC0415 - 10 ms, where something is there to judge

    markers = {key: str(value) for key, value in default_environment().items()}
    if not version:
        return markers
    full = version if version.count(".") > 1 else f"{version}.0"
    names = {"implementation_name": "cpython", "platform_python_implementation": "CPython", "implementation_version": full}
    return {**markers, **names, "python_version": ".".join(version.split(".")[:2]), "python_full_version": full}
