"""What to do where a release has no wheel for this Python, or pip or the Python cannot see it."""

from __future__ import annotations

import re

from provisioner.base.by_hand import winget
from provisioner.base.versions import minor_of, numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies import library
from provisioner.remedies.asked import FAMILY, RANGE, wanted
from provisioner.remedies.builds import for_board
from provisioner.remedies.knowledge import USUAL, View, newest, package_of, pythons, release_of, stable
from provisioner.remedies.names import OWN_MODULES, own_module, same_tensorflow
from provisioner.remedies.subject import Subject, requirement
from provisioner.remedies.systems import on_a_board, platform, without_build
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import NEW_ENVIRONMENT, anew, install, mend, runs, venv


def python(subject: Subject, view: View) -> Remedy:
    """A Python that the release has wheels for, or a release that has wheels for this Python; of both the one that keeps what was asked for."""
    if subject.musl:
        return platform(subject, view)
    gone = library.of_another_python(subject, view)
    if gone is not None:
        return gone
    if re.search(r"\+nv\d", subject.seen):
        return for_board(subject)
    name, version = wanted(subject)
    limits = RANGE.search(subject.seen) or RANGE.search(subject.text)
    if limits and (subject.installer in {"poetry", "uv"} or "current project" in subject.text):
        return narrower_range(subject, name, limits["range"])
    if name and not FAMILY.fullmatch(name) and not subject.wanted and name not in {"", "python"} and _sibling(name):
        return _sibling_wheel(subject, view, name, limits["range"] if limits else "")
    release_text = (version if FAMILY.fullmatch(name or "tensorflow") else "") or subject.tensorflow
    release = release_of(view, release_text) if release_text else None
    have = pythons(view, release_text, subject.platform) if release else ()
    here = newest(view, lambda _build: True, platform=subject.platform, python=subject.python) if subject.python else None
    if release is not None and have:
        return _for_release(subject, view, release_text, have, here.version if here else "")
    if release_text and release is None:
        return _before_the_catalogue(subject, release_text, here.version if here else "")
    return _any_release(subject, view, here.version if here else "")


def narrower_range(subject: Subject, name: str, limits: str) -> Remedy:
    """What to do in a project whose range of Pythons is wider than a package's."""
    upper = re.search(r"<=? ?(\d+\.\d+)", limits)
    project = re.search(r"\(?(>=\s?\d+\.\d+)[^)\n]{0,20}\)?", subject.text)
    lower = project[1].replace(" ", "") if project else ">=" + (subject.python or "3.9")
    spec = f"{lower},<{upper[1]}" if upper else limits
    named = re.search(r"([a-z][\w.-]{0,60})(?: \([\d.]+\))? (?:which )?requires Python", subject.text)
    key = "requires-python" if subject.installer != "poetry" else "python (or requires-python)"
    lock = {"poetry": "poetry lock", "uv": "uv lock", "pipenv": "pipenv lock"}.get(subject.installer, "poetry lock")
    return Remedy(
        words=f'In pyproject.toml, narrow {key} to "{spec}", which {named[1] if named else name or "the package"} allows, then lock again',
        steps=(lock,),
        why="the resolver must find a set for every Python that the project allows, and the package refuses the newer ones",
        cost="the project no longer installs on those Pythons",
        others=(
            Way(
                words="Or ask for a release of the package that allows them; of one that only an old TensorFlow asks for, take a newer TensorFlow"
            ),
        ),
    )


def _sibling(name: str) -> bool:
    return name.startswith(("tensorflow-", "tf-", "keras", "dm-", "nvidia-"))


def _sibling_wheel(subject: Subject, view: View, name: str, limits: str) -> Remedy:
    said = f"{name} allows Python {limits}" if limits else f"{name} is not TensorFlow: its wheels and numbers are its own"
    newest_python = re.search(r"<\s?(\d+)\.(\d+)", limits)
    best = f"3.{int(newest_python[2]) - 1}" if newest_python else ""
    if best:
        return Remedy(
            words=f"Build the environment with Python {best}, the newest that {name} allows",
            steps=venv(subject, best, "tensorflow", name),
            why=said,
            cost=NEW_ENVIRONMENT,
            others=(
                Way(
                    words=f"Or ask for another release of {name}: this lists those that this Python can have",
                    steps=(f"{subject.shell_python} -m pip index versions {name}",),
                ),
            ),
        )
    return without_build(subject, view)


