"""Checks of the interpreter: is it there, does it start, and is it the one that the environment was made for."""

from __future__ import annotations

import posixpath
import re

from provisioner.base.numbers import runs
from provisioner.base.paths import spelt
from provisioner.causes.findings import Findings
from provisioner.diagnose import conda, packages
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.environment.layout import CONFIG
from provisioner.facts import elf
from provisioner.host import files
from provisioner.model.facts import Interpreter
from provisioner.model.finding import Evidence, Remedy, Repair
from provisioner.remedies.subject import quoted
from provisioner.remedies.variables import unset

START_SECONDS = 4.0
GONE = "The Python of this environment is gone"
MOVED_ON = "The Python of this environment is now another version than the one its packages were installed for"
NO_START = "The Python of this environment does not start"
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
            evidence.append(Evidence(seen=f"home = {home}, a folder that is not there", where=posixpath.join(case.env, CONFIG)))
        _add_gone(case, findings, evidence)
        return evidence[0].seen
    entry = files.entry(case.reader, real)
    if entry is not None and entry.size == 0:
        evidence = [Evidence(seen="it is an empty file", where=real)]
        _add_gone(case, findings, evidence)
        return "an empty file"
    if case.static:
        raise CouldNotTell(case.no_survey)
    if "ermission denied" in case.no_survey:
        findings.add(
            "permission-denied", "error", "certain", *evidence, repairs=_another(case, packages.made_for(case)) if case.env else ()
        )
        return case.no_survey
    if _unmade(case):
        raise CouldNotTell(case.no_survey)
    damaged = conda.damaged_python(case)
    if damaged:
        _add_gone(case, findings, [*evidence, *damaged], title=NO_START)
        return case.no_survey
    hooks = _hooks(case)
    if hooks:
        words = Remedy(words="Take the file away that runs at every start, or mend it")
        repairs = tuple(Repair(kind="move away", reason="with it, Python does not start", path=path, own=True) for path in hooks)
        evidence += [Evidence(seen="it runs at every start; without such files, Python starts", where=path) for path in hooks]
        findings.add("environment-leak", "error", "likely", *evidence, repairs=repairs, remedy=words)
        return case.no_survey
    architecture = _architecture(case, real)
    own = case.facts.system.architecture.value or ""
    if architecture and own and architecture not in {own, case.facts.system.process_architecture.value or ""}:
        evidence.append(Evidence(seen=f"it is a program for {architecture}, the machine is {own}", where=real))
        findings.add("wrong-arch-binary", "error", "certain", *evidence, repairs=anew(case, "its Python is for another machine"))
        return case.no_survey
    if home and not files.there(case.reader, home):
        # On Windows the environment's own program is there all the same.
        evidence.append(Evidence(seen=f"home = {home}, a folder that is not there", where=posixpath.join(case.env, CONFIG)))
        _add_gone(case, findings, evidence)
        return evidence[-1].seen
    _add_gone(case, findings, evidence, title=NO_START)
    return case.no_survey


def _unmade(case: Case) -> bool:
    """A virtual environment without the key that makes it one (PEP 405); a file in another encoding than UTF-8 has none that Python finds."""
    return bool(case.env) and not files.there(case.reader, posixpath.join(case.env, "conda-meta")) and not case.config.get("home")


def _hooks(case: Case) -> tuple[str, ...]:
    """Files of the environment that run at every start, where Python starts without them (``-S``): those that it names, else all."""
    try:
        done = case.reader.run([case.python, "-B", "-S", "-E", "-c", "print(40 + 2)"], timeout=START_SECONDS)
    except files.FAULTS:
        return ()
    if done.out.strip() != "42":
        return ()
    found = []
    for folder in packages.folders(case):
        found += [path for path in (f"{folder}/sitecustomize.py", f"{folder}/usercustomize.py") if files.there(case.reader, path)]
        hooks = files.matches(case.reader, f"{files.glob_escape(folder)}/*.pth")
        found += [path for path in hooks if re.search(r"(?m)^import[ \t]", files.read(case.reader, path).text or "")]
    named = [path for path in found if posixpath.basename(path).split(".")[0] in case.no_survey]
    return tuple(named or found)


def _start(case: Case, findings: Findings) -> None:
    """An interpreter that only starts without the user's variables: they are what is wrong."""
    said = case.survey.flags.get("start", "") if case.survey else ""
    if not said:
        return
    for name in ("PYTHONHOME", "PYTHONPATH"):
        if case.reader.env.get(name):
            seen = Evidence(seen=f"{name}={case.reader.env[name]}; with it, {said}", where=case.python)
            remedy = Remedy(words=f"Unset {name}: with it, this Python does not start", steps=(unset(name, windows=case.windows),))
            findings.add("environment-leak", "error", "certain", seen, remedy=remedy)
            return


def _add_gone(case: Case, findings: Findings, evidence: list[Evidence], title: str = GONE) -> None:
    remedy = Remedy(words="Give the environment a Python of the same version, or build it anew", steps=(_fix(case),) if case.env else ())
    repairs = _another(case, packages.made_for(case)) if case.env else ()
    findings.add("install-corrupt", "error", "certain", *evidence, title=title, repairs=repairs, remedy=remedy)


def _fix(case: Case) -> str:
    return f"tfsetup fix --env {quoted(case.env, windows=case.windows)}"


def _another(case: Case, version: str) -> tuple[Repair, ...]:
    """The environment's own base or a Python of that version found on this machine, with which the packages can stay; else it is made anew."""
    if case.integrity.conda is not None:
        return conda.python_anew(case)
    base = _base(case, version)
    if base:
        return (
            Repair(kind="interpreter", reason=f"pyvenv.cfg names it, and the packages were installed for Python {version}", target=base),
        )
    why = f"no Python {version} was found on this machine" if version else "nothing says which Python it had"
    return onto(case, version) or anew(case, why)


