"""Reading what repairs of a conda environment are made from: its packages, where they come from, and what it would be made of anew."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from provisioner.base.numbers import whole
from provisioner.conda.compare import identity_parts
from provisioner.conda.sources import Places, places
from provisioner.conda.virtual import virtual_packages
from provisioner.engines import rattler
from provisioner.environment.conda_owned import own_folders
from provisioner.environment.conda_present import read_present
from provisioner.environment.conda_records import read_records
from provisioner.environment.read import Site
from provisioner.environment.receipt import Receipt
from provisioner.environment.tensorflow import CONDA_LIBRARIES
from provisioner.errors import TfsetupError
from provisioner.host import Reader, files
from provisioner.model.catalogue import Link
from provisioner.model.conda_package import SUBDIRS, CondaPackage, CondaSource
from provisioner.model.facts import Facts
from provisioner.model.json_text import read_json
from provisioner.model.plan import Choice
from provisioner.model.request import Request
from provisioner.plan import conda_solve
from provisioner.plan.conda_files import edits
from provisioner.repair.conda_plans import channel_of
from provisioner.repair.model import CondaInputs
from provisioner.session import Session

# A package's entry in repodata, which conda and mamba keep with the unpacked package in their caches; rattler 0.28 does not.
_KEPT = "info/repodata_record.json"
# Newer than any, for what is there already.
ANY_CUDA = "99"


def source_of(reader: Reader, site: Site, receipt: Receipt | None) -> CondaSource:
    """Tell how the TensorFlow of a conda environment came about: by the receipt, else by what is there."""
    if receipt is not None and receipt.plan.choice.road:
        return receipt.plan.choice.road
    own = own_folders(reader, site.state.path, read_records(reader, site.state.path))
    names = {identity_parts(item)[0] for item in site.conda}
    if any(identity_parts(package)[0].startswith("tensorflow") for package in own.values()):
        return "conda"
    return "libraries" if names >= CONDA_LIBRARIES else "wheels"


def read_conda_inputs(
    session: Session, site: Site, receipt: Receipt | None, choice: Choice, request: Request, *, links: tuple[Link, ...], facts: Facts
) -> CondaInputs:
    """Read the packages of the environment, and what is known of each."""
    host, root = session.host, site.state.path
    made = receipt.plan.conda if receipt is not None else None
    present = {package.identity: package for package in read_present(host, root).packages}
    channels = tuple(dict.fromkeys((*(made.channels if made else ()), *(channel_of(item) for item in present.values() if item.url))))
    found = places(host, request, channels)
    known = {package.identity: package for package in made.packages} if made else {}
    linkable = {}
    names = {identity_parts(item)[0] for item in site.conda}
    gone = [package.identity for package in known.values() if package.name not in names]
    for name in (*site.conda, *gone):
        package = present.get(name) or known.get(name) or _of_cache(host, found, name)
        if package is None:
            package = _of_channel(session, replace(request, channels=channels or request.channels), choice, facts, name)
        if package is not None and package.url and len(package.sha256) == 64:  # noqa: PLR2004 - hexadecimal
            linkable[name] = package
    return CondaInputs(
        source=choice.road,
        there=site.conda,
        linkable=linkable,
        own=own_folders(host, root, read_records(host, root)),
        depends={name: package.depends for name, package in present.items()},
        specs=made.specs if made else (),
        virtual=made.virtual if made else (),
        channels=channels or found.shown,
        cache=found.cache,
        edits=edits(choice, root, links),
    )


def _of_cache(reader: Reader, found: Places, identity: str) -> CondaPackage | None:
    """What a cache keeps of a package whose record in the environment cannot be read."""
    for cache in found.channels.caches:
        text = files.read(reader, posixpath.join(cache, identity, _KEPT), 1 << 20).text
        try:
            data = read_json(text or "")
            return _package(data) if f"{data['name']}-{data['version']}-{data['build']}" == identity else None
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return None


def _of_channel(session: Session, request: Request, choice: Choice, facts: Facts, identity: str) -> CondaPackage | None:
    """What a channel says of a package that nothing here knows any more."""
    name, version, build = identity_parts(identity)
    try:
        found = _solve(session, request, choice, facts, [f"{name} =={version} {build}"])
    except TfsetupError:
        return None
    return next((package for package in found if package.identity == identity), None)


def _package(data: dict[str, Any]) -> CondaPackage:
    noarch = data.get("noarch")
    return CondaPackage(
        name=str(data["name"]),
        version=str(data["version"]),
        build=str(data["build"]),
        build_number=whole(str(data["build_number"])),
        subdir=str(data["subdir"]),
        filename=str(data["fn"]),
        url=rattler.bare(str(data["url"])),
        channel=rattler.bare(str(data.get("channel") or "")),
        sha256=str(data.get("sha256") or ""),
        md5=str(data.get("md5") or ""),
        size=whole(str(data.get("size") or 0)),
        depends=tuple(map(str, data.get("depends") or ())),
        constrains=tuple(map(str, data.get("constrains") or ())),
        noarch=noarch if noarch in {"python", "generic"} else "",
    )


def solved(session: Session, conda: CondaInputs, choice: Choice, facts: Facts, request: Request) -> CondaInputs:
    """Return the inputs with what the environment is made of anew: the set's packages, and whatever else of conda's is there, where that goes.

    Raises ``NoProfileError`` where the channels cannot meet it, ``OperationError`` where one fails.
    """
    release = session.catalogue.release(choice.release)
    names = {identity_parts(item)[0] for item in conda.there}
    specs = list(conda.specs)
    if not specs and conda.source != "conda" and release is not None:
        specs = list(conda_solve.wheel_specs(choice, release))
    elif not specs:
        specs = [f"python {choice.python}.*", *_exact(conda, ("tensorflow", "tensorflow-base"))]
    asked = {spec.split()[0] for spec in specs}
    cuda = conda_solve.cuda_of(facts, choice, release) if release is not None else facts.driver.cuda.value or ""
    virtual = virtual_packages(facts, cuda=cuda)
    wanted = [*specs, *sorted(names - asked)]
    locked = tuple(conda.linkable.values())
    packages = _solve(session, replace(request, channels=conda.channels), choice, facts, wanted, virtual=virtual, locked=locked)
    return replace(conda, solved=packages, specs=tuple(specs), virtual=virtual)


def _solve(
    session: Session,
    request: Request,
    choice: Choice,
    facts: Facts,
    specs: Sequence[str],
    *,
    virtual: tuple[str, ...] = (),
    locked: tuple[CondaPackage, ...] = (),
) -> tuple[CondaPackage, ...]:
    """Ask the channels of the request; without ``virtual``, for a machine on which any CUDA runs."""
    host, repodata = session.host, session.folder("conda", made=True)
    found = places(host, request, request.channels)
    packages = rattler.solve(
        host,
        found.channels,
        subdir=SUBDIRS[choice.platform],
        specs=specs,
        virtual=virtual or virtual_packages(facts, cuda=ANY_CUDA),
        repodata=repodata,
        locked=locked,
        offline=request.offline or found.config.offline,
    )
    return tuple(replace(item, url=rattler.bare(item.url), channel=rattler.bare(item.channel)) for item in packages)


def _exact(conda: CondaInputs, names: Iterable[str]) -> list[str]:
    parts = (identity_parts(item) for item in conda.there)
    return [f"{name} {version} {build}" for name, version, build in parts if name in names]