def _for_release(subject: Subject, view: View, text: str, have: tuple[str, ...], here: str) -> Remedy:
    """The release is known, and so are its Pythons: keep the release where it was named, with the newest Python that it has."""
    best = have[-1]
    # Of a number that is not known, perhaps for it came later, no more is sure than its minor.
    text = text if text in view.versions() else minor_of(text)
    span = f"{have[0]} to {best}" if len(have) > 1 else best
    package = package_of(text, subject.platform)
    pin = f"{package}=={text}" if re.fullmatch(r"(?<![\d.])\d{1,4}\.\d{1,4}\.\d{1,4}\w{0,20}", text) else f"{package}=={minor_of(text)}.*"
    this = f", not for {subject.python}" if subject.python and subject.python not in have else ""
    keep = Way(
        words=f"Keep TensorFlow {text}, and build the environment with Python {best}",
        steps=venv(subject, best, pin),
        cost=NEW_ENVIRONMENT,
    )
    other = (
        (
            Way(
                words=f"Or keep Python {subject.python} and take TensorFlow {minor_of(here)}, the newest for it",
                steps=(install(subject, f"{package_of(here, subject.platform)}=={minor_of(here)}.*"),),
                cost="the release changes; a program for the older one may need changes",
            ),
        )
        if here and minor_of(here) != minor_of(text)
        else ()
    )
    return Remedy(
        words=keep.words,
        steps=keep.steps,
        why=f"TensorFlow {text} has wheels for Python {span}{this}",
        cost=keep.cost,
        others=(*other, *anew(subject, view, release_of(view, text), python=best)),
    )


def _before_the_catalogue(subject: Subject, text: str, here: str) -> Remedy:
    old = numbers(text) < (1, 15)
    python = "3.7" if numbers(text)[:2] >= (1, 13) else "3.6"
    if not old:
        return Remedy(
            words=f"Ask for a release that there is: TensorFlow {here or 'of today'}",
            steps=(install(subject, f"tensorflow=={minor_of(here)}.*" if here else "tensorflow"),),
            why=f"TensorFlow {text} is not known here",
        )
    return Remedy(
        words=f"TensorFlow {text} wants Python {python} or older: make an environment with that, by conda",
        steps=venv(subject, python, f"tensorflow=={text}"),
        why="it is older than every newer Python, and no wheel of it for those was ever made",
        cost=NEW_ENVIRONMENT,
        others=(
            Way(
                words="Or take 1.15, the last of TensorFlow 1, which runs most programs of that time",
                steps=venv(subject, "3.7", "tensorflow==1.15.5", "protobuf<3.21", folder="tf1-env"),
            ),
            *(
                (
                    Way(
                        words=f"Or keep this Python with TensorFlow {minor_of(here)}; programs for TensorFlow 1 then need tensorflow.compat.v1",
                        steps=(install(subject, f"tensorflow=={minor_of(here)}.*"),),
                    ),
                )
                if here
                else ()
            ),
        ),
    )


def _any_release(subject: Subject, view: View, here: str) -> Remedy:
    latest = next((item for item in stable(view) if pythons(view, item.version, subject.platform)), next(stable(view)))
    have = pythons(view, latest.version, subject.platform)
    span = f"Python {have[0]} to {have[-1]}" if have else "no Python"
    best = have[-2] if len(have) > 1 else have[-1] if have else ""
    if here and minor_of(here) != minor_of(latest.version):
        return Remedy(
            words=f"Ask for TensorFlow {minor_of(here)}, the newest for Python {subject.python}",
            steps=(install(subject, f"{package_of(here, subject.platform)}=={minor_of(here)}.*"),),
            why=f"TensorFlow {minor_of(latest.version)} has wheels for {span}",
            others=(
                Way(words=f"Or make an environment with Python {best}", steps=venv(subject, best, "tensorflow"), cost=NEW_ENVIRONMENT),
                *anew(subject, view),
            ),
        )
    look = () if subject.python else (f"{subject.shell_python} --version",)
    first = "Look which Python it is; if TensorFlow has no wheel for it, make" if look else "Make"
    return Remedy(
        words=f"{first} an environment with Python {best}, which is fetched for you",
        steps=(*look, *venv(subject, best, "tensorflow")),
        why=f"TensorFlow {minor_of(latest.version)} has wheels for {span}"
        + (
            f", not for {subject.python}"
            if subject.python and subject.python not in have
            else "; the index or the pip that was asked saw none for this one"
        ),
        cost=NEW_ENVIRONMENT,
        others=anew(subject, view),
    )


