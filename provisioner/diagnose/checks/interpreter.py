"""Checks of the interpreter: is it there, is it the one that the environment was made for, and has TensorFlow wheels for it."""

from __future__ import annotations

import posixpath

from provisioner.causes.findings import Findings
from provisioner.diagnose import examined, subject
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.facts import elf, files
from provisioner.model.facts import Interpreter
from provisioner.model.finding import Evidence, Remedy, Repair

GONE = "The Python of this environment is gone"
MOVED_ON = "The Python of this environment is now another version than the one its packages were installed for"
UNMADE = "pyvenv.cfg, which makes the folder an environment, is missing or leads nowhere"


def answers(case: Case, findings: Findings) -> str:
    """The interpreter is there, starts, and says what it is."""
    if case.survey is not None:
        _start(case, findings)
        return f"{case.python} is {case.survey.implementation} {case.survey.version}, {case.survey.bits} bits"
    real = files.real(case.reader, case.python)
    home = case.config.get("home", "")
    evidence = [Evidence(seen=case.no_survey, where=case.python)]
    if not files.there(case.reader, real):
        seen = f"it leads to {real}, which is not there" if files.there(case.reader, case.python) else "it is not there"
        evidence = [Evidence(seen=seen, where=case.python)]
        if home and not files.there(case.reader, home):
            evidence.append(Evidence(seen=f"home = {home}, a folder that is not there", where=posixpath.join(case.env, "pyvenv.cfg")))
        _add_gone(case, findings, evidence)
        return evidence[0].seen
    if "ermission denied" in case.no_survey:
        findings.add("permission-denied", "error", "certain", *evidence)
        return case.no_survey
    architecture = _architecture(case, real)
    own = case.facts.system.architecture.value or ""
    if architecture and own and architecture not in {own, case.facts.system.process_architecture.value or ""}:
        evidence.append(Evidence(seen=f"it is a program for {architecture}, the machine is {own}", where=real))
        findings.add("wrong-arch-binary", "error", "certain", *evidence, repairs=_anew(case, "its Python is for another machine"))
        return case.no_survey
    _add_gone(case, findings, evidence, title="The Python of this environment does not start")
    return case.no_survey


def _start(case: Case, findings: Findings) -> None:
    """An interpreter that only starts without the user's variables: they are what is wrong."""
    said = case.survey.flags.get("start", "") if case.survey else ""
    if not said:
        return
    for name in ("PYTHONHOME", "PYTHONPATH"):
        if case.reader.env.get(name):
            seen = Evidence(seen=f"{name}={case.reader.env[name]}; with it, {said}", where=case.python)
            remedy = Remedy(words=f"Unset {name}: with it, this Python does not start", steps=(f"unset {name}",))
            findings.add("environment-leak", "error", "certain", seen, remedy=remedy)
            return


def _add_gone(case: Case, findings: Findings, evidence: list[Evidence], title: str = GONE) -> None:
    remedy = Remedy(words="Give the environment a Python of the same version, or build it anew", steps=("tfsetup fix",) if case.env else ())
    repairs = _another(case, examined.made_for(case)) if case.env else ()
    findings.add("install-corrupt", "error", "certain", *evidence, title=title, repairs=repairs, remedy=remedy)


def _another(case: Case, version: str) -> tuple[Repair, ...]:
    """A Python of that version found on this machine, with which the packages can stay; else the environment anew."""
    found = same_version(case, version)
    if found is None:
        return _anew(case, f"no Python {version} was found on this machine" if version else "nothing says which Python it had")
    why = f"Python {found.version} is on this machine, and the packages were installed for {version}"
    return (Repair(kind="interpreter", reason=why, target=found.path),)


def _anew(case: Case, why: str) -> tuple[Repair, ...]:
    return (Repair(kind="rebuild", reason=why),) if case.env and case.config else ()


def same_version(case: Case, version: str) -> Interpreter | None:
    """An interpreter of that minor version that can carry the environment: no environment's own, of this machine's architecture."""
    own = case.facts.system.process_architecture.value
    fitting = [
        item
        for item in case.interpreters
        if examined.minor(item.version) == version
        and not item.virtual
        and not item.free_threaded
        and item.bits == 64  # noqa: PLR2004 - bits
        and item.implementation == "cpython"
        and (not own or item.architecture == own)
    ]
    return fitting[0] if fitting else None


def _architecture(case: Case, path: str) -> str:
    try:
        return elf.header(case.reader, path).architecture
    except (*files.FAULTS, elf.ElfError):
        return ""


