"""What to do where a build has no code for a card: too old for it, or too new."""

from __future__ import annotations

import re
from dataclasses import replace

from provisioner.base.versions import minor_of, numbers
from provisioner.model.catalogue import Build, Release
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.builds import EXTRA, for_amd
from provisioner.remedies.knowledge import USUAL, View, stable
from provisioner.remedies.subject import Subject
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import anew, install

# The last container of NVIDIA with TensorFlow, seen 2025-02; it has CUDA 12.8, which knows Blackwell.
LAST_CONTAINER = "25.02-tf2-py3"


def too_old(subject: Subject, view: View) -> Remedy:
    """The release nearest to the present one that still has code for the card."""
    near = _nearest(subject, view, lambda build: _has_code(build, subject.capability)) if subject.capability else None
    if subject.amd:
        return for_amd(subject)
    cpu = Way(
        words="Or compute on the processor: it is what happens when the card is hidden",
        steps=(assigned("CUDA_VISIBLE_DEVICES", "-1", windows=subject.windows),),
    )
    if near is None:
        return Remedy(
            words="See which compute capability the card has, then take a release that has code for it",
            steps=("nvidia-smi --query-gpu=name,compute_cap --format=csv", "tfsetup profiles --device cuda"),
            why="each build has code for some capabilities only; cuDNN ends earlier still for old cards",
            others=(cpu,),
        )
    build = near.build(USUAL)
    return Remedy(
        words=f"Take TensorFlow {minor_of(near.version)}, which has code for compute capability {subject.capability}",
        steps=(install(subject, f"tensorflow=={minor_of(near.version)}.*"),),
        why=(
            f"TensorFlow {subject.tensorflow or 'of today'} has none; {minor_of(near.version)} does, with CUDA"
            f" {build.cuda.version if build and build.cuda else ''}"
        ),
        cost="the release changes, and the CUDA that it wants",
        others=(*anew(subject, view, near, device="cuda"), cpu),
    )


def too_new(subject: Subject, view: View) -> Remedy:
    """A release with code for the card; where there is none, what others do: the container of NVIDIA, PTX, no XLA."""
    named = re.search(r"\bsm_(\d+)(\d)a?\b", subject.seen)
    if named and not subject.capability:
        subject = replace(subject, capability=f"{named[1]}.{named[2]}")
    if subject.windows and subject.amd:
        return for_amd(subject)
    if subject.amd or re.search(r"hip|rocBLAS", subject.seen):
        return Remedy(
            words="Tell ROCm to take the code of the nearest card that it has code for (10.3.0 for RDNA 2, 11.0.0 for RDNA 3)",
            steps=("export HSA_OVERRIDE_GFX_VERSION=10.3.0",),
            why="the build has no code for exactly this card; that of its family often runs",
            others=(
                Way(
                    words="Or use AMD's newest image",
                    steps=("docker run -it --device=/dev/kfd --device=/dev/dri --group-add video rocm/tensorflow:latest",),
                ),
            ),
        )
    blackwell = bool(subject.capability) and numbers(subject.capability) >= (10, 0)
    if "jit-compiled" in subject.text and "INVALID_PTX" not in subject.text and not blackwell:
        return Remedy(
            words="Wait: it works once the code is compiled (up to half an hour, once). Let the driver keep the result",
            steps=("export CUDA_CACHE_MAXSIZE=4294967296",),
            why="the build has no machine code for the card, and the driver makes it from PTX at the first start",
            others=_for_card(subject, view),
        )
    if re.search(r"version of the container|run this container", subject.text):
        return Remedy(
            words="Take a newer image: Ampere cards (RTX 30, A100) need 20.10 or later, Ada and Hopper 22.09, Blackwell (RTX 50) 25.01",
            steps=("docker run --rm --gpus all tensorflow/tensorflow:latest-gpu nvidia-smi -L",),
            why="an image has the CUDA of its month, and a card that came later needs a newer one",
            cost="a download of some GB, and the TensorFlow of that image",
            others=_for_card(subject, view),
        )
    if re.search(r"\bserving\b", f"{subject.told} {subject.text[:4000]}"):
        return Remedy(
            words="Take a newer image of TensorFlow Serving: the compiler in this one does not know the card",
            steps=("docker pull tensorflow/serving:latest-gpu",),
            why=_why_new(subject, view),
            cost="a download of some GB, and a newer TensorFlow Serving",
            others=(
                Way(words="Or build the image with a newer CUDA: Dockerfile.devel-gpu of TensorFlow Serving names it in its first line"),
            ),
        )
    ways = _for_card(subject, view)
    if ways:
        first = ways[0]
        return Remedy(words=first.words, steps=first.steps, why=_why_new(subject, view), cost=first.cost, others=ways[1:])
    if not subject.capability and not subject.windows:
        return Remedy(
            words=(
                "See which compute capability the card has: for 12.0 (RTX 50) no wheel on PyPI has code yet, and NVIDIA's container of TensorFlow has"
                f" ({LAST_CONTAINER}, the last one, seen in February 2025); for an older card take the TensorFlow of today"
            ),
            steps=("nvidia-smi --query-gpu=name,compute_cap --format=csv", install(subject, "tensorflow[and-cuda]", options="--upgrade")),
            why="each build has code for the cards of its time",
            cost="the release changes",
            others=(Way(words="Or compute on the processor meanwhile", steps=(assigned("CUDA_VISIBLE_DEVICES", "-1", windows=False),)),),
        )
    blackwell = blackwell or not subject.capability
    off = assigned("TF_XLA_FLAGS", "--tf_xla_auto_jit=-1", windows=subject.windows)
    return Remedy(
        words=(
            f"No wheel on PyPI has code for this card yet. NVIDIA's container of TensorFlow does: {LAST_CONTAINER}, the last one (seen in February"
            " 2025)"
            if blackwell
            else "Use a newer TensorFlow release"
        ),
        steps=(off,),
        why=(
            "its CUDA 12.8 knows the card; until then, computing without XLA (jit_compile=False) avoids the compiler that does not"
            if blackwell
            else "each build has code for the cards of its time"
        ),
        cost="the line above turns XLA off for this shell, which costs speed",
        others=(
            Way(
                words="Or compute on the processor meanwhile",
                steps=(assigned("CUDA_VISIBLE_DEVICES", "-1", windows=subject.windows),),
            ),
        ),
    )


