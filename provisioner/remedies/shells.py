"""What to do where no Python started: the shell finds no such program, its Python is gone, or the line was for another shell. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import replace

from provisioner.base.by_hand import winget
from provisioner.model.finding import Remedy, Way
from provisioner.remedies import condas, notebooks
from provisioner.remedies.knowledge import View
from provisioner.remedies.subject import Subject, quoted
from provisioner.remedies.ways import NEW_ENVIRONMENT, anew, mend, ours

# The version in a Python's folder on Windows, by its installer (PythonXY) and by uv and pyenv (X.Y.Z).
_VERSION = re.compile(r"Python(\d)(\d{1,2})\b|\b(\d\.\d{1,2})(?:\.\d+)?\b")


def not_started(subject: Subject, view: View) -> Remedy | None:
    """Return what to do about the lines of a shell or a launcher; None where the log has none of them."""
    for pattern, remedy in _KINDS:
        found = pattern.search(subject.seen)
        if found:
            return remedy(subject, view, found)
    return None


def _store(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """``python`` on Windows: its launcher, and one to install."""
    del subject, view, found
    return Remedy(
        words="Start Python by its launcher; if it lists none, install one",
        steps=("py -0p", winget("3.12")),
        why="`python` is only the door to the store until a Python is installed and on PATH",
        others=(
            Way(
                words="Then make an environment with TensorFlow",
                steps=("py -3.12 -m venv tf-env", r"tf-env\Scripts\python.exe -m pip install tensorflow"),
            ),
        ),
    )


def _no_program(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """The name that is there, and an environment, where the short names are its own."""
    pip = "pip" in found[0]
    if subject.windows:
        return Remedy(
            words="Start pip through a Python" if pip else "Start Python by its launcher; if there is none either, install a Python",
            steps=("py -m pip --version",) if pip else ("py -0p", winget("3.12")),
            why=f"no folder of PATH has a {'pip' if pip else 'python'}.exe: Python's installer adds its own where one ticks that",
            others=(
                Way(words="If an environment is there, activate it in this terminal", steps=(r".\tf-env\Scripts\activate",)),
                *anew(subject, view),
            ),
        )
    return Remedy(
        words="Start pip through the Python that is there"
        if pip
        else "Call it python3, or activate the environment, which has it as python",
        steps=("python3 -m pip --version",) if pip else ("python3 --version", "source tf-env/bin/activate"),
        why=f"systems have no program {'pip' if pip else 'python'} by itself: it is that of an environment, once that is activated",
        others=(
            Way(words="If there is no python3 either, install it (Homebrew)", steps=("brew install python@3.12",))
            if subject.system == "macos"
            else Way(
                words="If there is no python3 either, install it (Debian, Ubuntu)",
                steps=("sudo apt install python3 python3-venv",),
                cost="needs an administrator",
            ),
            *anew(subject, view),
        ),
    )


def _launcher(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """``pip.exe`` of an environment that was moved: it has the path of its Python in it."""
    # "PYTHON" "ENVIRONMENT\\Scripts\\NAME.exe" ARGUMENTS, in single quotes.
    called = re.search(r"\" {1,3}\"([A-Za-z]:[^\"]{0,200})(\\\w{1,9}\\)(\w[\w.-]{0,80})\.exe\" ?([^'\n]*)", found[0])
    python = quoted(f"{called[1]}{called[2]}python.exe", windows=True) if called else "python"
    rest = f" {called[4].strip()}" if called and called[3].startswith("pip") and called[4].strip() else " --version"
    return Remedy(
        words="Start pip through the Python beside it: pip.exe has the path of the Python in it for which it was made, and that is gone",
        steps=(f"{python} -m pip{rest}",),
        why="the environment, or the folder it lies in, was moved, renamed or copied, or its Python was removed",
        others=(*(mend(replace(subject, env=called[1])) if called else ()), *anew(subject, view)),
    )


def _interpreter(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """A script whose first line names a Python that is gone."""
    # bash: "bash: SCRIPT: PYTHON: bad interpreter: …"; zsh: "zsh: SCRIPT: bad interpreter: PYTHON: …".
    said = subject.seen[: found.start()].split("\n")[-1].split(": ")
    folder, _, name = next((part for part in said if part.startswith("/")), "").rpartition("/")
    python = quoted(f"{folder}/python") if folder else "python3"
    module = " -m pip" if re.match(r"pip[\d.]*$", name) else f" {quoted(f'{folder}/{name}')}" if folder else " -m pip"
    return Remedy(
        words="Start it through the Python beside it: the script's first line names a Python that is gone",
        steps=(f"{python}{module} --version",),
        why="the environment was moved, renamed or copied, or its Python was removed",
        others=(*(mend(replace(subject, env=posixpath.dirname(folder))) if folder else ()), *anew(subject, view)),
    )


def _base_gone(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """The Python under an environment: put back, or another one of the version under it."""
    base = found[1] or found[2]
    version = _version(base) or subject.python
    back = (
        Way(
            words="Or install that Python again, where it was",
            steps=(winget(version) if subject.windows else f"uv python install {version}",),
        ),
    )
    return Remedy(
        words="Let tfsetup put another Python of the same version under the environment; it shows its plan first, and can be undone",
        steps=(ours(subject, "fix"),),
        why=f"an environment has no Python of its own: it starts {base}, which was removed or moved",
        others=(*(back if version else ()), *anew(subject, view)),
    )


def _config_gone(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """``pyvenv.cfg`` written again, from what the packages tell."""
    del found
    return Remedy(
        words="Let tfsetup write the environment's pyvenv.cfg again; it shows its plan first, and can be undone",
        steps=(ours(subject, "fix"),),
        why="the python.exe of an environment on Windows starts the Python that this file names, and the file is gone",
        others=anew(subject, view),
    )


def _no_venv(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """Debian's Python without the part that makes environments."""
    del found
    version = (re.findall(r"python(3[\d.]*)-venv", subject.text) or ["3"])[-1]
    return Remedy(
        words="Install the part of Debian's Python that makes environments, then make it again",
        steps=(f"sudo apt-get install -y python{version}-venv", "python3 -m venv tf-env"),
        why="Debian and Ubuntu keep venv and ensurepip in a package of their own",
        others=anew(subject, view),
    )


