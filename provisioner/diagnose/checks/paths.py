"""Checks of the module path: files that hide modules, and what comes in from outside the environment."""

from __future__ import annotations

import posixpath
import re

from provisioner.base.paths import listed
from provisioner.causes.findings import Findings
from provisioner.diagnose import import_result, packages
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, PathEntry, Skipped, Survey
from provisioner.diagnose.checks.packages import ill_fitting
from provisioner.environment.distributions import Installed
from provisioner.environment.layout import CONFIG
from provisioner.environment.owners import read_rows
from provisioner.host import files
from provisioner.model.finding import Confidence, Evidence, Remedy, Repair, Severity
from provisioner.remedies.variables import assigned, unset
from provisioner.verify.judge_packages import cause_of

BUILT_IN = "built-in"
# Where a person's own files are; such a file is moved only with consent.
OWN = frozenset({"cwd", "PYTHONPATH", "pth", "other"})
OUTSIDE = frozenset({"PYTHONPATH", "user", "base", "pth", "other"})
SHOWN = 6


def shadows(case: Case, findings: Findings) -> str:
    """No file or folder of somebody's own is imported in place of a module that TensorFlow imports."""
    survey = _survey(case)
    found: dict[str, tuple[str, PathEntry]] = {}
    for name in case.fits.standard_library:
        place = survey.modules.get(name, "")
        entry = _entry(survey, place)
        if place and place != BUILT_IN and entry is not None and entry.origin not in {"stdlib", "environment", "base"}:
            found[name] = (place, entry)
    for name in case.fits.modules:
        place = survey.modules.get(name, "")
        entry = _entry(survey, place)
        if entry is not None and _is_own(case, name, place, entry):
            found[name] = (place, entry)
    for name, (place, entry) in found.items():
        _add_shadow(case, name, place, entry, findings)
    checked = len(case.fits.standard_library) + len(case.fits.modules)
    return ", ".join(f"{name} is {place}" for name, (place, _) in found.items()) or f"{checked} modules come from where they belong"


def _survey(case: Case) -> Survey:
    if case.survey is None:
        raise CouldNotTell(case.unanswered)
    return case.survey


def _entry(survey: Survey, place: str) -> PathEntry | None:
    """The entry of the path that a module was found through: the longest that its file lies under."""
    above = [entry for entry in survey.path if place.startswith(entry.path.rstrip("/") + "/")]
    # The working directory may be a folder that is on the path anyhow.
    return max(above, key=lambda entry: (len(entry.path), entry.origin != "cwd")) if above else None


def _is_own(case: Case, name: str, place: str, entry: PathEntry) -> bool:
    """True for a module of a distribution's name that no distribution of that folder brings.

    A folder without ``__init__.py`` is only taken where there is no package of the name at all, so it hides nothing.
    """
    if place.endswith("/"):
        return False
    return (entry.origin in OWN or place.endswith(f"/{name}.py")) and not _brought(case, name, place, entry.path)


def _brought(case: Case, name: str, place: str, folder: str) -> bool:
    """Whether a distribution that lies in the folder brings the file (its RECORD, or ``top_level.txt`` of older ones, names it)."""
    real = files.real(case.reader, folder)
    inner = place[len(folder.rstrip("/")) + 1 :]
    for item in case.distributions:
        if item.site != real:
            continue
        rows = read_rows(case.reader, item.metadata)
        if rows is None:
            listed = files.read(case.reader, posixpath.join(item.metadata, "top_level.txt")).text or ""
            if name in listed.split():
                return True
        elif any(row.path == inner for row in rows):
            return True
    return False


