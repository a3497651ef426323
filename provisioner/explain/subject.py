"""The case that a remedy is for, drawn from the log and from what was told: which environment, which interpreter, which installer."""

from __future__ import annotations

import re
from dataclasses import replace

from provisioner.explain.context import Version
from provisioner.explain.verdict import Case
from provisioner.explain.words import dotted
from provisioner.model.record import record
from provisioner.remedies.subject import Installer, Subject

_PACKAGES = re.compile(r"[\\/](?P<kind>site|dist)-packages")
# What stands before that on a line, back to where its path begins: no letter that ends a path in a log, but for the folders of Windows with a blank.
_BEFORE = re.compile(
    r"(?<![\w.~\\/-])"
    r"(?P<prefix>(?:~|[A-Za-z]:)?[\\/](?:[^\s\"'()<>\[\],:|]|(?<=Program) (?=Files)|(?<=Files) (?=\(x86\))|(?<=Files )\(x86\)){0,140}?)"
    r"[\\/](?:lib|lib64|Lib|LIB)(?:[\\/]python(?P<python>\d\.\d+))?$"
)
# A path is no longer, and of many frames the first and the last tell.
_LONGEST, _FIRST, _LAST = 240, 40, 120
# sys.executable, as Python prints it on a line of its own; what an editor starts, with the program behind it; a launcher that failed.
_PRINTED = re.compile(
    r"^(?:Out\[\d{1,4}\]: ?)?'?((?:~|/[\w.-]{1,60})(?:/[\w.@+-]{1,80}){0,12}/bin/python[\d.]{0,6})(?:'?$| (?:-\w )?[/~][^\n]{1,300}\.py\b)"
    r"|^ ?File \"((?:/[\w.@+-]{1,80}){1,12}/bin/)[\w.-]{1,60}\", line \d"
    r"|^\"?([A-Za-z]:\\[^\n\"<>|*?]{1,200}\\python\.exe)\"? [^\n]{1,300}\.py\b",
    re.MULTILINE,
)
# What is no environment of its own: the system's Python, one that was installed for all, conda's base, a store's.
_BASE = re.compile(
    r"^/usr(/local)?$|^/opt/(python|homebrew|conda)|^/System|^/Library|\.pyenv/versions/[\d.]+$|(ana|mini)conda\d?$|miniforge\d?$|mambaforge$|Program"
    r" Files|Programs[\\/]Python|[\\/]Python\d{2,3}(-32)?$"
    r"|\.local$|Roaming[\\/]Python|/u\d+/u\d+$^|local-packages",
    re.IGNORECASE,
)
_INSTALLERS: tuple[tuple[Installer, str, str], ...] = (
    # installer, in what was told of the install, in the log
    ("reticulate", r"reticulate|\br\b keras|keras3", r"reticulate|library\(keras|keras3::|RETICU|Detected Python configuration:"),
    (
        "poetry",
        r"poetry",
        (
            r"SolverProblemError|version solving failed|poetry (add|install|lock)|Unable to find installation candidates"
            r"|current project's supported Python|current project's Python requirement"
        ),
    ),
    ("pipenv", r"pipenv", r"pipenv"),
    (
        "uv",
        r"\buv\b",
        (
            r"\$ uv |hint: You're (using CPython|on \w+ \(`)|have a source distribution or wheel|No solution found when resolving"
            r"|you require .{0,60}we can conclude|requirements are unsatisfiable"
        ),
    ),
    ("docker", r"docker build", r"^#\d+ \d|executor failed running|Dockerfile:\d"),
)
# What whoever looked at the place itself knows better than any log.
_OF_THE_PLACE = (
    *("system", "platform", "python", "tensorflow", "interpreter", "env", "wsl", "container", "musl"),
    *("gpu", "amd", "gpu_present", "capability", "cudas", "driver", "glibc", "macos", "distribution"),
)
_DISTRIBUTIONS = ("ubuntu", "debian", "fedora", "centos", "rhel", "arch", "opensuse", "linuxmint", "pop")


def better(read: Subject, known: Subject) -> Subject:
    """Return what a log tells of a case with what is ``known`` of it in its place; the log itself stays."""
    told = {name: value for name in _OF_THE_PLACE if (value := getattr(known, name)) not in {"", None, False, ()}}
    return replace(read, **told)


def subject_of(case: Case) -> Subject:
    """Return what a remedy needs to know."""
    now = case.circumstances
    interpreter, env, python = _environment(case)
    installer = _installer(case)
    text = case.log.text
    return Subject(
        system=now.os,
        platform=now.platform,
        python=dotted(now.python) or python,
        tensorflow=now.tensorflow,
        wanted=now.wanted,
        interpreter="" if installer == "reticulate" else interpreter,
        env="" if installer in {"reticulate", "docker"} or now.container else env,
        installer=installer,
        wsl=now.wsl,
        container=now.container,
        notebook=installer == "pip"
        and re.search(r"ipython-input|ipykernel|jupyter|colab|localhost:8080/#", f"{text[:20_000]} {now.told}", re.IGNORECASE) is not None,
        musl=now.musl,
        gpu=now.gpu,
        amd=bool(re.search(r"\bamd\b|radeon|\brx ?\d{3,4}|\bgfx\d|instinct|\bmi\d{2,3}\b", now.gpu)) and "nvidia" not in now.gpu,
        gpu_present=now.gpu_present,
        capability=dotted(now.capability),
        cudas=tuple(map(dotted, now.cudas)),
        driver=dotted(now.driver),
        glibc=dotted(now.glibc),
        macos=dotted(now.macos[:2]),
        distribution=next((name for name in _DISTRIBUTIONS if name in now.told), ""),
        text=text,
        told=now.told,
        ending=case.ending.kind,
        managed=not env and re.search(r"externally[- ]managed", text) is not None,
    )


