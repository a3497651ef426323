"""What to do where the request is at fault: a name that no longer serves, versions that do not agree."""

from __future__ import annotations

import re

from provisioner.base.versions import minor_of, numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.asked import FAMILY, RANGE, wanted
from provisioner.remedies.builds import IN_WSL
from provisioner.remedies.knowledge import USUAL, View, pythons, release_of
from provisioner.remedies.names import same_tensorflow
from provisioner.remedies.pythons import narrower_range
from provisioner.remedies.subject import Subject
from provisioner.remedies.systems import not_in_channels
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import NEW_ENVIRONMENT, anew, install, venv

# More packages than these in one command are a list for a fresh environment.
_TOGETHER = 8


def deprecated(subject: Subject, view: View) -> Remedy:
    """The name that took its place, with CUDA where that is what it was asked for."""
    if re.search(r"sklearn", subject.seen):
        return Remedy(
            words="Ask for scikit-learn in place of sklearn", steps=(install(subject, "scikit-learn"),), why="sklearn is only a notice"
        )
    name, version = wanted(subject)
    if subject.windows:
        # What pip offers is what this Python can have.
        other = re.search(r"from versions?: ?(?!none)(?![^)\n]{0,2000}\b2\.10\.)", subject.seen) or (
            subject.python and subject.python not in pythons(view, "2.10", subject.platform)
        )
        set_of_2_10 = ("tensorflow==2.10.*", "numpy<2")
        return Remedy(
            words="For the GPU on Windows itself take TensorFlow 2.10, the last that uses it there; its Pythons are 3.7 to 3.10",
            steps=venv(subject, "3.10", *set_of_2_10) if other else (install(subject, *set_of_2_10),),
            why="tensorflow-gpu has no release after 2.10 on Windows; 2.12.0 is only a notice, and later releases compute on the processor there",
            cost="also needs CUDA 11.2 and cuDNN 8.1",
            others=(
                Way(
                    words="Or use WSL2, where the newest TensorFlow uses the GPU",
                    steps=IN_WSL,
                ),
            ),
        )
    minor = minor_of(version) if version else ""
    extra = (
        "[and-cuda]" if (not minor or numbers(minor) >= (2, 14)) and subject.system in {"", "linux"} and not name.endswith("-macos") else ""
    )
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
    if re.search(r"does not exist \(perhaps a (?:typo|missing)", subject.text) and not re.search(r"conflicts? with", subject.text):
        return not_in_channels(subject)
    if re.search(r"nothing provides __cuda|__cuda .{0,40}(?:not|missing|is needed)|__cuda\b.{0,20}needed", subject.text):
        return _no_virtual_cuda(subject, view)
    limits = RANGE.search(subject.text)
    if limits and "project" in subject.text:
        return narrower_range(subject, "", limits["range"])
    asking = re.search(r"\n ?([\w.-]+) (\d[\w.]*) depends on (tensorflow[\w.,<>=!~ -]*)", subject.text)
    names = [
        item
        for item in dict.fromkeys(re.findall(r"(?:^|[ ,])([a-zA-Z][\w.-]*)==\d[\w.]*", subject.seen + subject.text[:4000]))
        if not FAMILY.fullmatch(item)
    ]
    names += [
        item
        for item in re.findall(r"^ ?([\w.-]+) \d[\w.]* (?:depends on|requires) ", subject.text, re.MULTILINE)
        if not FAMILY.fullmatch(item)
    ]
    names = [item for item in names if item.lower() not in {"numpy", "protobuf", "user", "requested"}]
    other = asking[1] if asking and not FAMILY.fullmatch(asking[1]) else names[0] if names else ""
    said = r"(?<![\w.-])([\w.-]{1,100}) \d\S{0,60} requires ([\w.-]{1,100}?)[\[<>=!~ ;(][^\n]{0,200}?, but you have"
    pairs = dict.fromkeys(re.findall(said, subject.text))
    if pairs:
        return _together(subject, view, tuple(pairs))
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
                Way(words="Or see what does not fit in the one that is there", steps=(subject.pip("check"),)),
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
        + ", and let the installer choose versions that agree",
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


def _together(subject: Subject, view: View, pairs: tuple[tuple[str, str], ...]) -> Remedy:
    """TensorFlow and all that disagrees, named together: what is named is resolved together, and of what is installed what fits stays."""
    named = [name.lower().replace("_", "-") for pair in pairs for name in pair]
    names = [name for name in dict.fromkeys(named) if not FAMILY.fullmatch(name)][:_TOGETHER]
    return Remedy(
        words="Name TensorFlow and the packages that disagree in one command: pip then looks for versions that agree",
        steps=(install(subject, same_tensorflow(subject), *names), subject.pip("check")),
        why="pip looks only at what a command names; what was installed before, it leaves and complains about",
        cost="some of these packages get another version",
        others=(
            Way(
                words="Or make a fresh environment, with all that you need in one command",
                steps=venv(subject, subject.python if numbers(subject.python or "0") >= (3, 8) else "", _asked(subject), *names),
                cost=NEW_ENVIRONMENT,
            ),
            *anew(subject, view),
        ),
    )


def _no_virtual_cuda(subject: Subject, view: View) -> Remedy:
    """Conda takes a build for GPUs only where it sees a driver; where it does not, a variable says which CUDA there is."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    build = release.build(USUAL) if release else None
    cuda = minor_of(build.cuda.version) if build and build.cuda else "11.8"
    return Remedy(
        words=f"Tell conda which CUDA the driver serves (`nvidia-smi` shows it; this build wants {cuda}), then install again",
        steps=("nvidia-smi", assigned("CONDA_OVERRIDE_CUDA", cuda, windows=subject.windows), "conda install -y -c conda-forge tensorflow"),
        why="__cuda is what conda calls the driver, and it does not see one here (often in WSL2, in a container, or on a login node)",
        others=(
            Way(words="Or, without a GPU, take the build for the processor", steps=("conda install -y -c conda-forge tensorflow-cpu",)),
            *anew(subject, view),
        ),
    )


def _asked(subject: Subject) -> str:
    return f"tensorflow=={subject.tensorflow}" if re.fullmatch(r"\d+\.\d+\.\d+", subject.tensorflow) else "tensorflow"
