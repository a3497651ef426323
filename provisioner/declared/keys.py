"""Every key of ``tfsetup.yaml`` (and of ``[tool.tfsetup]``), once: those of a request for one machine, and those of a team."""

from __future__ import annotations

import re
from typing import Any

from provisioner.base import trials
from provisioner.base.names import is_rival, normalise
from provisioner.base.paths import is_for_everybody
from provisioner.base.text import mask
from provisioner.declared import requirement
from provisioner.declared.local import is_local, read_local
from provisioner.declared.requirements_file import link_in
from provisioner.declared.shape import Shape
from provisioner.errors import UsageError
from provisioner.model.policy import ANY
from provisioner.model.request import SETTINGS, Setting

PLATFORMS = ("linux-x86_64", "linux-aarch64", "macos-x86_64", "macos-aarch64", "windows-x86_64")
# Names of files are `pylock.<name>.toml`, in which PEP 751 allows no further dot.
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_PYTHON = r"3\.[0-9]{1,2}"
_DRIVER = r"[0-9]{3,4}(?:\.[0-9]{1,3}){1,2}"
_RELEASE = r"[0-9]+\.[0-9]+\.[0-9]+(?:rc[0-9]+|\.post[0-9]+)?"
_INDEX_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_CHANNEL_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*"
# A name with a version or without, in conda's words (CEP 29); builds and other keys belong to one platform.
_CONDA_VERSION = r"(?:[0-9]+!)?[^\s\[\]=<>!~|,'\"]+"
_CONDA_SPEC = (
    rf"([A-Za-z0-9_][A-Za-z0-9_.-]*)(?:\s*(?:=|\s)\s*{_CONDA_VERSION}"
    rf"|\s*(?:==|!=|<=|>=|~=|<|>)\s*{_CONDA_VERSION}(?:\s*[,|]\s*(?:==|!=|<=|>=|~=|<|>)?\s*{_CONDA_VERSION})*)?"
)
_EXTRA = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"


def specifier_fault(text: str) -> str:
    """Say what is wrong with the TensorFlow that a person asks for."""
    from provisioner.choose.versions import specifier  # noqa: PLC0415 - only those pay who have the file

    try:
        specifier(text, "tensorflow")
    except UsageError:
        return f'expected a release such as 2.20, 2.20.0, ">=2.16,<2.19" or latest, found `{text}`'
    return ""


