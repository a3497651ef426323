"""What to do where CUDA's libraries, cuDNN or the compiler's files are missing, or of another release."""

from __future__ import annotations

import re

from provisioner.base.versions import minor_of, numbers
from provisioner.model.catalogue import Release
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.builds import EXTRA, IN_WSL, LIST, cuda_of, for_amd, for_board, windows
from provisioner.remedies.knowledge import USUAL, View, cuda_pin, newest, release_of
from provisioner.remedies.subject import Subject
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import install, into, runs, uninstall, venv
from provisioner.remedies.xla import older_ptxas


def libraries(subject: Subject, view: View) -> Remedy:
    """CUDA's libraries: from wheels where the release has them, from conda or the system's CUDA where it has not; none for an AMD card."""
    if subject.amd:
        return for_amd(subject)
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    number = numbers(release.version)[:2] if release else ()
    if re.search(r"jetson|tegra", subject.told):
        return for_board(subject)
    if subject.windows:
        return _on_windows(subject, view, release)
    none = Way(words="Without an NVIDIA GPU nothing has to be done: TensorFlow computes on the processor")
    if not number and _asked_cuda(subject) and _asked_cuda(subject)[0] < 12:  # noqa: PLR2004 - the CUDA of the releases with wheels for it
        return _older(subject, view, none)
    if number and number < EXTRA:
        return _older(subject, view, none, release)
    pin = (
        f"tensorflow[and-cuda]=={subject.tensorflow}"
        if re.fullmatch(r"\d+\.\d+\.\d+", subject.tensorflow)
        else f"tensorflow[and-cuda]{f'=={subject.minor}.*' if number else ''}"
    )
    built = cuda_of(release)
    return Remedy(
        words="Install the CUDA libraries of this release beside it: the extra [and-cuda] brings them, and no CUDA of the system is needed",
        steps=(install(subject, pin), runs(subject, LIST)),
        why=f"TensorFlow {minor_of(release.version) if release else 'of today'} wants {built}, and finds them in its own environment",
        cost="a download of some 2 GB; only the driver stays the system's",
        others=(
            Way(
                words="If the list stays empty, take other copies out of the loader's way and look again",
                steps=(f"env -u LD_LIBRARY_PATH {runs(subject, LIST)}",),
            ),
            none,
            *into(subject, view, release, device="cuda"),
        ),
    )


def _asked_cuda(subject: Subject) -> tuple[int, ...]:
    """The CUDA that the names of the missing libraries belong to, as far as they tell: ``libcublas.so.10.0``, ``cudart64_110.dll``."""
    found = re.search(
        r"lib(?:cudart|cublas|cufft|curand|cusparse|cusolver)\w{0,40}\.so\.(\d{1,9})\.(\d{1,9})|(?:cudart|cublas)64_(\d+)\.dll",
        subject.seen,
    )
    if not found:
        major = re.search(r"lib(?:cublas|cublasLt|cudart|cufft|curand|cusparse|cusolver)\w{0,40}\.so\.(\d{1,9})", subject.seen)
        return (int(major[1]),) if major else ()
    if found[3]:
        digits = found[3]
        # cudart64_110.dll is of 11.0, cudart64_80.dll of 8.0, cudart64_12.dll of 12.
        whole = len(digits) == len("12") and digits < "50"
        return (int(digits), 0) if whole else (int(digits[:-1]), int(digits[-1]))
    return (int(found[1]), int(found[2]))


def _older(subject: Subject, view: View, none: Way, release: Release | None = None) -> Remedy:
    """Releases without wheels for CUDA: the toolkit of that time, from conda or where the system has it."""
    build = release.build(USUAL) if release else None
    cuda = tuple(numbers(build.cuda.version)[:2]) if build and build.cuda else _asked_cuda(subject)
    known = _by_conda(view)
    cuda = (11, 2) if cuda[:1] == (11,) and cuda not in known else (*cuda, 0)[:2]
    named = ".".join(map(str, cuda))
    steps = (f"conda install -y -c {_channel(cuda)} {known[cuda]}", 'export LD_LIBRARY_PATH="$CONDA_PREFIX/lib"') if cuda in known else ()
    there = any(numbers(item)[: len(cuda)] == cuda for item in subject.cudas)
    path = (f"ls /usr/local/cuda-{named}/lib64", f"export LD_LIBRARY_PATH=/usr/local/cuda-{named}/lib64:$LD_LIBRARY_PATH")
    found = Way(words=f"Where CUDA {named} is installed already, let the loader find it (and cuDNN beside it)", steps=path)
    conda = Way(
        words=f"Or bring CUDA {named} and its cuDNN into the active conda environment", steps=steps, cost="a download of about 1 GB"
    )
    mine = into(subject, view, release, device="cuda")
    newer = _newer(subject, view)
    first = (
        found
        if there or not steps
        else Way(
            words=(
                f"Bring CUDA {named} and its cuDNN into the active conda environment; where CUDA {named} is installed already, let the loader find it"
            ),
            steps=(*steps, *path),
            cost="a download of about 1 GB",
        )
    )
    rest = (conda,) if first is found and steps else ()
    return Remedy(
        words=first.words,
        steps=first.steps,
        why=f"this TensorFlow was built with CUDA {named} and opens its libraries under that number; another CUDA does not serve",
        cost=first.cost,
        others=(*mine, *rest, newer, none),
    )


