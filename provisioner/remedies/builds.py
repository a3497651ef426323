"""Which build serves a card at all: CUDA's, AMD's, Metal's, NVIDIA's for its boards, and none on Windows."""

from __future__ import annotations

import re

from provisioner.model.catalogue import Release
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import USUAL, View
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import install, uninstall

# From this release on the package has the extra that brings CUDA's libraries as wheels, and finds them (METADATA; measured).
EXTRA = (2, 14)


LIST = "import tensorflow as tf; print(tf.config.list_physical_devices('GPU'))"
# Ubuntu, which `wsl --install` brings, comes without the parts of venv and lets pip change no Python of its own (PEP 668).
IN_WSL = (
    "wsl --install",
    "wsl -u root apt-get update",
    "wsl -u root apt-get install -y python3-venv",
    "wsl --cd ~ python3 -m venv tf-env",
    'wsl --cd ~ tf-env/bin/python -m pip install "tensorflow[and-cuda]"',
)


def cuda_of(release: Release | None) -> str:
    """Return what a release was built with, in words; without one, what releases of today are."""
    build = release.build(USUAL) if release else None
    return f"CUDA {build.cuda.version} and cuDNN {build.cuda.cudnn}" if build and build.cuda else "CUDA 12 and cuDNN 9"


def for_amd(subject: Subject) -> Remedy:
    """What to do on an AMD card: the build of AMD, or the processor."""
    return Remedy(
        words="Use AMD's build: CUDA is of no use on an AMD card. It needs ROCm on the system, on Linux",
        steps=("docker run -it --device=/dev/kfd --device=/dev/dri --group-add video rocm/tensorflow:latest",),
        why="the ordinary TensorFlow computes on NVIDIA cards only; tensorflow-rocm is the same for AMD, and AMD's image has all that it needs",
        cost="a download of some GB",
        others=(
            Way(
                words="Or install it beside a ROCm that is there; AMD lists which goes with which",
                steps=(install(subject, "tensorflow-rocm"),),
            ),
            Way(
                words="Or compute on the processor",
                steps=(uninstall(subject, "tensorflow-gpu", "tensorflow-rocm"), install(subject, "tensorflow")),
            ),
        ),
    )


def rocm(subject: Subject, view: View) -> Remedy:
    """ROCm's libraries, of the release that the name asks for."""
    del view
    name = re.search(r"\blib[\w+-]{1,60}\.so(?:\.(\d{1,9}))?", subject.seen)
    number = name[1] if name and name[1] else ""
    exact = re.search(r"version .hip_(\d+\.\d+)", subject.seen)
    if exact:
        return Remedy(
            words=f"Install ROCm {exact[1]}, or the tensorflow-rocm that was made for the ROCm that is there (AMD lists which goes with which)",
            steps=("cat /opt/rocm/.info/version", f"{subject.shell_python} -m pip index versions tensorflow-rocm"),
            why=f"the wheel is linked with the HIP of ROCm {exact[1]}, and an older one is found",
            cost="some GB; needs an administrator",
        )
    package = "rccl" if name and "rccl" in name[0] else "rocm-libs"
    return Remedy(
        words=f"Install ROCm's libraries ({package}) from AMD's package sources"
        + (f"; the wheel asks for {name[0]}" if name else "")
        + (f", which is of ROCm {number}" if number and int(number) > 2 else ""),  # noqa: PLR2004 - up to ROCm 2 the number was another
        steps=(f"sudo apt install {package}", "sudo ldconfig"),
        why="the wheels of tensorflow-rocm bring none of them, and are linked with those of one ROCm release",
        cost="some GB; needs an administrator",
        others=(
            Way(
                words="Or use AMD's image, which has both in releases that go together",
                steps=("docker run -it --device=/dev/kfd --device=/dev/dri --group-add video rocm/tensorflow:latest",),
            ),
            Way(
                words="Without an AMD card, install the ordinary TensorFlow",
                steps=(uninstall(subject, "tensorflow-rocm"), install(subject, "tensorflow")),
            ),
        ),
    )


def for_board(subject: Subject) -> Remedy:
    """What to do on a Jetson: the wheel of NVIDIA for its JetPack, with the Python of that (JetPack 4: 3.6, 5: 3.8, 6: 3.10; NVIDIA)."""
    tag = re.search(r"\+nv[\w.]{1,20}-cp(\d)(\d{1,2})-", subject.seen)
    if tag:
        python = f"{tag[1]}.{tag[2]}"
        return Remedy(
            words=(
                f"Install this wheel with Python {python} and no other, on a Jetson whose JetPack has that one; for another JetPack take the wheel"
                " that NVIDIA makes for it"
            ),
            steps=("cat /etc/nv_tegra_release", f"python{python} -m pip --version"),
            why="each JetPack has one Python and one CUDA, and NVIDIA builds TensorFlow for both",
        )
    return Remedy(
        words=(
            'Install the wheel that NVIDIA makes for the JetPack of this board (page "TensorFlow for Jetson Platform"); first see which JetPack it is'
        ),
        steps=("cat /etc/nv_tegra_release", f"{subject.shell_python} --version"),
        why="the wheels on PyPI for aarch64 compute on the processor only, and each JetPack has one CUDA: a wheel for another CUDA does not load",
        cost="the release is the one that NVIDIA has for that JetPack",
    )


def windows(subject: Subject, view: View) -> Remedy:
    """WSL2, or the last release that used a GPU there."""
    wanted = "the GPU" if subject.gpu_present is not False else "a GPU"
    del view
    return Remedy(
        words=f"To use {wanted}, install TensorFlow in WSL2, with the extra that brings CUDA",
        steps=IN_WSL,
        why="TensorFlow after 2.10 has no CUDA on Windows itself; in WSL2 it is the build for Linux, with the driver of Windows",
        cost="a Linux beside Windows, some GB",
        others=(
            Way(words="Or stay on Windows with the processor: leave the extra out", steps=(install(subject, "tensorflow"),)),
            Way(
                words="Or take TensorFlow 2.10 on Windows itself, with the DLLs of CUDA as wheels in the environment (Python 3.7 to 3.10)",
                steps=("tfsetup apply --tensorflow 2.10 --device cuda --env tf210",),
                cost="a release of 2022",
            ),
            Way(
                words="Or the same in conda, by hand",
                steps=(
                    "conda create -y -n tf210 python=3.10 pip",
                    "conda install -y -n tf210 -c conda-forge cudatoolkit=11.2 cudnn=8.1",
                    'conda run -n tf210 python -m pip install "tensorflow==2.10.*" "numpy<2"',
                ),
                cost="a release of 2022",
            ),
        ),
    )
