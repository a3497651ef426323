"""What to do where a system has no wheel: another name, a release that has one, a container, or to do without."""

from __future__ import annotations

import re

from provisioner.base.versions import minor_of, numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies import library
from provisioner.remedies.asked import FAMILY, wanted
from provisioner.remedies.knowledge import View, package_of, release_of, stable
from provisioner.remedies.names import DIRECTML, GCS, LAST_GCS_OF_WINDOWS, OF_WINDOWS
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import IN_A_CONTAINER, NEW_ENVIRONMENT, anew, install, runs, uninstall, venv


def platform(subject: Subject, view: View) -> Remedy:
    """Another name for this system, a release that has a wheel for it, or a system that has one."""
    if re.search(r"libdxcore|libd3d12|libdirectml", subject.seen):
        return _without_wsl(subject)
    if re.search(r"PackagesNotFound|ResolvePackageNotFound|from current channels", subject.seen):
        return not_in_channels(subject)
    if "and-cuda" in subject.seen and subject.platform == "linux-aarch64":
        return Remedy(
            words="Install TensorFlow without the extra, for the processor; for the GPU of an ARM machine take NVIDIA's container of TensorFlow",
            steps=(install(subject, "tensorflow"),),
            why="the wheels for ARM are built without CUDA, and the CUDA packages of the extra are pinned to versions that ARM has not all of",
        )
    name, version = wanted(subject)
    text = (version if FAMILY.fullmatch(name or "") else "") or subject.tensorflow
    if subject.musl or re.search(r"relocating|musl|alpine", subject.seen + subject.told, re.IGNORECASE):
        if re.search(r"\bnode\b|node_modules|\.js:\d", subject.text + subject.told):
            return Remedy(
                words="Use an image with glibc in place of Alpine (in the Dockerfile: FROM node:20-slim), and install the packages anew there",
                steps=('docker run --rm -it -v "$PWD:/work" -w /work node:20-slim npm install @tensorflow/tfjs-node',),
                why="the library that tfjs-node fetches is linked with glibc, and Alpine has musl",
                cost="the image grows by some 40 MB",
            )
        return Remedy(
            words="Use an image or a system with glibc in place of Alpine (in a Dockerfile: FROM python:3.12-slim)",
            steps=(IN_A_CONTAINER,),
            why="the wheels of TensorFlow are linked with glibc, and Alpine has musl; no wheel for musl was ever made",
            cost="the image grows by some 40 MB",
        )
    if re.search(r"no matching manifest for linux/arm64", subject.seen):
        return Remedy(
            words="Take an image of Python that has this machine's architecture, and install TensorFlow in it",
            steps=(IN_A_CONTAINER,),
            why="that image is made for x86-64 alone; TensorFlow has wheels for ARM with Linux, too",
            others=(
                Way(
                    words="Or let Docker emulate the other architecture, which is slow, and needs an emulator with AVX (qemu 7.2)",
                    steps=("docker run --rm -it --platform linux/amd64 tensorflow/tensorflow python --version",),
                ),
            ),
        )
    one = _of_one_system(subject, name, version)
    if one is not None:
        return one
    if name and not FAMILY.fullmatch(name) and subject.windows:
        return without_build(subject, view)
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
        return on_a_board(subject)
    return _elsewhere(subject, view, text)


def on_a_board(subject: Subject) -> Remedy:
    """A board whose system is a 32-bit one, whatever its processor and its kernel are."""
    return Remedy(
        words="Use a 64-bit system on this board (Raspberry Pi OS 64-bit); for models of TensorFlow Lite alone, install the small interpreter",
        steps=(install(subject, "tflite-runtime"),),
        why="there is no wheel of TensorFlow for 32-bit ARM on PyPI; the interpreter for Lite models has one",
        cost="the interpreter runs Lite models only",
    )


def _of_one_system(subject: Subject, name: str, version: str) -> Remedy | None:
    """Names that have wheels for one system alone, asked for on another; None for every other name."""
    pin = f"tensorflow=={version}" if version else "tensorflow"
    if name == "tensorflow-macos" and subject.system in {"linux", "windows"}:
        return Remedy(
            words="Ask for tensorflow in place of tensorflow-macos, in the list or the lock file, too: that was what it was called on a Mac alone",
            steps=(install(subject, pin),),
            why="a list that pip freeze wrote on a Mac names tensorflow-macos, which has no wheel for another system",
        )
    if name == "tensorflow-intel" and not subject.windows:
        return Remedy(
            words="Ask for tensorflow in place of tensorflow-intel, in the list or the lock file, too: that is what it is called on Windows alone",
            steps=(install(subject, pin),),
            why="a list that pip freeze wrote on Windows names tensorflow-intel, which has no wheel for another system",
        )
    if name in OF_WINDOWS and not subject.windows:
        return Remedy(
            words=f"Take {name} out of the list: it is for Windows alone. With a marker the list serves both: {name}; sys_platform == 'win32'",
            steps=(),
            why="a list that pip freeze wrote on Windows names what only Windows has",
        )
    if name == "tensorflow-metal":
        here = "import platform; print(platform.system(), platform.machine(), platform.python_version())"
        return Remedy(
            words=(
                "Leave tensorflow-metal out: its wheels are for Macs with Apple silicon alone (the line prints Darwin arm64 there), and for a new"
                " Python they come late, or not at all"
            ),
            steps=(runs(subject, here), install(subject, "tensorflow")),
            why="TensorFlow computes without it, on the processor",
            others=(
                Way(
                    words="Or, on such a Mac, with a Python that it has wheels for",
                    steps=venv(subject, "3.11", "tensorflow==2.18.*", "tensorflow-metal==1.2.0"),
                    cost=NEW_ENVIRONMENT,
                ),
            ),
        )
    return None