def _by_conda(view: View) -> dict[tuple[int, ...], str]:
    """What conda calls the libraries of a toolkit, and of the cuDNN of its time, by the toolkit's number."""
    return {numbers(item.version)[:2]: item.conda for item in view.toolkits() if item.conda}


def _channel(cuda: tuple[int, ...]) -> str:
    """The channel that has a toolkit: conda-forge from 10.1 on, conda's own before."""
    return "conda-forge" if cuda >= (10, 1) else "defaults"


def _newer(subject: Subject, view: View) -> Way:
    """A release that brings CUDA itself: into this environment where its Python has wheels, else into a new one."""
    words = "Or take a release that brings CUDA and cuDNN itself"
    latest = newest(view, lambda build: build.cuda is not None, platform=USUAL, python=subject.python)
    if latest is not None and numbers(latest.version)[:2] >= EXTRA:
        return Way(words=words, steps=(install(subject, "tensorflow[and-cuda]"),), cost="the release changes")
    return Way(
        words=f"{words}, on a newer Python",
        steps=venv(subject, "3.12", "tensorflow[and-cuda]"),
        cost="a new environment, and the release changes",
    )


def _on_windows(subject: Subject, view: View, release: Release | None) -> Remedy:
    number = numbers(release.version)[:2] if release else ()
    if number and number > (2, 10):
        return windows(subject, view)
    build = release.build(USUAL) if release else None
    cuda = tuple(numbers(build.cuda.version)[:2]) if build and build.cuda else _asked_cuda(subject) or (11, 2)
    cuda = (11, 2) if cuda[:1] == (11,) else cuda
    known = _by_conda(view)
    named = ".".join(map(str, cuda))
    return Remedy(
        words=(
            "Without an NVIDIA GPU nothing has to be done: the message can be ignored"
            f". With one, bring CUDA {named} and its cuDNN into the active conda environment"
        ),
        steps=(f"conda install -y -c conda-forge {known.get((cuda[0], (*cuda, 0)[1]), known[11, 2])}",),
        why=f"this TensorFlow opens the DLLs of CUDA {named}; without them it computes on the processor",
        cost="a download of about 1 GB",
        others=(
            *into(subject, view, release, device="cuda"),
            Way(
                words="Or use WSL2, where the newest TensorFlow brings CUDA itself",
                steps=IN_WSL,
            ),
        ),
    )


def mismatch(subject: Subject, view: View) -> Remedy:
    """The CUDA that this release was built with; another one on the system need not go. A ptxas that is too old lies first in PATH."""
    if "ptxas" in subject.seen:
        return older_ptxas(subject, view)
    return libraries(subject, view)


# The first major of cuDNN that only TensorFlow for CUDA 12 asks for (2.18 and later).
_OF_CUDA_12 = 9


