"""Checks of how conda's packages go together: each has what it depends on, and libraries that are shared come from one family of channels.

Sources: conda-forge's documentation, "Tips and tricks" ("Using multiple channels": packages of defaults and conda-forge are built with other
compilers and other pins, and are not to be mixed); CEP 26 and 29 for names and match specs.
"""

from __future__ import annotations

import re

from provisioner.causes.findings import Findings
from provisioner.conda.specs import meets, spec_name
from provisioner.diagnose import conda, import_result
from provisioner.diagnose.case import Case, CheckSpec
from provisioner.environment.conda_owned import identity
from provisioner.model.conda import CondaRecord
from provisioner.model.finding import Evidence, Repair, Severity

SHOWN = 8
UNMET = "Conda packages do not have what they depend on"
MIXED = "Packages of channels that are built differently are mixed"
# What TensorFlow's builds of a channel link to as shared libraries (conda-forge/tensorflow-feedstock, TF_SYSTEM_LIBS), and Python, whose
# extension modules use the C++ library that they were built with.
SHARED = re.compile(
    r"python|tensorflow(-base|-cpu|-gpu)?|libtensorflow\w*|libprotobuf|protobuf|libabseil|abseil-cpp|libgrpc|grpc-cpp|grpcio|openssl|icu|libcurl|curl"
    r"|libpng|snappy|giflib|jpeg|libjpeg-turbo|flatbuffers|zlib|libzlib|libsqlite|sqlite|hdf5|h5py|libstdcxx(-ng)?|libgcc(-ng)?|numpy|re2"
)
# Names of channels that Anaconda builds ("defaults": pkgs/main, pkgs/r, pkgs/free, pkgs/pro, msys2), as the last part of an address.
_DEFAULTS = re.compile(r"(^|/)(defaults|anaconda|pkgs/[a-z0-9]+|main|free|pro|r|msys2)/?$")
_FORGE = re.compile(r"(^|/)conda-forge(/label/[^/]+)?/?$")
_SUBDIR = re.compile(r"/(noarch|(linux|osx|win)-[a-z0-9]+)/?$")


def depends(case: Case, findings: Findings) -> str:
    """Every package that TensorFlow rests on has what it depends on, in a version that fits."""
    state = conda.state(case)
    stale = conda.left_behind(state)
    installed = {item.name: item for item in state.records if identity(item) not in stale}
    needed = conda.needed(case)
    lost = [(item, spec) for item in installed.values() for spec in item.depends if (_unmet(installed, spec))]
    for item, spec in lost:
        ours = identity(item) in needed
        severity: Severity = import_result.breaking(case)[0] if ours else "info"
        there = installed.get(spec_name(spec))
        have = f"{there.version} {there.build} is there" if there else "it is not there"
        seen = Evidence(seen=f"{identity(item)} depends on {spec}, {have}", where=f"{state.root}/{item.meta}")
        repairs = _again(case, spec_name(spec)) if severity != "info" and there is None else ()
        findings.add("dependency-incompatible", severity, "likely", seen, title=UNMET, repairs=repairs)
    words = f"{sum(len(item.depends) for item in installed.values())} dependencies of {len(installed)} conda packages"
    return f"{words}; {len(lost)} are not met" if lost else words


def _again(case: Case, name: str) -> tuple[Repair, ...]:
    """What an earlier run of tfsetup had linked, it links again; of anything else only a solver can say what it should be."""
    made = case.receipt.plan.conda if case.receipt is not None else None
    found = [package for package in (made.packages if made is not None else ()) if package.name == name]
    return tuple(conda.relink(package.identity, f"{name} is not there any more, and others depend on it") for package in found)


def _unmet(installed: dict[str, CondaRecord], spec: str) -> bool:
    """A dependency on the machine (``__glibc``) is the solver's; one that cannot be judged without a solver counts as met."""
    name = spec_name(spec)
    if not name or name.startswith("__"):
        return False
    there = installed.get(name)
    if there is None:
        return True
    return not there.problem and meets(spec, there.version, there.build) is False


def family(channel: str) -> str:
    """Return whose builds a channel has: ``defaults``, ``conda-forge``, or "" for any other. Its host says nothing: mirrors have other ones."""
    name = _SUBDIR.sub("", channel.rstrip("/"))
    if _FORGE.search(name):
        return "conda-forge"
    return "defaults" if _DEFAULTS.search(name) else ""


def channels(case: Case, findings: Findings) -> str:
    """The packages that share libraries come from one family of channels."""
    state = conda.state(case)
    needed = conda.needed(case)
    found: dict[str, list[CondaRecord]] = {}
    for item in state.records:
        whose = family(item.channel or item.url.rpartition("/")[0])
        if whose and SHARED.fullmatch(item.name):
            found.setdefault(whose, []).append(item)
    if len(found) > 1 and any(identity(item) in needed for items in found.values() for item in items):
        evidence = [
            Evidence(seen=f"of {whose}: {_names(items)}", where=f"{state.root}/conda-meta") for whose, items in sorted(found.items())
        ]
        findings.add("dependency-incompatible", "warning", "possible", *evidence, title=MIXED)
    elif len(found) > 1:
        evidence = [
            Evidence(seen=f"of {whose}: {_names(items)}", where=f"{state.root}/conda-meta") for whose, items in sorted(found.items())
        ]
        findings.add("dependency-incompatible", "info", "possible", *evidence, title=MIXED)
    return "; ".join(f"{len(items)} of {whose}" for whose, items in sorted(found.items())) or "no package of the channels that are known"


def _names(items: list[CondaRecord]) -> str:
    names = [f"{item.name} {item.version}" for item in items[:SHOWN]]
    return ", ".join(names) + (f" and {len(items) - SHOWN} more" if len(items) > SHOWN else "")


CHECKS = (
    CheckSpec(name="conda-depends", title="conda's packages have what they depend on", look=depends),
    CheckSpec(name="conda-channels", title="packages that share libraries come from one family of channels", look=channels),
)