def same(case: Case, findings: Findings) -> str:
    """The interpreter is the environment's, and of the version that the packages were installed for."""
    if not case.env or files.there(case.reader, posixpath.join(case.env, "conda-meta")):
        raise Skipped("no virtual environment is examined")
    made = examined.made_for(case)
    file = posixpath.join(case.env, "pyvenv.cfg")
    if not case.config:
        what = "it is not there" if not files.there(case.reader, file) else "it holds no keys"
        home = same_version(case, made)
        repairs = (_write_config(case, file, home),) if home else ()
        words = Remedy(words="Write it anew, or build the environment anew", steps=("tfsetup fix",))
        evidence = [Evidence(seen=what, where=file)]
        if case.survey is not None:
            evidence.append(Evidence(seen=f"the interpreter takes itself for {case.survey.prefix}", where=case.python))
        findings.add("install-corrupt", "error", "certain", *evidence, title=UNMADE, repairs=repairs, remedy=words)
        return what
    if case.survey is None:
        raise CouldNotTell("the interpreter does not answer")
    if not _is_own(case):
        what = f"the interpreter takes itself for {case.survey.prefix}, not for {case.env}"
        findings.add("wrong-environment", "error", "likely", Evidence(seen=what, where=case.python), repairs=_another(case, made))
        return what
    running = examined.minor(case.survey.version)
    if made and running != made:
        seen = Evidence(seen=f"it is Python {case.survey.version} now", where=case.python)
        there = Evidence(seen=f"the packages lie in lib/python{made}, where Python {running} does not look", where=case.env)
        findings.add("wrong-environment", "error", "certain", seen, there, title=MOVED_ON, repairs=_another(case, made))
        return seen.seen
    return f"Python {running}, as the environment was made for"


def _is_own(case: Case) -> bool:
    return case.survey is not None and files.real(case.reader, case.survey.prefix) == files.real(case.reader, case.env)


def _write_config(case: Case, file: str, home: Interpreter) -> Repair:
    """What ``venv`` writes (PEP 405): home, include-system-site-packages, version."""
    real = files.real(case.reader, home.path)
    text = f"home = {posixpath.dirname(real)}\ninclude-system-site-packages = false\nversion = {home.version}\n"
    return Repair(kind="write", reason=f"it names {home.path}, whose version the packages were installed for", path=file, target=text)


def wheels(case: Case, findings: Findings) -> str:
    """TensorFlow has wheels for this kind of Python: its version, bits, implementation and threading."""
    survey = case.survey
    if survey is None:
        raise CouldNotTell("the interpreter does not answer")
    if survey.bits == 32:  # noqa: PLR2004 - bits
        findings.add(
            "python-32bit", "error", "certain", Evidence(seen=f"{survey.implementation} {survey.version}, 32 bits", where=case.python)
        )
        return "a 32-bit Python"
    running = examined.minor(survey.version)
    if survey.implementation != "cpython" or survey.flags.get("free_threaded"):
        kind = "free-threaded" if survey.flags.get("free_threaded") else survey.implementation
        seen = Evidence(seen=f"a {kind} Python {survey.version}; the wheels are for CPython with its lock", where=case.python)
        findings.add("python-unsupported", "error", "certain", seen, repairs=_anew(case, "TensorFlow has no wheels for its Python"))
        return seen.seen
    if case.release is not None and case.build is None:
        return _no_build(case, findings)
    pythons = case.build.pythons if case.build else _newest(case)
    if pythons and running not in pythons:
        what = f"TensorFlow {case.release.version}" if case.release else "any release that is known"
        seen = Evidence(seen=f"{what} has wheels for Python {', '.join(pythons)}, this is {survey.version}", where=case.python)
        findings.add("python-unsupported", "error", "certain", seen, repairs=_anew(case, seen.seen))
        return seen.seen
    return f"there are wheels for Python {running}" if pythons else "the catalogue does not know this release"


def _newest(case: Case) -> tuple[str, ...]:
    """The Pythons that some release has wheels for, where none is installed."""
    platform = f"{case.facts.system.os.value}-{case.facts.system.architecture.value}"
    if case.catalogue is None or examined.tensorflows(case):
        return ()
    found = {
        python
        for release in case.catalogue.releases("", prereleases=True)
        for build in release.builds
        if build.platform == platform
        for python in build.pythons
    }
    return tuple(sorted(found, key=lambda text: tuple(int(part) for part in text.split("."))))


def _no_build(case: Case, findings: Findings) -> str:
    platform = f"{case.facts.system.os.value} on {case.facts.system.architecture.value}"
    version = case.release.version if case.release else ""
    seen = Evidence(seen=f"TensorFlow {version} has no wheel for {platform}", where="the catalogue of known-good sets")
    findings.add("platform-unsupported", "error", "likely", seen)
    return seen.seen


