"""The check whether TensorFlow has wheels for the Python of the environment."""

from __future__ import annotations

from provisioner.base.numbers import runs
from provisioner.causes.findings import Findings
from provisioner.diagnose import packages
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell
from provisioner.diagnose.checks.interpreter import anew
from provisioner.model.finding import Evidence


def wheels(case: Case, findings: Findings) -> str:
    """TensorFlow has wheels for this kind of Python: its version, bits, implementation and threading."""
    survey = case.survey
    if survey is None:
        raise CouldNotTell(case.unanswered)
    if survey.bits == 32:  # noqa: PLR2004 - bits
        findings.add(
            "python-32bit", "error", "certain", Evidence(seen=f"{survey.implementation} {survey.version}, 32 bits", where=case.python)
        )
        return "a 32-bit Python"
    running = packages.minor(survey.version)
    if survey.implementation != "cpython" or survey.flags.get("free_threaded"):
        kind = "free-threaded" if survey.flags.get("free_threaded") else survey.implementation
        seen = Evidence(seen=f"a {kind} Python {survey.version}; the wheels are for CPython with its lock", where=case.python)
        findings.add("python-unsupported", "error", "certain", seen, repairs=anew(case, "TensorFlow has no wheels for its Python"))
        return seen.seen
    if case.release is not None and case.build is None:
        return _no_build(case, findings)
    pythons = case.build.pythons if case.build else _newest(case)
    if pythons and running not in pythons:
        what = f"TensorFlow {case.release.version}" if case.release else "any release that is known"
        seen = Evidence(seen=f"{what} has wheels for Python {', '.join(pythons)}, this is {survey.version}", where=case.python)
        findings.add("python-unsupported", "error", "certain", seen, repairs=anew(case, seen.seen))
        return seen.seen
    return f"there are wheels for Python {running}" if pythons else "the catalogue does not know this release"


def _newest(case: Case) -> tuple[str, ...]:
    """The Pythons that some release has wheels for, where none is installed."""
    platform = f"{case.facts.system.os.value}-{case.facts.system.architecture.value}"
    if packages.tensorflows(case):
        return ()
    found = {
        python
        for release in case.catalogue.releases("", prereleases=True)
        for build in release.builds
        if build.platform == platform
        for python in build.pythons
    }
    return tuple(sorted(found, key=runs))


def _no_build(case: Case, findings: Findings) -> str:
    platform = f"{case.facts.system.os.value} on {case.facts.system.architecture.value}"
    version = case.release.version if case.release else ""
    seen = Evidence(seen=f"TensorFlow {version} has no wheel for {platform}", where="the catalogue of known-good sets")
    findings.add("platform-unsupported", "error", "likely", seen)
    return seen.seen


CHECKS = (CheckSpec(name="python", title="TensorFlow has wheels for this Python", look=wheels),)
