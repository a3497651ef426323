"""Reading what every plan is made from besides the decision: this tool, the time, the machine, the catalogue and the installer's cache."""

from __future__ import annotations

from provisioner import __version__
from provisioner.engines import uv
from provisioner.environment.read import Site
from provisioner.model.catalogue import Lock
from provisioner.model.facts import Facts, machine_words
from provisioner.model.plan import Choice
from provisioner.model.request import Request
from provisioner.plan.parts import PlanInputs
from provisioner.session import Session


def read_common(
    session: Session, request: Request, facts: Facts, site: Site, choice: Choice, lock: Lock | None, *, proof: str
) -> PlanInputs:
    """Return the inputs of a plan with this decision; the parameters are as in ``PlanInputs``."""
    return PlanInputs(
        tool=__version__,
        made=session.host.now().isoformat(timespec="seconds"),
        machine=machine_words(facts),
        request=request,
        facts=facts,
        catalogue=session.catalogue.digest,
        cache=uv.cache_folder(session.host),
        site=site,
        choice=choice,
        lock=lock,
        proof=proof,
    )