def cudnn(subject: Subject, view: View) -> Remedy:
    """CuDNN of the release, as the wheel that the catalogue pins; of the conda environment where the older one comes from there."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    if re.search(r"zlibwapi", subject.seen):
        return Remedy(
            words="Put zlibwapi.dll (zlib 1.2.3 for x64, as NVIDIA's cuDNN guide for Windows names it) into a folder of PATH, beside cudnn64_8.dll",
            steps=("where cudnn64_8.dll",),
            why="cuDNN 8.3 and later loads it",
        )
    pin = cuda_pin(release, "nvidia-cudnn")
    if subject.windows:
        return _on_windows(subject, view, release)
    asked = re.search(r"libcudnn\w{0,40}\.so\.(\d{1,9})", subject.seen)
    compiled = re.search(r"compiled with:? (\d+)\.(\d+)", subject.seen)
    number = asked[1] if asked else compiled[1] if compiled else "0"
    if int(number) >= _OF_CUDA_12 and not pin:
        exact = f"{compiled[1]}.{compiled[2]}" if compiled else number
        return Remedy(
            words=f"Install the cuDNN {exact} that this TensorFlow asks for, as a wheel beside it",
            steps=(install(subject, f"nvidia-cudnn-cu12=={exact}.*"), f"env -u LD_LIBRARY_PATH {runs(subject, LIST)}"),
            why="the number in the name is cuDNN's major, and only that one is opened; it is of the releases with CUDA 12",
            cost="a download of about 0.7 GB",
            others=into(subject, view, release, device="cuda"),
        )
    if pin and release is not None and numbers(release.version)[:2] >= EXTRA:
        return Remedy(
            words=f"Install the cuDNN of this release: {pin}",
            steps=(install(subject, pin), f"env -u LD_LIBRARY_PATH {runs(subject, LIST)}"),
            why=f"TensorFlow {subject.tensorflow} was built with {cuda_of(release)}; an older cuDNN, or one of another major, does not serve",
            cost="a download of about 0.7 GB",
            others=into(subject, view, release, device="cuda"),
        )
    if re.search(r"DNN library is not found|No DNN in stream", subject.seen) and not pin and not compiled:
        return Remedy(
            words="See whether it works without LD_LIBRARY_PATH, by which another cuDNN is found first; then install that of this release beside it",
            steps=(f"env -u LD_LIBRARY_PATH {runs(subject, LIST)}", install(subject, "tensorflow[and-cuda]")),
            why="a line above it says why cuDNN did not start: its number, a part that was not found, or memory",
            cost="a download of some GB",
            others=(
                Way(
                    words="If that line is about memory, let TensorFlow take it as it needs it",
                    steps=(assigned("TF_FORCE_GPU_ALLOW_GROWTH", "true", windows=False),),
                ),
            ),
        )
    wheel = pin or (
        f"nvidia-cudnn-cu11=={compiled[1]}.{compiled[2]}.*" if compiled and numbers(f"{compiled[1]}.{compiled[2]}") >= (8, 5) else ""
    )
    if wheel:
        folder = f"{subject.env or '$CONDA_PREFIX'}/lib/python{subject.python or '3.10'}/site-packages/nvidia/cudnn/lib"
        return Remedy(
            words="Let the cuDNN that TensorFlow was built with be found before the other one",
            steps=(install(subject, wheel), f"export LD_LIBRARY_PATH={folder}:$LD_LIBRARY_PATH"),
            why="the loader takes the first that it finds, here one of another release (often conda's, or one in /usr/local/cuda)",
            cost="a download of about 0.7 GB",
            others=(
                Way(words="Or take the other one out where it came from", steps=("conda remove -y cudnn",)),
                *into(subject, view, release, device="cuda"),
            ),
        )
    major = int(asked[1]) if asked else 0
    older = {5: (8, 0), 6: (8, 0), 7: (10, 0), 8: (11, 2)}
    cuda = _by_conda(view).get(older.get(major, (11, 2)), "")
    if major in {5, 6}:
        cuda = f"cudnn={major}.0"
    return Remedy(
        words=f"Bring the cuDNN {major or ''} that this TensorFlow asks for into the environment".replace("  ", " "),
        steps=(
            f"conda install -y -c {'defaults' if major in {5, 6, 7} else 'conda-forge'} {cuda}",
            'export LD_LIBRARY_PATH="$CONDA_PREFIX/lib"',
        ),
        why="the number in the name is cuDNN's major, and only that one is opened",
        cost="a download of about 1 GB",
        others=(
            Way(words="Without an NVIDIA GPU nothing has to be done: TensorFlow computes on the processor"),
            *into(subject, view, release, device="cuda"),
            _newer(subject, view),
        ),
    )


def cpu_only(subject: Subject, view: View) -> Remedy:
    """The build with CUDA of this release; on a Mac Metal, on a board NVIDIA's wheel, on Windows another system."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    if subject.amd:
        return for_amd(subject)
    if subject.windows:
        return windows(subject, view)
    if subject.system == "macos":
        build = release.build("macos-aarch64") if release else None
        pin = f"=={build.metal.version}" if build and build.metal else ""
        return Remedy(
            words="Install tensorflow-metal: no build for macOS has CUDA, and this plug-in computes on the GPU of a Mac",
            steps=(install(subject, f"tensorflow-metal{pin}"), runs(subject, LIST)),
            why="TensorFlow loads it by itself; it goes with releases up to 2.18",
            others=(
                ()
                if pin or release is None
                else (
                    Way(
                        words="It is for older releases only",
                        steps=(install(subject, "tensorflow==2.18.*", "tensorflow-metal==1.2.0"),),
                        cost="the release changes",
                    ),
                )
            ),
        )
    if subject.platform == "linux-aarch64":
        return for_board(subject)
    if release is not None and numbers(release.version)[:2] < EXTRA:
        return _older(subject, view, Way(words="Without an NVIDIA GPU nothing has to be done"), release)
    pin = f"=={subject.minor}.*" if release else ""
    return Remedy(
        words="Install the build with CUDA in place of this one",
        steps=(
            uninstall(subject, "tensorflow", "tensorflow-cpu"),
            install(subject, f"tensorflow[and-cuda]{pin}"),
            runs(subject, LIST),
        ),
        why="tensorflow-cpu has no CUDA in it; the package tensorflow for Linux has, and the extra brings the libraries",
        cost="a download of some 2.5 GB",
        others=into(subject, view, release, device="cuda"),
    )
