"""What to do where an add-on does not fit TensorFlow: its range, both anew together, or without it."""

from __future__ import annotations

import re

from provisioner.base.versions import minor_of, numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import NO_ADDON, View, newest, release_of, specifier
from provisioner.remedies.names import ADDONS, DIRECTML, own_names, restarted, rivals_of, same_tensorflow
from provisioner.remedies.subject import Subject
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import either, install, mend, runs, uninstall

# Add-ons with compiled parts, which load into the TensorFlow that they were built with alone; the others are Python.
COMPILED = frozenset({"tensorflow-text", "tensorflow-io", "tensorflow-addons", "tensorflow-decision-forests", "dm-reverb", "horovod"})


def addons_ended(subject: Subject, view: View) -> Remedy:
    """What to do about tensorflow-addons, which ended: without it, or with the last TensorFlow that it works with."""
    last = newest(view, lambda _build: True, platform=subject.platform, python=subject.python, below="2.16")
    steps = (
        (install(subject, f"tensorflow=={minor_of(last.version)}.*", f"tensorflow-addons{last.addons.get('tensorflow-addons', '')}"),)
        if last
        else ()
    )
    return Remedy(
        words="Take tensorflow-addons out of the program: Keras 3 and TensorFlow have most of its parts (losses, layers, optimizers) themselves",
        steps=(uninstall(subject, "tensorflow-addons"),),
        why="tensorflow-addons ended in 2024 with 0.23 and works with Keras 2 and TensorFlow up to 2.15 only",
        cost="the lines that use it have to be changed",
        others=(
            Way(
                words="Or keep it, with the last TensorFlow that it works with"
                + ("" if last else ", on a Python that has one (3.9 to 3.11)"),
                steps=steps,
                cost="TensorFlow goes back to 2.15 or older",
            ),
        ),
    )


def addon(subject: Subject, view: View) -> Remedy:
    """The add-on that did not load, in the release that was made for this TensorFlow."""
    text = subject.seen + "\n" + subject.text
    if re.search(r"tfdml|directml", text, re.IGNORECASE):
        rivals = rivals_of(subject) or ("tensorflow", "tensorflow-cpu", "tensorflow-intel")
        return Remedy(
            words="Leave one TensorFlow: the DirectML plug-in works with tensorflow-cpu 2.10 alone, on Python 3.7 to 3.10",
            steps=(
                uninstall(subject, *rivals, "tensorflow-directml-plugin"),
                install(subject, *DIRECTML),
            ),
            why="its library was made for 2.10, and two releases lie over each other in one folder",
            cost="TensorFlow goes back to 2.10; the plug-in ended there",
            others=(
                Way(
                    words="Or do without it: then the newest TensorFlow computes on the processor",
                    steps=(uninstall(subject, "tensorflow-directml-plugin"),),
                ),
                *mend(subject),
            ),
        )
    if "has not been built" in subject.seen and "horovod" in text:
        build = install(subject, "horovod", options="--no-cache-dir --force-reinstall --no-deps")
        return Remedy(
            words="Build horovod anew, and tell it to be built for TensorFlow, which must be installed before",
            steps=(build if subject.notebook else f"HOROVOD_WITH_TENSORFLOW=1 {build}",),
            why="horovod has no wheels: pip builds it, and leaves out what it does not find then",
            cost="needs a compiler and CMake",
        )
    if re.search(r"libmetal_plugin|tensorflow-metal|METAL", text):
        return _metal(subject, view)
    user = re.search(r"(?m)File \"[^\"\n]*[\\/]\.local[\\/]lib[^\"\n]*[\\/]tensorflow[\\/]__init__\.py\"", text)
    if user and "undefined symbol" in text:
        return Remedy(
            words="Take the TensorFlow out that lies in ~/.local: it comes before that of the environment, and meets libraries of another release",
            steps=(uninstall(subject, *own_names(subject)), runs(subject, "import tensorflow; print(tensorflow.__file__)")),
            why="every Python of one number sees the user's packages, and those of conda see them first",
            cost="it is gone for the other environments that used it, too",
            others=(
                Way(
                    words="Or leave it there, and start without the user's packages",
                    steps=(assigned("PYTHONNOUSERSITE", "1", windows=subject.windows),),
                ),
            ),
        )
    if re.search(r"tensorflow[\\/](?:core|python|compiler)[\\/]\S{0,300}\.(?:so|pyd|dylib)[\w.]*: undefined symbol", subject.seen):
        return Remedy(
            words="Take TensorFlow out, delete what is left of its folder, and install it anew: the file in that line is of another release",
            steps=(uninstall(subject, *own_names(subject)), install(subject, same_tensorflow(subject), options="--no-cache-dir")),
            why="a file that an older or newer TensorFlow left in the folder is loaded with the others",
            cost="downloads TensorFlow again",
            others=either(subject, view),
        )
    asking = re.search(r"(?:site|dist)-packages[\\/](" + "|".join(ADDONS) + r")[\\/]", subject.seen) or re.search(
        r"(?:site|dist)-packages[\\/](" + "|".join(ADDONS) + r")[\\/]|\b(tensorflow_\w+|reverb)\b", text
    )
    name = next((ADDONS.get(item, "") for item in (asking.groups() if asking else ()) if item), "")
    said = re.search(r"tensorflow[-_](text|io|addons|probability|hub|decision[-_]forests)", text, re.IGNORECASE)
    name = name or (f"tensorflow-{said[1].lower().replace('_', '-')}" if said else "")
    if name:
        return addon_of(subject, view, name)
    return Remedy(
        words="Bring the package whose file the line names to the release that was made for this TensorFlow, or install both anew together",
        steps=(
            subject.pip("list"),
            install(subject, same_tensorflow(subject), options="--force-reinstall --no-cache-dir"),
        ),
        why="a compiled part asks for a C++ function that another TensorFlow has",
        cost="downloads TensorFlow again",
        others=either(subject, view),
    )


