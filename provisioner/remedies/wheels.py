"""What to do where nothing can be installed: the Python, the system, the C library, the installer, the request."""

from __future__ import annotations

import re

from provisioner.base.versions import minor_of, numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import USUAL, View, newest, package_of, pythons, release_of, stable
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import NEW_ENVIRONMENT, anew, install, runs, uninstall, venv

_FAMILY = re.compile(r"(tensorflow|tf[-_]nightly)([-_](cpu|gpu|intel|macos))?", re.IGNORECASE)
_REQUEST = re.compile(
    r"(?:requirement|distribution found for|candidates for|distribution|[Dd]istribution"
    r" `?|install|tensorflow==)\s*`?(?P<name>[A-Za-z][\w.-]*)(?:\[[\w,-]*\])?(?:\s?(?:==|~=|>=)\s?v?(?P<version>\d[\w.]*)| \((?P<paren>\d[\w.]*)\))?"
)
_RANGE = re.compile(r"requires Python ?['\"]?(?P<range>[<>=!~]=? ?\d[\d.*]*(?:, ?[<>=!~]=? ?\d[\d.*]*)*)")


def wanted(subject: Subject) -> tuple[str, str]:
    """The distribution and the version that the lines ask for, ("", "") where they name none."""
    named = [(item["name"].lower().replace("_", "-"), item["version"] or item["paren"] or "") for item in _REQUEST.finditer(subject.seen)]
    named += [(item["name"].lower().replace("_", "-"), item["version"] or item["paren"] or "") for item in _REQUEST.finditer(subject.text)]
    wheel = re.search(r"([A-Za-z][\w.]*)-(\d[\w.]*)-(?:cp|py)\d", subject.seen)
    if wheel:
        named.insert(0, (wheel[1].lower().replace("_", "-"), wheel[2]))
    return next((item for item in named if item[1]), next((item for item in named if item[0] not in {"a", "the", "pip"}), ("", "")))


def python(subject: Subject, view: View) -> Remedy:
    """A Python that the release has wheels for, or a release that has wheels for this Python; of both the one that keeps what was asked for."""
    name, version = wanted(subject)
    limits = _RANGE.search(subject.seen) or _RANGE.search(subject.text)
    if limits and (subject.installer in {"poetry", "uv"} or "current project" in subject.text):
        return _narrower(subject, name, limits["range"])
    if name and not _FAMILY.fullmatch(name) and not subject.wanted and name not in {"", "python"} and _sibling(name):
        return _sibling_wheel(subject, view, name, limits["range"] if limits else "")
    release_text = version if _FAMILY.fullmatch(name or "tensorflow") else subject.tensorflow
    release = release_of(view, release_text) if release_text else None
    have = pythons(view, release_text, subject.platform) if release else ()
    here = newest(view, lambda _build: True, platform=subject.platform, python=subject.python) if subject.python else None
    if release is not None and have:
        return _for_release(subject, view, release_text, have, here.version if here else "")
    if release_text and release is None:
        return _before_the_catalogue(subject, release_text, here.version if here else "")
    return _any_release(subject, view, here.version if here else "")