def _installer(case: Case) -> Installer:
    told, text = case.circumstances.install, case.log.text
    for name, in_told, in_log in _INSTALLERS:
        if re.search(in_told, told) or re.search(in_log, text, re.MULTILINE):
            return name
    return "pip"


def _environment(case: Case) -> tuple[str, str, str]:
    """The interpreter as it would be started, the folder of its environment ("" where there is none), and its number."""
    text = case.log.text
    found = [item for item in _sites(text) if _is_whole(item.prefix)]
    if not found:
        printed = _PRINTED.search(text)
        if printed is None:
            return _by_prompt(case), "", ""
        # A launcher in the folder of the programs lies beside the Python that it was made for.
        return _of_path(printed[1] or printed[3] or f"{printed[2]}python3")
    best = next((item for item in reversed(found) if "tensorflow" in text[item.end : item.end + 14]), found[-1])
    prefix, python = best.prefix, best.python
    number = python or dotted(case.circumstances.python)
    if re.search(r"\.local$|Roaming[\\/]Python[\\/]Python\d+$", prefix):
        return _named(case, number), "", number
    if "\\" in prefix or re.match(r"[A-Za-z]:", prefix):
        folder = prefix.rstrip("\\")
        own = _BASE.search(folder) is None
        conda = re.search(r"conda|envs[\\/]|mambaforge|miniforge", folder, re.IGNORECASE)
        return (rf"{folder}\Scripts\python.exe" if own and not conda else rf"{folder}\python.exe"), (folder if own else ""), number
    if best.kind == "dist" or prefix in {"/usr", "/usr/local"}:
        return _named(case, number), "", number
    return f"{prefix}/bin/python", ("" if _BASE.search(prefix) else prefix), number


def _of_path(path: str) -> tuple[str, str, str]:
    """An interpreter by its path: it, the folder of its environment, and no number."""
    folder = re.sub(r"[\\/](?:bin|Scripts)[\\/][^\\/]+$", "", path)
    return path, ("" if folder == path or _BASE.search(folder) else folder), ""


@record
class _Site:
    """A folder of packages in a log: what stands before its ``lib``, the Python in its path, ``site`` or ``dist``, where it ends in the text."""

    prefix: str
    python: str
    kind: str
    end: int


def _sites(text: str) -> list[_Site]:
    places = [(item.start(), item.end(), item["kind"]) for item in _PACKAGES.finditer(text)]
    # A pip that has tensorflow is of another Python than the one that does not find it.
    lost = "No module named 'tensorflow'" in text
    places = places if len(places) <= _FIRST + _LAST else [*places[:_FIRST], *places[-_LAST:]]
    found = []
    for start, end, kind in places:
        line = text[max(text.rfind("\n", 0, start) + 1, start - _LONGEST) : start]
        before = _BEFORE.search(line)
        # Where `pip show` found a package says nothing of the Python that ran.
        if before is not None and not line.lower().startswith("location:") and not (lost and line.startswith("Requirement already")):
            found.append(_Site(prefix=before["prefix"], python=before["python"] or "", kind=kind, end=end))
    return found


def _is_whole(prefix: str) -> bool:
    """Whether a path is one that can be typed: from a root, with a name after it, nothing left out of it by who pasted it."""
    if not re.match(r"~/\w|/\w|[A-Za-z]:\\\w", prefix) or re.search(r"\.\.\.|…|redacted|~\d|/bin/\.\.", prefix, re.IGNORECASE):
        return False
    return "/lib/" not in prefix and len(prefix) < 200  # noqa: PLR2004 - no path that a person types is longer


def _named(case: Case, number: str) -> str:
    if case.circumstances.native_windows:
        return f"py -{number}" if number else "python"
    return f"python{number}" if number else "python3"


def _by_prompt(case: Case) -> str:
    """Where no path is seen: as it was started in a line of a shell."""
    started = re.search(r"^(?:[^\n$#>%]{0,60}[$#%>] ?)?(python\d?(?:\.\d+)?|py -\d\.\d+|pip\d?(?:\.\d+)?) ", case.log.text, re.MULTILINE)
    if started is None:
        return ""
    name = started[1]
    version: Version = tuple(int(item) for item in re.findall(r"\d+", name))
    if name.startswith("pip"):
        return f"python{dotted(version)}" if version and not case.circumstances.native_windows else ""
    return name