def addon_of(subject: Subject, view: View, name: str) -> Remedy:
    """One add-on by its name: the range of the release, or both brought up to date together."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    spec = specifier(view, release, name, platform=subject.platform, python=subject.python)
    if spec == NO_ADDON:
        if name == "tensorflow-addons":
            return addons_ended(subject, view)
        return Remedy(
            words=f"Do without {name}, or go back to a TensorFlow that it was made for: none of its releases is for {subject.tensorflow}",
            steps=(uninstall(subject, name),),
            why=f"the catalogue knows of no {name} for this release",
            others=mend(subject),
        )
    if spec:
        return Remedy(
            words=f"Install the {name} that was made for TensorFlow {minor_of(subject.tensorflow)}: {name}{spec}",
            steps=(install(subject, f"{name}{spec}"),),
            why="an add-on with compiled parts, or one that asks for a certain TensorFlow, goes with that one only",
            cost=restarted(subject, "changes the add-on, not TensorFlow"),
            others=mend(subject),
        )
    if subject.minor and release is None:
        return Remedy(
            words=f"Take the {name} of the time of TensorFlow {subject.minor}: its release notes name the TensorFlow that each was tested with",
            steps=(f"{subject.shell_python} -m pip index versions {name}", subject.pip("show", "tensorflow", name)),
            why=f"the {name} that is there asks for names of another TensorFlow; pip takes the newest that the Python allows, which is too new",
            others=(
                Way(
                    words="Or take a TensorFlow of today, with which the newest goes",
                    steps=(install(subject, "tensorflow", name, options="--upgrade"),),
                    cost="the release changes",
                ),
            ),
        )
    together = "dm-reverb[tensorflow]" if name == "dm-reverb" else name
    return Remedy(
        words=f"Bring {name} and TensorFlow to the same release: see which two are there, then install both together",
        steps=(
            subject.pip("show", "tensorflow", name),
            install(subject, together, same_tensorflow(subject), options="--upgrade"),
        ),
        why=f"{name} {'is compiled' if name in COMPILED else 'asks'} for one release of TensorFlow; in one command pip takes two that agree",
        cost="may change TensorFlow",
        others=mend(subject),
    )


# The last TensorFlow that tensorflow-metal was released for (its page on PyPI).
LAST_OF_METAL = (2, 18)


def _metal(subject: Subject, view: View) -> Remedy:
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    build = release.build("macos-aarch64") if release else None
    if build is not None and build.metal and subject.platform != "macos-x86_64":
        wanted = f"tensorflow-metal=={build.metal.version}"
        return Remedy(
            words=f"Install the plug-in that goes with TensorFlow {minor_of(subject.tensorflow)}: {wanted}",
            steps=(install(subject, wanted),),
            why="each release of tensorflow-metal was made for some releases of TensorFlow, and needs macOS 12 or newer",
            cost="changes the plug-in only",
            others=(
                Way(words="Or take it out: TensorFlow then computes on the processor", steps=(uninstall(subject, "tensorflow-metal"),)),
            ),
        )
    return Remedy(
        words=(
            "Take the plug-in out, so that TensorFlow computes on the processor: the last one, 1.2.0, goes with TensorFlow up to 2.18"
            if numbers(subject.minor) > LAST_OF_METAL
            else "Take the plug-in out, so that TensorFlow computes on the processor; it needs macOS 12 and a newer TensorFlow"
            if subject.minor
            else "See which two are there: tensorflow-metal goes with certain releases only, and needs macOS 12"
        ),
        steps=(uninstall(subject, "tensorflow-metal"),),
        why="the plug-in asks for a function that this TensorFlow does not have",
        others=(
            Way(
                words="Or, on macOS 12 and newer, take a TensorFlow that it is for",
                steps=(install(subject, "tensorflow==2.18.*", "tensorflow-metal==1.2.0"),),
                cost="TensorFlow changes its release",
            ),
        ),
    )