def _narrower(subject: Subject, name: str, limits: str) -> Remedy:
    upper = re.search(r"<=? ?(\d+\.\d+)", limits)
    project = re.search(r"\(?(>=\s?\d+\.\d+)[^)\n]{0,20}\)?", subject.text)
    lower = project[1].replace(" ", "") if project else ">=" + (subject.python or "3.9")
    spec = f"{lower},<{upper[1]}" if upper else limits
    key = "requires-python" if subject.installer != "poetry" else "python (or requires-python)"
    lock = {"poetry": "poetry lock", "uv": "uv lock", "pipenv": "pipenv lock"}.get(subject.installer, "poetry lock")
    return Remedy(
        words=f'In pyproject.toml, narrow {key} to "{spec}", which {name or "the package"} allows, then lock again',
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
    span = f"{have[0]} to {best}" if len(have) > 1 else best
    package = package_of(text, subject.platform)
    pin = f"{package}=={text}" if re.fullmatch(r"\d+\.\d+\.\d+\w*", text) else f"{package}=={minor_of(text)}.*"
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
    latest = next(stable(view))
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
    steps: tuple[str, ...]
    if subject.system in {"", "windows"}:
        steps = (
            bits,
            f"winget install --exact --id Python.Python.{best}",
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


def platform(subject: Subject, view: View) -> Remedy:
    """Another name for this system, a release that has a wheel for it, or a system that has one."""
    name, version = wanted(subject)
    text = version if _FAMILY.fullmatch(name or "") else subject.tensorflow
    if subject.musl or re.search(r"relocating|musl|alpine", subject.seen + subject.told, re.IGNORECASE):
        if re.search(r"\bnode\b|node_modules|\.js:\d", subject.text + subject.told):
            return Remedy(
                words="Use an image with glibc in place of Alpine (in the Dockerfile: FROM node:20-slim), and install the packages anew there",
                steps=("docker run --rm -it node:20-slim npm install @tensorflow/tfjs-node",),
                why="the library that tfjs-node fetches is linked with glibc, and Alpine has musl",
                cost="the image grows by some 40 MB",
            )
        return Remedy(
            words="Use an image or a system with glibc in place of Alpine (in a Dockerfile: FROM python:3.12-slim)",
            steps=("docker run --rm -it python:3.12-slim python -m pip install tensorflow",),
            why="the wheels of TensorFlow are linked with glibc, and Alpine has musl; no wheel for musl was ever made",
            cost="the image grows by some 40 MB",
        )
    if subject.platform and text and release_of(view, text) is not None and re.search(r"macos|darwin|_macos", subject.platform):
        return _on_a_mac(subject, view, name, text)
    if re.search(r"invalid ELF header|mach-o|win_amd64|linux_x86_64|macosx", subject.seen) and "ELF" in subject.seen:
        return Remedy(
            words="Install TensorFlow on this machine itself: the files that are there were made for another system",
            steps=(uninstall(subject, "tensorflow"), install(subject, "tensorflow", options="--no-cache-dir")),
            why="a package that was copied, or an archive built on another system, holds that system's libraries",
            others=(
                Way(
                    words="For a service like AWS Lambda, let pip fetch the wheels of Linux",
                    steps=(
                        f"{subject.shell_python} -m pip install --platform manylinux2014_x86_64 --only-binary=:all: --target package tensorflow",
                    ),
                ),
            ),
        )
    if re.search(r"armv[67]|raspb", subject.told + subject.platform):
        return Remedy(
            words="Use a 64-bit system on this board (Raspberry Pi OS 64-bit); for models of TensorFlow Lite alone, install the small interpreter",
            steps=(install(subject, "tflite-runtime"),),
            why="there is no wheel of TensorFlow for 32-bit ARM on PyPI; the interpreter for Lite models has one",
            cost="the interpreter runs Lite models only",
        )
    return _elsewhere(subject, view, text)


def _on_a_mac(subject: Subject, view: View, name: str, text: str) -> Remedy:
    release = release_of(view, text)
    build = release.build(subject.platform) if release else None
    if build is not None:
        package = package_of(text, subject.platform)
        return Remedy(
            words=f"Ask for {package}: on this kind of Mac TensorFlow {text} has no other name",
            steps=(install(subject, f"{package}=={text}" if re.fullmatch(r"\d+\.\d+\.\d+", text) else f"{package}=={minor_of(text)}.*"),),
            why=f"{name or 'the name that was asked for'} has no wheel for {subject.platform}, {package} has",
            others=anew(subject, view, release),
        )
    fits = [
        item for item in stable(view) if (there := item.build(subject.platform)) and (not subject.python or subject.python in there.pythons)
    ]
    first = fits[-1] if fits else None
    if first is None:
        return _elsewhere(subject, view, text)
    package = package_of(first.version, subject.platform)
    return Remedy(
        words=f"Take TensorFlow {minor_of(first.version)} ({package}), the oldest with a wheel for this Mac and this Python, or a newer one",
        steps=(install(subject, f"{package}=={minor_of(first.version)}.*"),),
        why=f"TensorFlow {text} has no wheel for {subject.platform}",
        cost="a package that asks for the older one needs a newer release of itself",
        others=(
            Way(
                words="Or run the old one on another machine or in a container for Intel, which is slow",
                steps=(f"docker run --rm -it --platform linux/amd64 tensorflow/tensorflow:{text} python --version",),
            ),
            *anew(subject, view, first),
        ),
    )


def _elsewhere(subject: Subject, view: View, text: str) -> Remedy:
    latest = next(stable(view))
    have = ", ".join(build.platform for build in latest.builds)
    where = subject.platform or "this system"
    exact = re.fullmatch(r"\d+\.\d+\.\d+", text) is not None
    container = f"tensorflow/tensorflow:{text if exact else latest.version}"
    windows = Way(words="Or, on Windows, use WSL2 and install it there as on Linux", steps=("wsl --install",)) if subject.windows else None
    return Remedy(
        words=f"Use a system that TensorFlow has wheels for, or its container: for {where} there is none" + (f" of {text}" if text else ""),
        steps=(f'docker run --rm -it {container} python -c "import tensorflow as tf; print(tf.__version__)"',),
        why=f"TensorFlow {minor_of(latest.version)} has wheels for {have}",
        cost="the container is a download of about 0.6 GB",
        others=tuple(item for item in (windows,) if item) + anew(subject, view),
    )


def without_build(subject: Subject, view: View) -> Remedy:
    """Another package than TensorFlow has no wheel here: which systems and Pythons it has, or how to do without it."""
    del view
    name, version = wanted(subject)
    if re.search(r"decision[-_]forests|inference\.so", subject.seen):
        name, version = "tensorflow-decision-forests", ""
    if name in {"", "tensorflow"}:
        name = "the package"
    listed = () if name == "the package" else (f"{subject.shell_python} -m pip index versions {name}",)
    wsl = subject.windows
    words = (
        f"Use WSL2: {name} has no build for Windows"
        if wsl
        else f"See which versions of {name} this Python and system can have, and ask for one of them"
    )
    ways = [
        Way(
            words=f"Or make an environment with an older Python, for which {name} more often has wheels",
            steps=venv(subject, "3.10", "tensorflow", *(() if name == "the package" else (name,))),
            cost=NEW_ENVIRONMENT,
        ),
        Way(
            words="Or do without it, where only another package asks for it",
            steps=() if name == "the package" else (uninstall(subject, name),),
        ),
    ]
    if version and name.startswith("tensorflow"):
        ways.insert(
            0,
            Way(
                words=f"{version} is the number of {name}, not of TensorFlow; a newer TensorFlow may do without it",
                steps=(install(subject, "tensorflow", options="--upgrade"),),
            ),
        )
    return Remedy(
        words=words,
        steps=("wsl --install",) if wsl else listed,
        why=f"{name} is compiled for some systems and Pythons only; TensorFlow itself is not what is missing",
        cost="a Linux beside Windows, some GB" if wsl else "",
        others=tuple(ways),
    )


def old_pip(subject: Subject, view: View) -> Remedy:
    """Pip first, then what was asked for."""
    name, version = wanted(subject)
    package = name if _FAMILY.fullmatch(name or "") else "tensorflow"
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


def glibc(subject: Subject, view: View) -> Remedy:
    """A release whose wheels are for this C library, or a container; of a program that is not TensorFlow, that it goes on."""
    if "tensorboard_data_server" in subject.seen:
        return Remedy(
            words="Nothing has to be done: TensorBoard goes on without its data server; say so, and the line does not come",
            steps=("tensorboard --logdir logs --load_fast=false",),
            why="only that helper program was linked for a newer glibc",
        )
    have = subject.glibc
    best = (
        newest(
            view, lambda build: not build.glibc or numbers(build.glibc) <= numbers(have), platform=subject.platform, python=subject.python
        )
        if have
        else newest(view, lambda build: build.glibc == "2.17", platform=subject.platform, python=subject.python)
    )
    needed = re.search(r"GLIBC_(\d+\.\d+)", subject.seen)
    container = Way(
        words="Or run it in a container, which brings its own C library",
        steps=('docker run --rm -it tensorflow/tensorflow python -c "import tensorflow as tf; print(tf.__version__)"',),
        cost="a download of about 0.6 GB",
    )
    why = (
        f"the file asks for glibc {needed[1]}" + (f", this system has {have}" if have else "")
        if needed
        else "the system's C library is older than the file"
    )
    if best is None and (not have or numbers(have) >= (2, 12)):
        pin = re.match(r"\d+\.\d+\.\d+", subject.tensorflow)
        return Remedy(
            words="Take the wheel from PyPI in place of the one that other people built, which was made on a newer system",
            steps=(install(subject, f"tensorflow=={pin[0]}" if pin else "tensorflow", options="--force-reinstall --no-cache-dir"),),
            why=why,
            others=(container,),
        )
    if best is None or (have and numbers(have) < (2, 12)):
        return Remedy(
            words="Use a newer system or a container: no wheel of TensorFlow is for a C library this old",
            steps=container.steps,
            why=why,
            cost=container.cost,
        )
    old = numbers(best.version) < numbers(subject.tensorflow) if subject.tensorflow else False
    return Remedy(
        words=f"Install the wheel from PyPI of TensorFlow {minor_of(best.version)}, the newest for this C library"
        + (" and this Python" if subject.python else ""),
        steps=(install(subject, f"tensorflow=={minor_of(best.version)}.*", options="--force-reinstall"),),
        why=f"{why}; the wheels on PyPI up to 2.20 are built for glibc 2.17 or older, those of other people often for a newer one",
        cost="TensorFlow changes its release" if old else "downloads TensorFlow again",
        others=(container,),
    )


def macos(subject: Subject, view: View) -> Remedy:
    """A release whose wheels are for this macOS, else an update."""
    best = (
        newest(
            view,
            lambda build: bool(build.macos) and numbers(build.macos) <= numbers(subject.macos),
            platform=subject.platform or "macos-x86_64",
            python=subject.python,
        )
        if subject.macos
        else None
    )
    update = Way(words="Or update macOS, where the Mac can have a newer one", steps=("softwareupdate --list",), cost="an hour or more")
    floor = re.search(r"macosx_(\d+)_(\d+)|Mac OS X (\d+\.\d+)|macOS (\d+\.\d+)", subject.seen)
    asked = next((".".join(item for item in found if item) for found in [floor.groups()] if any(found)), "") if floor else ""
    why = (
        f"the file was built for macOS {asked}" + (f", this is {subject.macos}" if subject.macos else "")
        if asked
        else "the file was built for a newer macOS"
    )
    if best is None or minor_of(best.version) == subject.minor:
        old = f": no wheel of the catalogue is for macOS {subject.macos}" if subject.macos and best is None else ""
        return Remedy(
            words=f"Update macOS, or build from source on this one{old}",
            steps=update.steps,
            why=why,
            cost=update.cost,
            others=(
                Way(
                    words="Or use a machine or a container with Linux",
                    steps=("docker run --rm -it tensorflow/tensorflow python --version",),
                ),
            ),
        )
    package = package_of(best.version, subject.platform or "macos-x86_64")
    return Remedy(
        words=f"Take TensorFlow {minor_of(best.version)}, the newest for macOS {subject.macos}"
        + (f" and Python {subject.python}" if subject.python else ""),
        steps=(install(subject, f"{package}=={minor_of(best.version)}.*"),),
        why=why,
        others=(update,),
    )


def deprecated(subject: Subject, view: View) -> Remedy:
    """The name that took its place, with CUDA where that is what it was asked for."""
    if re.search(r"sklearn", subject.seen):
        return Remedy(
            words="Ask for scikit-learn in place of sklearn", steps=(install(subject, "scikit-learn"),), why="sklearn is only a notice"
        )
    version = wanted(subject)[1]
    if subject.windows:
        return Remedy(
            words="For the GPU on Windows itself take TensorFlow 2.10, the last that uses it there; its Pythons are 3.7 to 3.10",
            steps=(install(subject, "tensorflow==2.10.*", "numpy<2"),),
            why="tensorflow-gpu has no release after 2.10 on Windows; 2.12.0 is only a notice, and later releases compute on the processor there",
            cost="also needs CUDA 11.2 and cuDNN 8.1",
            others=(
                Way(
                    words="Or use WSL2, where the newest TensorFlow uses the GPU",
                    steps=("wsl --install", 'wsl python3 -m pip install "tensorflow[and-cuda]"'),
                ),
            ),
        )
    minor = minor_of(version) if version else ""
    extra = "[and-cuda]" if (not minor or numbers(minor) >= (2, 14)) and subject.system in {"", "linux"} else ""
    release = release_of(view, minor) if minor else None
    pin = f"=={minor}.*" if release is not None and numbers(minor) >= (2, 1) else ""
    return Remedy(
        words="Ask for tensorflow in place of the old name" + ("; with [and-cuda] it brings the CUDA libraries" if extra else ""),
        steps=(install(subject, f"tensorflow{extra}{pin}"),),
        why="one package serves processor and GPU since 2.1; tensorflow-gpu and its like are only notices that stop the install",
        others=anew(subject, view, release),
    )


def resolver(subject: Subject, view: View) -> Remedy:
    """An environment of its own for what cannot go together; versions that agree where the line names them."""
    if re.search(r"tensorrt[-_]libs|tensorrt==|tensorrt-bindings", subject.text):
        return Remedy(
            words="Ask for the next patch release, which does not want TensorRT",
            steps=(install(subject, "tensorflow[and-cuda]==2.15.1"),),
            why="the extra of 2.15.0 names a TensorRT that PyPI does not have",
            others=anew(subject, view, release_of(view, "2.15"), device="cuda"),
        )
    limits = _RANGE.search(subject.text)
    if limits and "project" in subject.text:
        return _narrower(subject, "", limits["range"])
    asking = re.search(r"\n ?([\w.-]+) (\d[\w.]*) depends on (tensorflow[\w.,<>=!~ -]*)", subject.text)
    names = [
        item
        for item in dict.fromkeys(re.findall(r"(?:^|[ ,])([a-zA-Z][\w.-]*)==\d[\w.]*", subject.seen + subject.text[:4000]))
        if not _FAMILY.fullmatch(item)
    ]
    other = asking[1] if asking and not _FAMILY.fullmatch(asking[1]) else names[0] if names else ""
    if "has requirement" in subject.text or "which is incompatible" in subject.text:
        return Remedy(
            words=(
                "Make a fresh environment, and name all that you need in one command (after tensorflow), so that the installer finds versions that"
                " agree"
            ),
            steps=venv(subject, subject.python if numbers(subject.python or "0") >= (3, 8) else "", _asked(subject)),
            why="pip before 20.3 does not look whether a package breaks another, and a later pip leaves what is there",
            cost=NEW_ENVIRONMENT,
            others=(
                Way(words="Or see what does not fit in the one that is there", steps=(f"{subject.shell_python} -m pip check",)),
                *anew(subject, view),
            ),
        )
    extra = "[and-cuda]" in subject.text
    return Remedy(
        words=(
            f"Ask for tensorflow without [and-cuda] beside {other or 'the other package'}"
            if extra
            else f"Loosen or drop the pin of {other or 'the package that the lines name'}"
        )
        + ", and let pip choose versions that agree",
        steps=(install(subject, "tensorflow", *((other,) if other else ())),),
        why=(
            "the lines name what asks for what; with exact numbers on both sides no set agrees"
            if not extra
            else "the extra pins every CUDA package exactly, which the other package does not agree with"
        ),
        cost="the versions that were named are given up",
        others=(
            Way(
                words="Or give each of them an environment of its own",
                steps=venv(subject, subject.python if numbers(subject.python or "0") >= (3, 8) else "", "tensorflow"),
                cost=NEW_ENVIRONMENT,
            ),
            *anew(subject, view),
        ),
    )


def _asked(subject: Subject) -> str:
    return f"tensorflow=={subject.tensorflow}" if re.fullmatch(r"\d+\.\d+\.\d+", subject.tensorflow) else "tensorflow"
