"""Whether uv can fetch the Python that is lacking: asked where nothing that is here fits."""

from __future__ import annotations

from dataclasses import replace

from provisioner.engines import uv_pythons
from provisioner.facts import interpreters
from provisioner.host import Host
from provisioner.model.facts import Facts
from provisioner.model.plan import EnvState
from provisioner.model.request import Request


def with_downloads(host: Host, facts: Facts, request: Request, env: EnvState) -> Facts | None:
    """Return the facts with the Pythons that uv can fetch, or why it fetches none; None where that makes no difference.

    It makes none for an environment that has its Python already, for one that conda brings the Python of, and for an interpreter that is
    named by its path.
    """
    if env.exists or request.kind == "conda" or "/" in request.python or facts.interpreters.status == "unknown":
        return None
    here, there = host.platform, facts.system.os.value
    if {"darwin": "macos", "win32": "windows"}.get(here, here) != there:
        return None
    return replace(facts, downloads=uv_pythons.downloads(host, interpreters.uv_folder(host), offline=request.offline))