def _add_shadow(case: Case, name: str, place: str, entry: PathEntry, findings: Findings) -> None:
    severity, confidence = _gravity(case, place)
    own = entry.origin in OWN
    path = posixpath.dirname(place) if posixpath.basename(place).startswith("__init__.") else place.rstrip("/")
    what = "the standard library's" if name in case.fits.standard_library else "the package"
    way = {"cwd": "a program that is started there", "PYTHONPATH": "PYTHONPATH", "user": "the user's packages"}.get(
        entry.origin, entry.by or entry.path
    )
    seen = Evidence(seen=f"`import {name}` gives this, not {what} {name}: it comes first through {way}", where=place)
    # What brought the folder in lies in the environment; the folder itself is somebody's own.
    repair = _without_hook(case, entry) or Repair(kind="move away", reason=f"it hides {what} {name}", path=path, own=own)
    findings.add("module-shadowed", severity, confidence, seen, repairs=(repair,) if severity != "info" else ())


def _without_hook(case: Case, entry: PathEntry) -> Repair | None:
    """Move away the file of the environment that adds the entry to the path, unless an installed package brought it (an editable install's)."""
    if entry.origin != "pth" or not packages.inside(case, entry.by):
        return None
    name = posixpath.basename(entry.by)
    # setuptools' `develop` keeps all its projects in one file, which no RECORD names.
    if name == "easy-install.pth" or _brought(case, "", entry.by, posixpath.dirname(entry.by)):
        return None
    return Repair(kind="move away", reason=f"it adds {entry.path} to the module path", path=entry.by, own=name.endswith(".py"))


def _gravity(case: Case, place: str) -> tuple[Severity, Confidence]:
    """An own file is at fault when the import failed; where it worked, only when it was loaded at all."""
    match import_result.works(case):
        case None:
            return "error", "likely"
        case False:
            return "error", "certain" if case.child is not None and place in _said(case) else "likely"
        case True:
            loaded = case.child.first("loaded").get("modules", ()) if case.child is not None else ()
            return ("warning", "likely") if any(item["file"] == place for item in loaded) else ("info", "possible")


def _said(case: Case) -> str:
    """Everything that the failed import said."""
    traces = [str(item.data.get("traceback", "")) + item.detail for item in import_result.steps(case)]
    return "\n".join([*traces, case.child.err if case.child is not None else ""])


def leaks(case: Case, findings: Findings) -> str:
    """What TensorFlow imports comes from the environment itself."""
    _survey(case)
    needed = packages.needed(case)
    outside = [item for item in packages.first_of(case).values() if item.name in needed and _is_outside(case, item)]
    bad = ill_fitting(case) if outside else frozenset()
    for item in outside:
        _add_leak(case, item, findings, misfit=item.name in bad)
    return "; ".join(f"{item.name} {item.version} from {item.site}" for item in outside[:SHOWN]) or "nothing comes in from outside"


def _is_outside(case: Case, item: Installed) -> bool:
    """Without an environment, the base's and the user's packages are where they belong."""
    return item.origin in OUTSIDE and (bool(case.env) or item.origin not in {"base", "user"})


def _add_leak(case: Case, item: Installed, findings: Findings, *, misfit: bool) -> None:
    """A package from outside: at fault where it hides another version, or does not fit; otherwise only worth knowing."""
    own = next((other for other in case.distributions if other.name == item.name and other.origin == "environment"), None)
    hides = own is not None and own.version != item.version
    works = import_result.works(case)
    severity: Severity = "info"
    confidence: Confidence = "possible"
    if hides or misfit:
        severity = "warning" if works else "error"
        confidence = "possible" if works else "certain" if misfit and works is False else "likely"
    entry = next((entry for entry in case.survey.path if files.real(case.reader, entry.path) == item.site), None) if case.survey else None
    words = f"{item.name} {item.version} comes from outside the environment, through {_way(entry, item)}"
    words += f", in place of {own.version} in {own.site}" if own is not None and hides else ""
    words += ", and does not go with this TensorFlow" if misfit else ""
    findings.add(
        "environment-leak",
        severity,
        confidence,
        Evidence(seen=words, where=item.site),
        title=FROM_OUTSIDE if severity == "info" else "",
        repairs=_against(case, entry, item) if severity != "info" else (),
        explains=(cause_of(item.name),) if misfit else (),
        remedy=_remedy(entry, windows=case.windows) if severity != "info" else None,
    )