def _no_such_python(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """A Python of the version that was asked for."""
    version = next((item for item in found.groups() if item), "3.12")
    if "was not found on your system" in subject.seen:
        return Remedy(
            words=f"Let uv fetch Python {version}, and tell pipenv where it is",
            steps=(f"uv python install {version}", f"pipenv --python $(uv python find {version})"),
            why="the Pipfile asks for a Python that this machine does not have; pipenv itself fetches none without pyenv or asdf",
            others=(
                Way(words="Or ask for one that is there, in the Pipfile (python_version)", steps=("python3 --version",)),
                *anew(subject, view),
            ),
        )
    if "pyenv" in subject.seen:
        return Remedy(
            words=f"Install Python {version} by pyenv, or choose one that is there, for this folder",
            steps=("pyenv versions", f"pyenv install {version}"),
            why="a file .python-version, here or above, names a Python that pyenv does not have",
            cost="compiles a Python, some minutes",
            others=anew(subject, view),
        )
    return Remedy(
        words=f"See which Pythons there are; install {version}, if TensorFlow is to have that one",
        steps=("py -0p", winget(version)),
        why="the launcher starts the Pythons that are installed, and has none of this version",
        others=(
            Way(
                words="Or let uv fetch it, for one environment",
                steps=("py -m pip install uv", f"py -m uv venv --managed-python --python {version} tf-env"),
                cost=NEW_ENVIRONMENT,
            ),
            *anew(subject, view),
        ),
    )


def _activation(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """The script of an environment, as this system has it."""
    del found
    name = re.search(r"(?:source |\. )[\"']?([^\s\"']+?)[\\/](?:bin|Scripts)[\\/]activate|module '([\w.-]+)' could not", subject.text)
    folder = next((item for item in name.groups() if item), "tf-env") if name else "tf-env"
    folder = folder.removeprefix("./").removeprefix(".\\").replace("/", "\\" if subject.windows else "/")
    if subject.windows:
        typed = folder if re.match(r"[A-Za-z]:", folder) else f".\\{folder}"
        return Remedy(
            words="Activate the environment as Windows has it: by the script in Scripts, with .\\ before it where the folder is here",
            steps=(f"{typed}\\Scripts\\activate",),
            why="`source` and bin/activate are of Linux and macOS; without .\\ before it PowerShell takes env\\Scripts for a module",
            others=(Way(words="In Git Bash", steps=(f"source {folder.replace(chr(92), '/')}/Scripts/activate",)), *anew(subject, view)),
        )
    return Remedy(
        words="See whether the environment is there under that name; make it, if not",
        steps=(f"ls {quoted(folder)}/bin", f"python3 -m venv {quoted(folder)}", f"source {quoted(folder)}/bin/activate"),
        why="there is no script bin/activate in that folder: no environment was made there, or that was not in this folder",
        others=anew(subject, view),
    )


def _no_uv_environment(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """``uv pip`` beside no environment (uv documentation, "Using environments")."""
    del found
    return Remedy(
        words="Make an environment, and install into it",
        steps=("uv venv tf-env", "uv pip install --python tf-env tensorflow"),
        why="uv changes no Python of the system's, and found no environment here",
        cost=NEW_ENVIRONMENT,
        others=anew(subject, view),
    )


def _no_command_line_tools(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """``/usr/bin/python3`` of macOS is a door to Apple's command line tools (Apple, xcode-select(1))."""
    del found
    return Remedy(
        words="Install Apple's command line tools, which /usr/bin/python3 and git belong to; then do it again",
        steps=("xcode-select --install",),
        why="an update of macOS takes them away, and leaves the doors to them",
        cost="a download of about 1 GB",
        others=anew(subject, view),
    )


def _version(path: str) -> str:
    found = _VERSION.search(path)
    return "" if found is None else found[3] or f"{found[1]}.{found[2]}"


_NOT_FOUND = re.compile(
    r"(?:python|\bpy|pip)[\d.]*(?:\.exe)?\W{0,4}(?:: (?:command )?not found|.{0,60}(?:recogni|falsch|wurde nicht|reconnu|reconoce|reconhecido"
    r"|riconosciuto|является|распознано|不是|無法|无法|内部|내부))|command not found: (?:python|pip)"
)
_KINDS: tuple[tuple[re.Pattern[str], Callable[[Subject, View, re.Match[str]], Remedy]], ...] = (
    (re.compile(r"Microsoft Store"), _store),
    (re.compile(r"No Python at ['\"]+([^'\"\n]{1,300})|did not find executable at '([^'\n]{1,300})"), _base_gone),
    (re.compile(r"pyvenv\.cfg"), _config_gone),
    (re.compile(r"(?:Fatal error in launcher|Unable to create process using).{0,600}"), _launcher),
    (re.compile(r": bad interpreter"), _interpreter),
    (
        re.compile(
            r"pyenv: version [`'](\d[\d.]*)|Requested Python version \(([\d.]+)\)|No runtime installed that matches (\d[\d.]*)"
            r"|No suitable Python runtime found|Python (\d[\d.]*) was not found on your system"
        ),
        _no_such_python,
    ),
    (re.compile(r"could not be resolved|Unable to import|Unresolved (?:import|reference)", re.IGNORECASE), notebooks.in_the_editor),
    (re.compile(r"\bipykernel\b"), notebooks.no_kernel),
    (re.compile(r"No such kernel(?: named ['\"]?([\w.-]+))?"), notebooks.unknown_kernel),
    (re.compile(r"ensurepip is not available|'ensurepip'|apt install python(3[\d.]*)-venv"), _no_venv),
    (re.compile(r"conda init|shell has not been properly configured"), condas.unprepared),
    (re.compile(r"conda: command not found|command not found: conda|\bconda\W? is not recognized|The term 'conda'"), condas.missing),
    (
        re.compile(
            r"(?:Could not find conda environment|Not a conda environment): (?:[^\s\n]{0,200}[\\/])?([\w.-]{1,60})"
            r"|Environment(?:Location|Name)NotFound"
        ),
        condas.no_such_environment,
    ),
    (re.compile(r"No virtual environment found"), _no_uv_environment),
    (re.compile(r"xcrun: error"), _no_command_line_tools),
    (re.compile(r"restart the (?:runtime|kernel|session)"), notebooks.restart),
    (re.compile(r"\bsource\b|Import-Module|bin/activate"), _activation),
    (_NOT_FOUND, _no_program),
)