def python_32(subject: Subject, view: View) -> Remedy:
    """A 64-bit Python that the release has wheels for, installed beside; the first command shows which one runs."""
    have = pythons(
        view,
        wanted(subject)[1] or subject.tensorflow,
        subject.platform or ("windows-x86_64" if subject.system in {"", "windows"} else USUAL),
    )
    version = wanted(subject)[1]
    if version and not have:
        have = ("3.7",) if numbers(version)[:2] >= (1, 13) else ("3.6",)
    best = subject.python if subject.python in have else have[-2 if len(have) > 1 else -1] if have else "3.12"
    bits = runs(subject, "import struct; print(struct.calcsize('P') * 8)")
    pin = f"tensorflow=={version}" if version else "tensorflow"
    if subject.system == "linux" and re.search(r"aarch64|\barmv[678]|raspb", subject.told + subject.text):
        return on_a_board(subject)
    steps: tuple[str, ...]
    if subject.system in {"", "windows"}:
        steps = (
            bits,
            winget(best),
            f"py -{best} -m venv tf-env",
            f"tf-env\\Scripts\\python.exe -m pip install {pin}",
        )
    else:
        steps = (bits, *venv(subject, best, pin))
    return Remedy(
        words=(
            f"See whether this Python is a 32-bit one (the first line prints 32); then install Python {best} for 64 bit and make an environment"
            " with it"
        ),
        steps=steps,
        why="TensorFlow has 64-bit wheels only, and pip in a 32-bit Python does not see them",
        cost="a second Python; the old one stays",
        others=(
            Way(
                words="If it prints 64, the Python or the system is another one than TensorFlow has wheels for",
                steps=(f"{subject.shell_python} --version",),
            ),
        ),
    )


def old_pip(subject: Subject, view: View) -> Remedy:
    """Pip first, then what was asked for."""
    name, version = wanted(subject)
    package = name if FAMILY.fullmatch(name or "") else "tensorflow"
    pin = f"{package}=={version}" if version else package
    del view
    return Remedy(
        words="Bring pip up to date, then install again",
        steps=(
            install(subject, "pip", options="--upgrade") if subject.installer != "notebook" else "%pip install --upgrade pip",
            install(subject, pin),
        ),
        why="the wheels carry a tag that this pip does not know, so it does not see them",
        cost="changes pip only",
    )


def damaged(subject: Subject, view: View) -> Remedy:
    """What to do where a module of Python's own cannot be imported: that Python anew, or another one, which uv fetches whole."""
    module = own_module(subject.seen) or own_module(subject.text)
    version = subject.python or "3.11"
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    why = f"{module} belongs to Python itself, so no package can bring it"
    other = Way(
        words="Or make an environment with another Python, which uv fetches whole",
        steps=(
            f"uv venv --managed-python --python {version} tf-env",
            f"uv pip install --python tf-env {requirement(same_tensorflow(subject))}",
        ),
        cost=NEW_ENVIRONMENT,
    )
    others = (*mend(subject), other, *anew(subject, view, release))
    if module in {"_tkinter", "tkinter"} and not subject.windows:
        mac = subject.system == "macos"
        return Remedy(
            words="Install the part of the system's Python that draws windows, or have Matplotlib draw into files, which needs none",
            steps=(
                "brew install python-tk" if mac else "sudo apt-get install -y python3-tk",
                assigned("MPLBACKEND", "Agg", windows=False),
            ),
            why=why + "; Debian and Homebrew keep it in a package of the system, and TensorFlow does without it",
            others=others,
        )
    if subject.windows and (subject.installer == "conda" or re.search(r"CondaHTTPError|(?i:[\\/](?:ana|mini)conda)", subject.text)):
        words = "Activate the environment before you start its Python: without that Windows does not find the DLLs of Library\\bin"
        steps: tuple[str, ...] = (f'conda run -p "{subject.env}" python -c "import {module}"',) if subject.env else ("conda activate",)
        return Remedy(words=words, steps=steps, why=why, others=others)
    if subject.windows:
        named = "" if subject.python else f" (put your version in the place of {version})"
        words = f"Install this Python anew over itself, which brings back the DLLs that {module} needs{named}"
        return Remedy(words=words, steps=(winget(version, again=True),), why=why, others=others)
    library = OWN_MODULES.get(module, "")
    words = "Build this Python anew where the library is there that it needs (the name is Debian's), or take another one"
    pyenv = re.search(r"versions/(\d+\.\d+\.\d+)/", subject.text + subject.interpreter)
    steps = (f"sudo apt-get install -y {library}",) if library and subject.system in {"", "linux"} else ()
    if pyenv and steps:
        return Remedy(words=words, steps=(*steps, f"pyenv install --force {pyenv[1]}"), why=why, others=others)
    return Remedy(
        words=f"Take a Python that is whole: this one was built without {module}, or has lost it",
        steps=other.steps,
        why=why,
        cost=NEW_ENVIRONMENT,
        others=(*mend(subject), Way(words=words, steps=steps), *anew(subject, view, release)),
    )