def _on_a_mac(subject: Subject, view: View, name: str, text: str) -> Remedy:
    same = (view.release(item) for item in view.versions() if minor_of(item) == minor_of(text))
    built = [item for item in same if item is not None and item.build(subject.platform)]
    fitting = [
        item
        for item in built
        if not subject.python or any(subject.python in build.pythons for build in item.builds if build.platform == subject.platform)
    ]
    if fitting:
        package = package_of(text, subject.platform)
        exact = any(item.version == text for item in fitting)
        return Remedy(
            words=f"Ask for {package}: on this kind of Mac TensorFlow {minor_of(text)} has no other name",
            steps=(install(subject, f"{package}=={text}" if exact else f"{package}=={minor_of(text)}.*"),),
            why=f"{name or 'the name that was asked for'} has no wheel for {subject.platform}, {package} has"
            if name != package
            else f"{package} has wheels for {subject.platform} and this Python",
            others=anew(subject, view, fitting[0]),
        )
    fits = [
        item for item in stable(view) if (there := item.build(subject.platform)) and (not subject.python or subject.python in there.pythons)
    ]
    older = [item for item in fits if numbers(item.version) <= numbers(text)]
    first = older[0] if older else fits[-1] if fits else None
    if first is None:
        return _elsewhere(subject, view, text)
    span = "newest up to that" if older else "oldest"
    package = package_of(first.version, subject.platform)
    return Remedy(
        words=f"Take TensorFlow {minor_of(first.version)} ({package}), the {span} with a wheel for this kind of Mac",
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


def _without_wsl(subject: Subject) -> Remedy:
    """DirectML on a Linux that is not WSL2's."""
    newer = Way(words="In WSL2, bring it and the driver of Windows up to date (typed in Windows)", steps=("wsl --update", "wsl --shutdown"))
    if subject.wsl:
        return Remedy(
            words="Bring WSL and the driver of Windows up to date (typed in Windows)",
            steps=newer.steps,
            why="libdxcore.so and libd3d12.so come from Windows' own driver, to /usr/lib/wsl/lib, and are not there",
        )
    return Remedy(
        words="Take the DirectML plug-in out: it computes through Windows, and this Linux is not one that runs inside it (WSL2)",
        steps=(uninstall(subject, "tensorflow-directml", "tensorflow-directml-plugin"), install(subject, "tensorflow")),
        why="libdxcore.so and libd3d12.so come from Windows' own driver, to /usr/lib/wsl/lib, in WSL2 alone",
        others=(newer,),
    )


def not_in_channels(subject: Subject) -> Remedy:
    """The channels that were asked have no such version for this system: what conda-forge has, or the wheel."""
    listed = re.findall(r"^[-│└├─ ]{1,16}(?:\S+::)?([a-z][\w-]*)(?:[ =]+v?(\d[\d.]*))?", subject.text, re.MULTILINE)
    name, version = next((item for item in listed if item[0].startswith("tensorflow")), listed[0] if listed else ("tensorflow", ""))
    search = f"conda search --override-channels -c conda-forge {name}"
    if not name.startswith("tensorflow"):
        return Remedy(
            words=f"See which versions of {name} conda-forge has for this system, and ask for one of them; where it lists none, there is none for it",
            steps=(search, f"conda install -y -c conda-forge {name}"),
            why="each channel has other packages and versions, and for some systems none: CUDA's there are for no Mac",
        )
    pin = f"tensorflow=={version}.*" if version.count(".") == 1 else f"tensorflow=={version}" if version else "tensorflow"
    return Remedy(
        words=f"See which versions of {name} conda-forge has for this system; what no channel has, install with pip in the environment",
        steps=(search, install(subject, pin)),
        why="conda's channels have fewer releases than PyPI, and on Windows none with a GPU after 2.6",
        cost="what pip brings, conda does not know of",
    )


def without_build(subject: Subject, view: View) -> Remedy:
    """Another package than TensorFlow has no wheel here: which systems and Pythons it has, or how to do without it."""
    del view
    unix = library.of_unix(subject)
    if unix is not None:
        return unix
    name, version = wanted(subject)
    one = _of_one_system(subject, name, version)
    if one is not None:
        return one
    if name == "tensorflow-directml-plugin":
        return Remedy(
            words="Make an environment with Python 3.10 for it: it ended with TensorFlow 2.10, and its Pythons are 3.7 to 3.10",
            steps=venv(subject, "3.10", *DIRECTML),
            why="its wheels are for Windows and for Linux in WSL2, on x86-64",
            cost=NEW_ENVIRONMENT,
        )
    if re.search(r"decision[-_]forests|inference\.so", subject.seen):
        name, version = "tensorflow-decision-forests", ""
    if name in {"", "tensorflow"}:
        name = "the package"
    if name == GCS and subject.windows:
        return Remedy(
            words=f"Ask for {LAST_GCS_OF_WINDOWS}, the last one with a wheel for Windows (Python 3.7 to 3.11)",
            steps=(install(subject, f"{GCS}=={LAST_GCS_OF_WINDOWS}"),),
            why="it opens files of Google's storage, gs://, and TensorFlow computes without it",
            others=(Way(words="Or leave it out of what is installed, where a list names it", steps=(uninstall(subject, GCS),)),),
        )
    listed: tuple[str, ...] = () if name == "the package" else (f"{subject.shell_python} -m pip index versions {name}",)
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
    if not wsl and re.search(r"from versions?:? ?none", subject.seen):
        # pip has just said that there is none for this Python, and would list none.
        words, listed = "M" + ways[0].words.removeprefix("Or m"), ways[0].steps
        ways = ways[1:]
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