def _relative(text: str) -> str:
    """Say why a path cannot be the same for everybody in the team."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        return "expected a path, found an address; nothing is fetched from there"
    if not is_for_everybody(text):
        return f"expected a path relative to this file, with `/` between folders, found `{text}`"
    return ""


def _own_folder(text: str) -> str:
    """Say why the locks cannot be written there: what is written stays in the project, as far as the text tells."""
    if not _relative(text) and ".." in text.split("/"):
        return f"expected a folder of this project, found `{text}`; locks are written nowhere else"
    return _relative(text)


def channel_fault(text: str) -> str:
    """Say why a text is no conda channel; secrets in it are looked for where all of it is known to be one."""
    folder = text.startswith(("./", "../"))
    if folder and _relative(text):
        return _relative(text)
    if not folder and not re.fullmatch(rf"(?:https?|file)://\S+|{_CHANNEL_NAME}", text):
        return f"expected a name, an address, or a folder relative to this file (./channel), found `{text}`"
    return ""


def _entry(text: str) -> str:
    """Say what is wrong with a line of ``requirements``: a requirement, the folder of a project, or where files are found."""
    bare = text.removeprefix("-e ").strip()
    if link_in(bare):
        return ""
    if not is_local(bare):
        return requirement.fault_of_any(bare)
    try:
        read_local(bare, "", "", editable=False)
    except requirement.NotLockableError as error:
        return f"`{mask(text)}` {mask(str(error))}"
    return ""


def conda_fault(text: str) -> str:
    """Say what is wrong with a conda package that is asked for by name and version."""
    # Runs of blanks would cost the pattern time with their square.
    found = re.fullmatch(_CONDA_SPEC, " ".join(text.split()))
    if "::" in text:
        return f"`{mask(text)}` names a channel, which belongs under `channels`"
    if found is None:
        return f'expected a package such as ffmpeg, "opencv>=4" or "gcc=12", found `{mask(text)}`'
    if is_rival(normalise(found[1])) or found[1].lower() == "python":
        return f"`{mask(text)}`: say it by `{'pythons' if found[1].lower() == 'python' else 'tensorflow'}`"
    return ""


def _date(text: str) -> str:
    import datetime as dt  # noqa: PLC0415 - only with sign-offs

    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return f"expected a date such as 2026-03-31, found `{text}`"
    return ""


def _text(about: str, **more: Any) -> Shape:
    return Shape(kind="text", about=about, **more)


def _texts(about: str, item: Shape, least: int = 0) -> Shape:
    return Shape(kind="list", about=about, item=item, least=least)


_PYTHON_KEY = _text("The Python, as 3.12", pattern=_PYTHON, expected="a Python such as 3.12", version=True)
_SPEC = _text("The TensorFlow release: 2.20 means 2.20.*; also 2.20.0, >=2.16,<2.19, latest", check=specifier_fault, version=True)
_DRIVER_KEY = _text("The oldest NVIDIA driver among the machines", pattern=_DRIVER, expected="a driver such as 550.54.14", version=True)

TARGET = Shape(
    kind="table",
    about="A kind of machine that a lock is made for",
    required=("platform", "device"),
    keys={
        "name": _text(
            "Part of the names of the files; platform and device if not given",
            pattern=NAME,
            expected="a name of letters, digits, - and _ (PEP 751 allows no dot in it)",
        ),
        "platform": _text("System and processor", choices=PLATFORMS),
        "device": _text("What it computes on", choices=("cpu", "cuda")),
        "python": _PYTHON_KEY,
        "floor": _text(
            "The oldest glibc or macOS among the machines; that of the known-good set if not given",
            pattern=r"[0-9]{1,2}(?:\.[0-9]{1,2})?",
            expected="a version of glibc or macOS such as 2.31 or 13.0",
            version=True,
        ),
        "driver": _DRIVER_KEY,
        "tensorflow": _text("The TensorFlow of this target alone", check=specifier_fault, version=True),
        "kind": _text("The kind of environment; venv if not given", choices=("venv", "conda")),
        "source": _text("Where the TensorFlow of a conda environment comes from; wheels if not given", choices=("wheels", "conda")),
    },
)
PROJECT = Shape(
    kind="table",
    about="A project whose dependencies are locked",
    keys={
        "file": _text("Its pyproject.toml", check=_relative),
        "extras": _texts("Extras of it (project.optional-dependencies)", _text("", pattern=_EXTRA, expected="the name of an extra")),
        "groups": _texts("Dependency groups of it (PEP 735)", _text("", pattern=_EXTRA, expected="the name of a dependency group")),
    },
)
INSTEAD = Shape(
    kind="table",
    about="A requirement of the lists, and what is taken in its place",
    required=("of", "take"),
    keys={
        "of": _text("The requirement as the list has it", check=requirement.fault),
        "take": _text("What is taken in its place", check=requirement.fault),
    },
)
INDEX = Shape(
    kind="table",
    about="A package index",
    required=("url",),
    keys={
        "url": _text("Its address; user and password only as ${VARIABLE}", pattern=r"(?:https?|file)://\S+", expected="an address"),
        "name": _text("A name for it", pattern=_INDEX_NAME, expected="a name of letters, digits, ., - and _"),
        "packages": _texts(
            "The packages that come from it and from nowhere else; without any it is the index of all others",
            _text("", pattern=_EXTRA, expected="the name of a package"),
            least=1,
        ),
    },
)
SIGN_OFF = Shape(
    kind="table",
    about="A release that somebody answers for",
    required=("release", "by", "date"),
    keys={
        "release": _text("The exact release", pattern=_RELEASE, expected="an exact release such as 2.20.0"),
        "by": _text("Who answers for it", pattern=r"[^\n]*\S[^\n]*", expected="a name"),
        "date": _text("Since when, as 2026-03-31", check=_date),
    },
)
POLICY = Shape(
    kind="table",
    about="What a lock must hold to",
    keys={
        "releases": _text("The TensorFlow releases that are allowed", check=specifier_fault, version=True),
        "driver": _DRIVER_KEY,
        "source_builds": Shape(
            kind="flag",
            about="Which packages without a wheel may be built from source: a list of names, any; true: only what a known-good set pins so",
            choices=(ANY,),
            item=_text("", pattern=_EXTRA, expected="the name of a package"),
        ),
        "cool_down": Shape(kind="count", about="Days that a file must have been on the index", expected="a whole number of days"),
        "proven": Shape(
            kind="flag",
            about="strict (or true): only sets that were run, as they were run; prefer (or false): packages of a set may make room for yours",
            choices=("strict", "prefer"),
        ),
        "signed_off": _texts("Take only these releases", SIGN_OFF),
    },
)
FORMATS = ("requirements", "pylock", "conda-lock")

_TEAM = {
    "pythons": _texts("The Pythons of all targets that do not say their own", _PYTHON_KEY, least=1),
    "targets": _texts("The kinds of machines to lock for", TARGET, least=1),
    "requirements": _texts("Packages beside TensorFlow, as in a requirements file", _text("", check=_entry)),
    "files": _texts("Requirements files (requirements.in), relative to this file", _text("", check=_relative)),
    "instead": _texts("Requirements of the lists that give way to others, as `tfsetup lock --accept` writes them", INSTEAD),
    "project": PROJECT,
    "indexes": _texts("Package indexes; PyPI if none is given", INDEX),
    "channels": _texts(
        "The conda channels, on this machine and in locks, the most important first", _text("", check=channel_fault), least=1
    ),
    "conda": _texts("Conda packages of the conda environments beside TensorFlow (ffmpeg, opencv>=4)", _text("", check=conda_fault)),
    "policy": POLICY,
    "verify": _texts(
        "Imports (deepface, retinaface.RetinaFace) and commands (with a blank in them) that must work", _text("", check=trials.fault)
    ),
    "folder": _text("Where the locks are written, relative to this file and below it", check=_own_folder),
    "formats": _texts("The kinds of lockfiles to write", _text("", choices=FORMATS), least=1),
}

_ABOUT = {
    "tensorflow": _SPEC.about,
    "python": "The Python of the environment on this machine",
    "device": "What the environment on this machine computes on",
    "kind": "The kind of environment",
    "source": "Where the TensorFlow of a conda environment comes from",
    "env": "Where the environment on this machine is",
    "with": "Packages beside TensorFlow, on this machine and in locks",
    "offline": "Forbid the network",
}


def _of_request(setting: Setting) -> Shape:
    about = _ABOUT[setting.name]
    if setting.name == "tensorflow":
        return _SPEC
    if setting.kind == "flag":
        return Shape(kind="flag", about=about)
    if setting.kind == "list":
        return _texts(about, _text("", check=requirement.fault))
    return _text(about, choices=setting.choices, version=setting.name == "python")


DECLARATION = Shape(
    kind="table",
    about="What tfsetup.yaml or [tool.tfsetup] in pyproject.toml may say",
    keys={**{setting.key: _of_request(setting) for setting in SETTINGS if not setting.once and setting.key not in _TEAM}, **_TEAM},
)