def _why_new(subject: Subject, view: View) -> str:
    family = view.architecture(subject.capability) if subject.capability else None
    return (
        f"{family.name} cards came after the CUDA that {'TensorFlow ' + subject.tensorflow if subject.tensorflow else 'this build'} was made with"
        if family
        else "the card is newer than the CUDA of this build"
    )


def _for_card(subject: Subject, view: View) -> tuple[Way, ...]:
    """The newest release with CUDA that has code for the card, with a Python of this environment."""
    if not subject.capability:
        return ()
    for release in stable(view):
        build = release.build(USUAL)
        bad = any(subject.capability in item.capabilities and "cuda" in (item.devices or ("cuda",)) for item in release.known_bad)
        if (
            build is None
            or build.cuda is None
            or bad
            or not _has_code(build, subject.capability)
            or release.version.startswith(f"{subject.minor}.")
        ):
            continue
        if subject.python and subject.python not in build.pythons:
            continue
        number = numbers(release.version)[:2]
        if subject.windows and number > (2, 10):
            continue
        extra = "[and-cuda]" if number >= EXTRA else ""
        return (
            Way(
                words=f"Take TensorFlow {minor_of(release.version)}, whose CUDA {build.cuda.version} knows the card",
                steps=(install(subject, f"tensorflow{extra}=={minor_of(release.version)}.*"),),
                cost="the release changes",
            ),
            *anew(subject, view, release, device="cuda"),
        )
    return ()


def _has_code(build: Build, capability: str) -> bool:
    """Machine code of the same major and not above, or PTX not above (a GPU runs both; NVIDIA, CUDA compatibility)."""
    if build.cuda is None:
        return False
    mine = numbers(capability)
    for item in build.cuda.capabilities:
        kind, _, digits = item.partition("_")
        theirs = (int(digits[:-1]), int(digits[-1]))
        if theirs <= mine and (kind == "compute" or theirs[0] == mine[0]):
            return True
    return False


def _nearest(subject: Subject, view: View, fits: object) -> Release | None:
    here = numbers(subject.tensorflow)[:2] if subject.tensorflow else (99,)
    found = [
        release
        for release in stable(view)
        if (build := release.build(USUAL)) and fits(build) and (not subject.python or subject.python in build.pythons)  # type: ignore[operator]  # a function
    ]
    older = [release for release in found if numbers(release.version)[:2] < here]
    return older[0] if older else None