def onto(case: Case, version: str, *, besides: str = "") -> tuple[Repair, ...]:
    """Another Python of that version under the environment, found as ``same_version`` does; nothing where there is none."""
    found = same_version(case, version, besides=besides)
    if found is None:
        return ()
    why = f"Python {found.version} is on this machine, and the packages were installed for {version}"
    return (Repair(kind="interpreter", reason=why, target=found.path),)


def _base(case: Case, version: str) -> str:
    """The interpreter in the folder that ``home`` names (PEP 405), wherever it lies, if it still is of that minor version; else ""."""
    home = case.config.get("home", "")
    if case.static or not home or not version or files.there(case.reader, posixpath.join(posixpath.dirname(home), CONFIG)):
        return ""
    for name in (f"python{version}", "python3", "python", "python.exe"):
        path = posixpath.join(home, name)
        if not files.there(case.reader, path):
            continue
        try:
            told = case.reader.run(
                [path, "-B", "-S", "-E", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], timeout=START_SECONDS
            )
        except files.FAULTS:
            continue
        if told.out.strip() == version:
            return path
    return ""


def anew(case: Case, why: str) -> tuple[Repair, ...]:
    """Make the environment anew, where it is one that can be."""
    return (Repair(kind="rebuild", reason=why),) if case.env and case.config else ()


def same_version(case: Case, version: str, *, besides: str = "") -> Interpreter | None:
    """An interpreter of that minor version that can carry the environment: no environment's own, of this machine's architecture.

    ``besides`` is the folder of a Python that is no choice.
    """
    never = files.real(case.reader, besides).rstrip("/") + "/" if besides else ""
    own = case.facts.system.process_architecture.value
    fitting = [
        item
        for item in case.interpreters
        if packages.minor(item.version) == version
        and not item.virtual
        and item.carries
        and (not own or item.architecture == own)
        and not (never and files.real(case.reader, item.path).lower().startswith(never.lower()))
    ]
    told = case.config.get("version_info") or case.config.get("version", "")
    # The very one, else the newest.
    newest = sorted(fitting, key=lambda item: runs(item.version), reverse=True)
    return next((item for item in newest if told.startswith(item.version)), newest[0] if newest else None)


def _architecture(case: Case, path: str) -> str:
    try:
        return elf.header(case.reader, path).architecture
    except (*files.FAULTS, elf.ElfError):
        return ""


def same(case: Case, findings: Findings) -> str:
    """The interpreter is the environment's, and of the version that the packages were installed for."""
    if not case.env or files.there(case.reader, posixpath.join(case.env, "conda-meta")):
        raise Skipped("no virtual environment is examined")
    made = packages.made_for(case)
    file = posixpath.join(case.env, CONFIG)
    if _unmade(case):
        what = "it is not there" if not files.there(case.reader, file) else "it does not say `home` in UTF-8"
        home = _below(case, made) or same_version(case, made)
        repairs = (_write_config(case, file, home),) if home else ()
        words = Remedy(words="Write it anew, or build the environment anew", steps=(_fix(case),))
        evidence = [Evidence(seen=what, where=file)]
        if case.survey is not None:
            evidence.append(Evidence(seen=f"the interpreter takes itself for {case.survey.prefix}", where=case.python))
        findings.add("install-corrupt", "error", "certain", *evidence, title=UNMADE, repairs=repairs, remedy=words)
        return what
    if case.survey is None:
        raise CouldNotTell(case.unanswered)
    if not _is_own(case):
        what = f"the interpreter takes itself for {case.survey.prefix}, not for {case.env}"
        findings.add("wrong-environment", "error", "likely", Evidence(seen=what, where=case.python), repairs=_another(case, made))
        return what
    running = packages.minor(case.survey.version)
    if made and running != made:
        seen = Evidence(seen=f"it is Python {case.survey.version} now", where=case.python)
        there = Evidence(seen=f"the packages lie in lib/python{made}, where Python {running} does not look", where=case.env)
        another = _another(case, made)
        words = Remedy(
            words=f"Let the environment use Python {made} again, which its packages are for",
            steps=(_fix(case),),
            why=f"Python {running} looks for packages of its own number only",
        )
        findings.add(
            "wrong-environment", "error", "certain", seen, there, title=MOVED_ON, repairs=another, remedy=words if another else None
        )
        return seen.seen
    return f"Python {running}, as the environment was made for"


def _is_own(case: Case) -> bool:
    return case.survey is not None and files.real(case.reader, case.survey.prefix) == files.real(case.reader, case.env)


def _below(case: Case, version: str) -> Interpreter | None:
    """The interpreter that the environment's own link leads to, where it is of that minor version; it may lie where nobody looks for one."""
    survey = case.survey
    real = files.real(case.reader, case.python)
    if survey is None or packages.minor(survey.version) != version or real.startswith(case.env + "/"):
        return None
    return Interpreter(
        path=real,
        version=survey.version,
        bits=survey.bits,
        architecture=survey.machine,
        implementation=survey.implementation,
        origin="path",
    )


def _write_config(case: Case, file: str, home: Interpreter) -> Repair:
    """What ``venv`` writes (PEP 405): home, include-system-site-packages, version."""
    real = files.real(case.reader, home.path)
    text = f"home = {spelt(posixpath.dirname(real))}\ninclude-system-site-packages = false\nversion = {home.version}\n"
    return Repair(kind="write", reason=f"it names {home.path}, whose version the packages were installed for", path=file, target=text)


CHECKS = (
    CheckSpec(name="interpreter", title="the interpreter is there and starts", look=answers),
    CheckSpec(name="environment", title="the interpreter is the environment's own, of the version it was made for", look=same),
)
