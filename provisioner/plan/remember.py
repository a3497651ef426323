"""What an existing environment is stays what nobody says otherwise: its release and its device, by its receipt, else by what is installed. Pure.

Its Python stays by itself: an environment has one. ``--upgrade`` moves the release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisioner.base.versions import is_version, minor_of
from provisioner.catalogue.catalogue import Catalogue
from provisioner.conda.compare import identity_parts
from provisioner.environment.read import Site
from provisioner.environment.receipt import Receipt
from provisioner.environment.tensorflow import only_cpu, own_of, purpose
from provisioner.model.request import Request

RECEIPT, INSTALLED = "the environment's receipt", "what is installed"


def remembered(request: Request, site: Site, receipt: Receipt | None, catalogue: Catalogue) -> Request:
    """Return the request with what it leaves open as the environment has it; ``origins`` say where that is from."""
    if not site.state.exists:
        return request
    values: dict[str, Any] = {}
    origins = dict(request.origins)
    if _is_open(request.origins, "tensorflow") and not request.tensorflow and not request.upgrade:
        release, told = _release(site, receipt)
        spec = _spec(release, catalogue)
        if spec:
            values["tensorflow"], origins["tensorflow"] = spec, told
    if _is_open(request.origins, "device") and request.device == "auto":
        device, told = _device(site, receipt)
        if device:
            values["device"], origins["device"] = device, told
    return replace(request, **values, origins=origins) if values else request


def _is_open(origins: Mapping[str, str], name: str) -> bool:
    return origins.get(name, "default") == "default"


def _release(site: Site, receipt: Receipt | None) -> tuple[str, str]:
    if receipt is not None and receipt.plan.choice.road != "conda":
        return receipt.plan.choice.release, RECEIPT
    found = own_of(site.distributions)
    return (found.version, INSTALLED) if found is not None and receipt is None else ("", "")


def _spec(release: str, catalogue: Catalogue) -> str:
    """Return the specifier for a release; where the catalogue has not this one, any of its minor; "" for what is no release."""
    if not is_version(release):
        return ""
    if release in catalogue.versions():
        return f"=={release}"
    return f"=={minor_of(release)}.*"


def _device(site: Site, receipt: Receipt | None) -> tuple[str, str]:
    if receipt is not None:
        return receipt.plan.choice.device, RECEIPT
    there = {item.name: item.version for item in site.distributions}
    meant = purpose(there, None, {name: version for name, version, _ in map(identity_parts, site.conda)})
    if meant.device:
        return meant.device, INSTALLED
    found = own_of(site.distributions)
    # A plain `tensorflow` is for either, so the machine decides.
    return ("cpu", INSTALLED) if found is not None and only_cpu(found.name, None) else ("", "")