FROM_OUTSIDE = "Packages come from outside the environment"
WAYS = {"user": "the user's packages", "base": "include-system-site-packages", "cwd": "the working directory"}


def _way(entry: PathEntry | None, item: Installed) -> str:
    return (entry.by or WAYS.get(entry.origin, entry.path)) if entry else item.site


def _remedy(entry: PathEntry | None, *, windows: bool) -> Remedy | None:
    """What a person does against a leak that no change of the environment stops."""
    if entry is None:
        return None
    if entry.origin == "PYTHONPATH":
        return Remedy(words=f"Take {entry.path} out of PYTHONPATH", steps=(unset("PYTHONPATH", windows=windows),))
    if entry.origin == "user":
        return Remedy(words="Start Python without the user's packages", steps=(assigned("PYTHONNOUSERSITE", "1", windows=windows),))
    return None


def _against(case: Case, entry: PathEntry | None, item: Installed) -> tuple[Repair, ...]:
    """A ``.pth`` file of the environment is moved away, ``pyvenv.cfg`` is told to leave the base's packages out."""
    if entry is None:
        return ()
    hook = _without_hook(case, entry)
    if hook is not None:
        return (hook,)
    if case.config.get("include-system-site-packages", "").lower() == "true" and entry.origin in {"base", "user"}:
        return (*_without_base(case), *_instead(case, item))
    return ()


def _instead(case: Case, item: Installed) -> tuple[Repair, ...]:
    """What came from outside and is then missing is put into the environment."""
    version = next((file.version for file in case.lock.files if file.name == item.name), "") if case.lock else ""
    own = any(other.name == item.name and other.origin == "environment" for other in case.distributions)
    reason = "it came from outside the environment until now"
    return (Repair(kind="restore", reason=reason, name=item.name, version=version),) if version and not own else ()


def _without_base(case: Case) -> tuple[Repair, ...]:
    path = posixpath.join(case.env, CONFIG)
    text = files.read(case.reader, path).text or ""
    closed = re.sub(r"(?im)^([ \t]*include-system-site-packages[ \t]*=[ \t]*)true[ \t\r]*$", r"\g<1>false", text)
    reason = "the packages of the base and of the user come before, or in place of, those of this release"
    return (Repair(kind="write", reason=reason, path=path, target=closed),) if closed != text else ()


def variables(case: Case, findings: Findings) -> str:
    """No variable of Python leads to another Python's files."""
    survey = _survey(case)
    home = case.reader.env.get("PYTHONHOME", "")
    if home and survey.flags.get("start"):
        raise Skipped("the interpreter does not start with PYTHONHOME")
    stdlib = survey.flags.get("stdlib", "")
    named = next(iter(listed(home, case.reader.platform)), "")
    if named and stdlib and files.real(case.reader, stdlib).startswith(files.real(case.reader, named).rstrip("/") + "/"):
        remedy = Remedy(words="Unset PYTHONHOME: environments need none", steps=(unset("PYTHONHOME", windows=case.windows),))
        severity: Severity = "warning" if import_result.works(case) else "error"
        seen = Evidence(seen=f"PYTHONHOME={home}: the standard library is {stdlib}", where=case.python)
        findings.add("environment-leak", severity, "likely", seen, remedy=remedy)
        return seen.seen
    return "PYTHONHOME is not set" if not home else f"PYTHONHOME={home}"


CHECKS = (
    CheckSpec(name="shadows", title="no file hides a module that TensorFlow imports", look=shadows),
    CheckSpec(name="leaks", title="what TensorFlow imports comes from the environment", look=leaks),
    CheckSpec(name="python-variables", title="no variable leads to another Python's files", look=variables),
)
