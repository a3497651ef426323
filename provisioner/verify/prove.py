"""What can be expected of an environment: what a plan makes of it, or what the TensorFlow that is in it should be able to do."""

from __future__ import annotations

from provisioner.base.names import is_rival
from provisioner.environment.read import Site
from provisioner.environment.receipt import Receipt
from provisioner.environment.tensorflow import only_cpu, own_of, purpose
from provisioner.model.plan import Plan
from provisioner.session import Session
from provisioner.verify import Expected

TIMEOUT_SECONDS = 600.0


def expected_of_plan(session: Session, made: Plan) -> Expected:
    """Say what an environment made by this plan must be able to do."""
    release = session.catalogue.release(made.choice.release)
    build = release.build(made.choice.platform) if release else None
    return Expected(
        tensorflow=made.choice.release,
        packages=made.expected,
        device=made.choice.device,
        # The catalogue knows TensorFlow's own wheels; a channel's build opens other libraries.
        cuda=build.cuda if build and made.choice.device == "cuda" and made.choice.road != "conda" else None,
    )


def expected_of(session: Session, site: Site, receipt: Receipt | None) -> Expected:
    """Say what an environment should be able to do: as it was made, unless another TensorFlow came since by other means (as ``doctor`` has it)."""
    planned = receipt.plan.choice.release if receipt is not None else ""
    versions = {item.version for item in site.distributions if is_rival(item.name)}
    return (
        expected_of_plan(session, receipt.plan)
        if receipt is not None and (planned in versions or not versions)
        else expected_of_site(session, site)
    )


def expected_of_site(session: Session, site: Site) -> Expected:
    """Say what an environment that this tool did not make should be able to do, from the TensorFlow that is in it and what lies beside it."""
    found = own_of(site.distributions)
    release = session.catalogue.release(found.version) if found else None
    build = release.build(session.platform) if release else None
    if any(name.startswith("tensorflow-") for name in site.conda):
        build = None
    cpu = found is not None and only_cpu(found.name, build)
    meant = purpose({item.name: item.version for item in site.distributions}, None, dict(map(_name_and_version, site.conda)) or None)
    return Expected(
        tensorflow=found.version if found else "",
        packages={},
        device="cpu" if cpu else meant.device,
        cuda=build.cuda if build and not cpu else None,
    )


def _name_and_version(identity: str) -> tuple[str, str]:
    name, version, _ = identity.rsplit("-", 2)
    return name, version
