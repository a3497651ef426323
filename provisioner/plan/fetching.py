"""Whether uv can fetch the Python that is lacking: asked where nothing that is here fits, and recorded for who plans elsewhere."""

from __future__ import annotations

from dataclasses import replace

from provisioner.engines import uv_pythons
from provisioner.errors import TfsetupError
from provisioner.facts import interpreters
from provisioner.host import Host
from provisioner.model.facts import NOT_ASKED, Facts, unknown
from provisioner.model.plan import EnvState
from provisioner.model.request import Request


def with_downloads(host: Host, facts: Facts, request: Request, env: EnvState, *, recorded: Facts | None = None) -> Facts | None:
    """Return the facts with the Pythons that uv can fetch, or why it fetches none; None where that makes no difference.

    It makes none for an environment that has its Python already, for one that conda brings the Python of, and for an interpreter that is
    named by its path. Of another machine, ``recorded``, counts what was recorded there: the uv that is here fetches nothing for it.
    """
    if env.exists or request.kind == "conda" or "/" in request.python or facts.interpreters.status == "unknown":
        return None
    if recorded is not None:
        return recorded if recorded.downloads.status != "unknown" else None
    return replace(facts, downloads=uv_pythons.downloads(host, interpreters.uv_folder(host), offline=request.offline))


def to_record(host: Host, facts: Facts) -> Facts:
    """Return the facts of this machine with the Pythons that uv can fetch here, for plans that are made elsewhere; no network is used."""
    try:
        return replace(facts, downloads=uv_pythons.downloads(host, interpreters.uv_folder(host), offline=False))
    except TfsetupError as error:
        return replace(facts, downloads=unknown(uv_pythons.SOURCE, error.message))


def unasked(facts: Facts) -> Facts:
    """Return the facts without what uv could fetch, which counts only where nothing that is there fits."""
    return replace(facts, downloads=NOT_ASKED)
