"""Where a Python comes from by hand, on each system: said here for the plan, for what uv cannot fetch, and for remedies."""

from __future__ import annotations


def winget(version: str, *, again: bool = False) -> str:
    """Return the command for Windows that installs python.org's 64-bit Python ``3.X``; ``again`` over one that is there.

    Source: the ``winget`` repository, whose packages of Python are called ``Python.Python.3.X``.
    """
    return f"winget install {'--force' if again else '--exact'} --id Python.Python.{version}"


def ways(system: str, version: str) -> str:
    """Say how Python ``3.X`` is installed without uv where ``system`` is ``windows``, ``macos`` or another one."""
    if system == "windows":
        return f"`{winget(version)}`, or python.org's installer for 64 bit"
    if system == "macos":
        return f"`brew install python@{version}`, `pyenv install {version}`, or python.org's installer"
    return f"`pyenv install {version}`, or your distribution's package"
