"""Checks of what goes with this TensorFlow: known misfits, add-ons, names that no longer serve, Keras' variables."""

from __future__ import annotations

from provisioner.base.versions import contains
from provisioner.catalogue.fits import SAME_MINOR, Breaks, Companion
from provisioner.causes.findings import Findings
from provisioner.diagnose import import_result, packages
from provisioner.diagnose.case import Case, CheckSpec, Skipped
from provisioner.diagnose.checks.packages import known_misfits, release, restore
from provisioner.environment.distributions import Installed
from provisioner.model.finding import Confidence, Evidence, Remedy, Repair, Severity
from provisioner.remedies.subject import quoted
from provisioner.verify.judge_packages import cause_of


def misfits(case: Case, findings: Findings) -> str:
    """No package is of a version that is known not to work with this release, though its metadata admits it."""
    version, bad = release(case), known_misfits(case)
    for rule, item in bad:
        severity, confidence = _grave(case, rule.breaks)
        seen = Evidence(seen=f"{item.name} {item.version} with TensorFlow {version}: {rule.reason}", where=item.metadata)
        findings.add(
            cause_of(rule.package), severity, confidence, seen, repairs=restore(case, rule.package, rule.reason), wants=(rule.package,)
        )
    if bad:
        return f"{len(bad)} known: {bad[0][1].name} {bad[0][1].version}"
    return f"none is known for TensorFlow {version}"


def _grave(case: Case, breaks: Breaks) -> tuple[Severity, Confidence]:
    return import_result.breaking(case) if breaks == "import" else ("error", "likely")


def addons(case: Case, findings: Findings) -> str:
    """Add-ons and the packages of TensorFlow's own family are of this release."""
    version = release(case)
    installed = packages.first_of(case)
    there = [rule for rule in case.fits.companions if rule.package in installed]
    judged: set[str] = set()
    bad: list[str] = []
    for rule in there:
        item = installed[rule.package]
        if not rule.judges(item.version, version):
            continue
        judged.add(item.name)
        if not rule.goes_with(item.version, version):
            bad.append(f"{item.name} {item.version}")
            _add_companion(case, rule, item, version, findings)
    if bad:
        return f"not of this release: {', '.join(bad)}"
    return f"{', '.join(sorted(judged))} go with TensorFlow {version}" if judged else "there are none"


def _add_companion(case: Case, rule: Companion, item: Installed, version: str, findings: Findings) -> None:
    wanted = packages.minor(item.version) if rule.tensorflow == SAME_MINOR else rule.tensorflow
    words = f"{item.name} {item.version} goes with TensorFlow {wanted}, {version} is installed: {rule.reason}"
    installs = [other.install for other in case.fits.companions if other.package == rule.package and other.install]
    fitting = next((table[packages.minor(version)] for table in installs if packages.minor(version) in table), "")
    repairs = restore(case, rule.package, words)
    if not repairs and fitting:
        repairs = (Repair(kind="restore", reason=words, name=rule.package, version=fitting),)
    severity, confidence = _grave(case, rule.breaks)
    if not repairs and import_result.works(case):
        # TensorFlow itself works, and nothing that is put in makes this go with it: another release does, which is a person's choice.
        severity = "warning"
    evidence, remedy = Evidence(seen=words, where=item.metadata), None if repairs else _another_release(case, rule, item)
    findings.add(rule.cause, severity, confidence, evidence, repairs=repairs, wants=(rule.package,), remedy=remedy)


def _another_release(case: Case, rule: Companion, item: Installed) -> Remedy | None:
    """What to do where no version of an add-on is known to go with this release; None where the catalogue has words of its own for that."""
    known = case.lock.addons.get(rule.package, "") if case.lock else ""
    if known or rule.tensorflow == SAME_MINOR or not case.env:
        return None
    return Remedy(
        words=f"Take a TensorFlow that {item.name} goes with ({rule.tensorflow}), or do without {item.name}",
        steps=(
            f"tfsetup apply --tensorflow {quoted(rule.tensorflow, windows=case.windows)} --env {quoted(case.env, windows=case.windows)}",
        ),
        why=f"{item.name} {item.version} goes with no newer one" if rule.tensorflow.startswith("<") else f"{item.name} asks for that",
        cost="the release changes; what else is there and does not fit is named before anything is changed",
    )


def deprecated(case: Case, findings: Findings) -> str:
    """No distribution is installed that only takes the place of another one."""
    installed = packages.first_of(case)
    bad = []
    for rule in case.fits.deprecated:
        item = installed.get(rule.package)
        if item is None or (rule.versions and not contains(rule.versions, item.version, prereleases=True)):
            continue
        bad.append(f"{item.name} {item.version}")
        repairs = [Repair(kind="remove", reason=rule.reason, name=item.name, version=item.version)]
        if not any(other.name != item.name for other in packages.tensorflows(case)):
            repairs += restore(case, rule.instead, rule.reason)
        seen = Evidence(seen=f"{item.name} {item.version}: {rule.reason}; {rule.instead} takes its place", where=item.metadata)
        findings.add("deprecated-package", "warning", "certain", seen, repairs=tuple(repairs), wants=(rule.instead,))
    return ", ".join(bad) or "none is installed"


def backend(case: Case, findings: Findings) -> str:
    """KERAS_BACKEND and TF_USE_LEGACY_KERAS leave Keras on this TensorFlow."""
    version = release(case)
    if contains("<2.16", version, prereleases=True):
        raise Skipped("Keras of this release has no other backend")
    chosen = case.reader.env.get("KERAS_BACKEND", "")
    legacy = case.reader.env.get("TF_USE_LEGACY_KERAS", "").strip().lower()
    said = []
    if chosen and chosen.lower() != "tensorflow":
        # Keras itself works with it; tf.keras does not.
        findings.add(
            "keras-incompatible",
            "warning",
            "likely",
            Evidence(seen=f"KERAS_BACKEND={chosen}: Keras computes with {chosen}, not with TensorFlow", where="variables"),
        )
        said.append(f"KERAS_BACKEND={chosen}")
    if legacy in {"1", "true"} and case.first("tf-keras") is None:
        seen = Evidence(seen="TF_USE_LEGACY_KERAS is set, and tf-keras, which it asks for, is not installed", where="variables")
        findings.add("keras-incompatible", "error", "certain", seen, wants=("tf-keras",))
        said.append("TF_USE_LEGACY_KERAS without tf-keras")
    return ", ".join(said) or "neither variable is set to something else"


CHECKS = (
    CheckSpec(name="misfits", title="no package is of a version that is known not to work", look=misfits, installed=True),
    CheckSpec(name="addons", title="add-ons are of this release", look=addons, installed=True),
    CheckSpec(name="deprecated", title="no package is installed that no longer serves", look=deprecated),
    CheckSpec(name="keras-variables", title="no variable turns Keras away from TensorFlow", look=backend, installed=True),
)
