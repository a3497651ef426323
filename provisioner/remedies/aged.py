"""What to do on a system that is older than a wheel: its C library, its macOS. Pure."""

from __future__ import annotations

import re

from provisioner.base.versions import minor_of, numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import View, newest, package_of
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import install


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
    if best is None and (not have or numbers(have) >= (2, 17)):
        pin = re.match(r"\d+\.\d+\.\d+", subject.tensorflow)
        return Remedy(
            words="Take the wheel from PyPI in place of the one that other people built, which was made on a newer system",
            steps=(install(subject, f"tensorflow=={pin[0]}" if pin else "tensorflow", options="--force-reinstall --no-cache-dir"),),
            why=why,
            others=(container,),
        )
    if best is None or (have and numbers(have) < (2, 17)):
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