def active(case: Case, findings: Findings) -> str:
    """What a shell calls ``python`` and ``pip`` is the environment's own."""
    if not case.env:
        raise Skipped("no environment is examined")
    folder = posixpath.join(case.env, "bin")
    elsewhere = _scripts_elsewhere(case, folder)
    if elsewhere:
        here = bool(examined.tensorflows(case))
        remedy = Remedy(words="Call pip through the interpreter that is to have the packages", steps=(f"{case.python} -m pip --version",))
        findings.add("wrong-environment", "warning", "possible" if here else "likely", *elsewhere, remedy=remedy)
    activated = case.reader.env.get("VIRTUAL_ENV", "")
    found = case.reader.which("python") or case.reader.which("python3") or ""
    if activated and files.real(case.reader, activated) == case.env and found and not _in_folder(case, found, folder):
        seen = Evidence(seen=f"VIRTUAL_ENV is {activated}, but `python` is {found}", where="PATH")
        findings.add("wrong-environment", "warning", "likely", seen)
    return f"{found or 'no python'} is the first on PATH"


def _in_folder(case: Case, path: str, folder: str) -> bool:
    return files.real(case.reader, posixpath.dirname(path)) == files.real(case.reader, folder)


def _scripts_elsewhere(case: Case, folder: str) -> tuple[Evidence, ...]:
    """Scripts of pip whose first line names an interpreter outside: the environment was moved, copied or renamed."""
    found = []
    for path in files.matches(case.reader, f"{examined.quoted(folder)}/pip*"):
        line = files.line(case.reader, path)
        named = line[2:].strip().split(" ")[0] if line.startswith("#!/") else ""
        if named and posixpath.basename(named).startswith("python") and not _in_folder(case, named, folder):
            gone = "" if files.there(case.reader, named) else ", which is not there"
            found.append(Evidence(seen=f"it runs {named}{gone}, not this environment's Python", where=path))
    return tuple(found)


def chosen(case: Case, findings: Findings) -> str:
    """TensorFlow is installed where the interpreter looks."""
    owner = examined.tensorflow(case)
    if owner is not None:
        return f"{owner.name} {owner.version} in {owner.site}"
    if examined.package_folders(case):
        return f"a tensorflow folder without a distribution, {examined.package_folders(case)[0]}"
    if case.survey is None and not examined.folders(case):
        raise CouldNotTell("the interpreter does not answer, and no packages are there")
    hidden = [
        path for site in examined.folders(case) for path in files.matches(case.reader, f"{examined.quoted(site)}/tensorflow*-*.dist-info")
    ]
    if hidden:
        raise CouldNotTell(f"{hidden[0]} is there, where the interpreter does not look")
    others = _elsewhere(case)
    restore = tuple(
        Repair(kind="restore", reason="it is not installed", name=file.name, version=file.version)
        for file in (case.lock.files if case.lock else ())
        if file.name.startswith(("tensorflow-cpu", "tensorflow")) and file.version == case.expected.tensorflow
    )[:1]
    where = Evidence(seen="no distribution of TensorFlow is on its module path", where=case.python)
    if others:
        findings.add("wrong-environment", "error", "likely", where, *others)
    else:
        findings.add("tf-not-installed", "error", "certain", where, repairs=restore)
    return "it is not installed"


def _elsewhere(case: Case) -> tuple[Evidence, ...]:
    """TensorFlow in what a person may take for this environment: the active one, the base's packages, the interpreter that pip belongs to."""
    named = {
        "the active virtual environment (VIRTUAL_ENV)": case.reader.env.get("VIRTUAL_ENV", ""),
        "the active conda environment (CONDA_PREFIX)": case.reader.env.get("CONDA_PREFIX", ""),
        "the environment tf-env in the working directory": posixpath.join(case.cwd, "tf-env"),
    }
    if case.survey is not None and case.env:
        named["the Python that this environment was made from"] = case.survey.base_prefix
    found = []
    for what, folder in named.items():
        if not folder or files.real(case.reader, folder) == case.env:
            continue
        sites = subject.site_folders(case.reader, files.real(case.reader, folder))
        there = [site for site in sites if files.matches(case.reader, f"{examined.quoted(site)}/tensorflow*-*.dist-info")]
        found += [Evidence(seen=f"TensorFlow is installed in {what}", where=site) for site in there]
    user = case.survey.user_site if case.survey else ""
    if (
        user
        and case.survey
        and not case.survey.user_site_enabled
        and files.matches(case.reader, f"{examined.quoted(user)}/tensorflow*-*.dist-info")
    ):
        found.append(Evidence(seen="TensorFlow is installed in the user's packages, which this interpreter does not use", where=user))
    return tuple(found)


CHECKS = (
    CheckSpec(name="interpreter", title="the interpreter is there and starts", look=answers),
    CheckSpec(name="environment", title="the interpreter is the environment's own, of the version it was made for", look=same),
    CheckSpec(name="python", title="TensorFlow has wheels for this Python", look=wheels),
    CheckSpec(name="installed", title="TensorFlow is installed where the interpreter looks", look=chosen),
    CheckSpec(name="active", title="python and pip of the shell are the environment's own", look=active),
)
