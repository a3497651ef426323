"""A GPU that is not used or fails: its capability against the build, the driver, the memory, the system."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.causes.grades import ALLOWS, GUESSES, HINTS, PROVES, TELLS
from provisioner.explain.context import numbers
from provisioner.explain.matches import Hit
from provisioner.explain.topics.libraries import serves
from provisioner.explain.verdict import Case, Verdict, plain, says
from provisioner.explain.words import dotted
from provisioner.model.catalogue import Release
from provisioner.remedies.hosted import of_a_session

IN_A_SESSION = "a hosted session has a GPU, with its driver, only where one was chosen for it"


def why_newer(case: Case) -> str:
    """Say why the GPU is newer than the build knows, or ""."""
    now = case.circumstances
    cuda = now.cudas[0] if now.cudas else ()
    if not case.knowledge.too_new(now.capability, now.tensorflow, cuda):
        return ""
    need = case.knowledge.cuda(now.tensorflow) if now.tensorflow else None
    first = dotted(case.knowledge.first_cuda(now.capability))
    return f"compute capability {dotted(now.capability)} needs CUDA {first}, this is built with CUDA {dotted(need.cuda if need else cuda)}"


def why_older(case: Case) -> str:
    """Say why the build has no code for a GPU this old, or ""."""
    now = case.circumstances
    if not case.knowledge.too_old(now.capability, now.tensorflow):
        return ""
    need = case.knowledge.cuda(now.tensorflow)
    return f"TensorFlow {now.tensorflow} has code for {', '.join(need.capabilities) if need else ''}, not for {dotted(now.capability)}"


def architecture(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """No code for the GPU: is it newer or older than the build?"""
    for hit in hits:
        newer, older = why_newer(case), why_older(case)
        if hit.message.id in {"not-built-for", "sm-undefined"}:
            named = re.search(r"capability (\d+\.\d)", hit.seen)
            capability = numbers(named[1]) if named else case.circumstances.capability
            compiled = re.search(r"(?:sm|compute)_(\d+)(\d)", hit.seen)
            family = case.knowledge.view.architecture(f"{compiled[1]}.{compiled[2]}") if compiled else None
            if family and family.driver_last:
                yield says(hit, "gpu-too-old", why=f"{family.name} was dropped from newer CUDA toolkits")
                continue
            if older and hit.message.id == "not-built-for" and capability == case.circumstances.capability:
                yield says(hit, "gpu-too-old", grade=TELLS, why=older)
            yield says(hit, "gpu-too-new", why=newer)
        elif older:
            yield says(hit, "gpu-too-old", grade=PROVES, why=older)
        elif newer:
            yield says(hit, "gpu-too-new", grade=PROVES, why=newer)
        elif hit.message.id == "launch":
            yield plain(hit)
            yield says(hit, "user-code", "possible", grade=GUESSES)
        elif "kernel image is invalid" in hit.seen.lower() or hit.message.id == "cudnn-arch":
            yield says(hit, "gpu-too-old", grade=HINTS)
            yield says(hit, "gpu-too-new", "possible", grade=ALLOWS)
        else:
            yield says(hit, "gpu-too-new", grade=hit.message.grade)
            yield says(hit, "gpu-too-old", "possible", grade=ALLOWS)


def handle(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """CuDNN and cuBLAS fail to begin: most often memory; a GPU that their CUDA does not know fails the same way."""
    hit = hits[0]
    newer = why_newer(case)
    if newer:
        yield says(hit, "gpu-too-new", grade=TELLS, why=newer)
        yield says(hit, "gpu-memory", "possible", grade=HINTS)
        return
    yield plain(hit)
    now = case.circumstances
    need = case.knowledge.cuda(now.tensorflow) if now.tensorflow else None
    if need and now.cudnn and len(now.cudnn) > 1 and len(need.cudnn) > 1 and now.cudnn[:2] < need.cudnn[:2]:
        why = f"cuDNN {dotted(now.cudnn)} is there, TensorFlow {now.tensorflow} was built with {dotted(need.cudnn)}"
        yield says(hit, "cudnn-version-mismatch", "likely", grade=ALLOWS, why=why)
    else:
        yield says(hit, "cudnn-version-mismatch", "possible", grade=GUESSES)


def memory(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Memory of the GPU, unless the line says that it was the machine's, or that the work goes on."""
    hit = hits[0]
    real = next((item for item in hits if "not a failure" not in item.seen), None)
    if real is None:
        yield says(hit, "harmless-message", "certain", grade=TELLS)
        return
    if re.search(r"by allocator cpu|CPU:0", real.seen) and "gpu" not in real.seen.lower():
        yield says(real, "user-code", grade=HINTS, why="the machine's memory is meant, not the GPU's")
        return
    yield plain(real)
    del case


def no_device(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """CuInit finds no device: hidden, not passed into the container, or the module is not loaded."""
    now = case.circumstances
    hit = hits[0]
    yield plain(hit)
    if not now.container and not now.gpu_present:
        yield says(hit, "driver-missing", "possible", grade=ALLOWS)
    yield says(hit, "gpu-init-failed", "possible", grade=GUESSES)


def cu_init(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """No code of the driver's own: in a container the GPU was not passed in, elsewhere it is the toolkit's stub or a broken driver."""
    if case.circumstances.container:
        yield says(hits[0], "gpu-not-visible", grade=HINTS, why="the container was started without the GPU")
        yield says(hits[0], "gpu-init-failed", "possible", grade=ALLOWS)
    else:
        yield plain(hits[0])
        yield says(hits[0], "gpu-not-visible", "possible", grade=ALLOWS)
        yield says(hits[0], "driver-missing", "possible", grade=GUESSES)


def old_driver(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """CUDA says ``insufficient`` where it finds no driver at all, too (driver_types.h: cudaErrorInsufficientDriver)."""
    yield plain(hits[0])
    if "insufficient" in hits[0].seen.lower() and not case.circumstances.driver:
        yield says(hits[0], "driver-missing", "possible", grade=HINTS)
        yield says(hits[0], "gpu-not-visible", "possible", grade=ALLOWS)


def no_smi(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """No nvidia-smi: no driver, or a hosted session that was begun without a GPU."""
    if of_a_session(case.circumstances.told, case.log.text):
        yield says(hits[0], "gpu-not-visible", grade=PROVES, why=IN_A_SESSION)
    else:
        yield plain(hits[0])


def no_driver(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """The driver is not there; in a container of a machine with a GPU it was not passed through."""
    now = case.circumstances
    hit = hits[0]
    if of_a_session(now.told, case.log.text):
        yield says(hit, "gpu-not-visible", grade=PROVES, why=IN_A_SESSION)
        return
    if hit.message.id == "container-without-driver":
        yield plain(hit)
        yield says(hit, "driver-missing", "possible", grade=HINTS)
        return
    if now.gpu_present is False:
        yield says(hit, "harmless-message", grade=HINTS, why="without a GPU no driver is needed")
        return
    if now.wsl and now.gpu_present:
        yield says(
            hit,
            "driver-missing",
            grade=TELLS,
            why="in WSL2 the driver of Windows is used; /proc/driver/nvidia is not there even where it works",
        )
        yield says(hit, "gpu-not-visible", "possible", grade=ALLOWS)
        return
    if now.container and now.gpu_present:
        yield says(hit, "gpu-not-visible", grade=TELLS, why="the container was started without the GPU")
        yield says(hit, "driver-missing", "possible", grade=HINTS)
        return
    yield plain(hit)
    yield says(hit, "gpu-not-visible", "possible", grade=ALLOWS)


def driver_versions(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """TensorFlow prints the version of the driver's library and that of the loaded module; they must be the same."""
    library = re.search(r"(?:libcuda|DSO) reported version is: (\d{3}\.\d+(?:\.\d+)?)", case.log.text)
    module = re.search(
        r"kernel reported version is: (\d{3}\.\d+(?:\.\d+)?)|Kernel Module (?:for \S+ )?(\d{3}\.\d+(?:\.\d+)?)", case.log.text
    )
    if library is None or module is None:
        return
    # cuda_diagnostics.cc writes three numbers where the driver has two.
    one, other = (tuple(int(item) for item in text.split(".") if int(item)) for text in (library[1], module[1] or module[2]))
    if one != other:
        why = f"the library of the driver is {library[1]}, the loaded module {module[1] or module[2]}"
        yield says(hits[0], "driver-kernel-mismatch", "likely", grade=PROVES, why=why)


def no_gpu(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """TensorFlow lists no GPU: the system, the build, or nothing that tells."""
    now, known = case.circumstances, case.knowledge
    # A list that holds the processor alone means something only where a GPU was to be seen.
    asked = [hit for hit in hits if hit.message.kind == "fault"]
    if not asked and not now.gpu_present:
        return
    hit = asked[0] if asked else hits[0]
    if now.gpu_present is False and not any(item.message.id == "cannot-assign" for item in hits):
        yield says(hit, "harmless-message", grade=ALLOWS, why="there is no GPU")
        return
    no_cuda_build = [item for item in hits if item.message.id == "not-cuda-build"]
    build = known.build(now.tensorflow, now.platform) if now.tensorflow else None
    if now.native_windows and (after_windows_gpu(case) or (no_cuda_build and not now.tensorflow)):
        why = f"TensorFlow {now.tensorflow} on Windows itself uses no GPU: 2.10 was the last that did" if now.tensorflow else ""
        yield says(no_cuda_build[0] if no_cuda_build else hit, "windows-gpu-unsupported", grade=PROVES, why=why)
        yield says(hit, "cpu-only-build", "possible", grade=TELLS)
        return
    if no_cuda_build:
        yield says(no_cuda_build[0], "cpu-only-build", grade=PROVES)
        return
    if "tensorflow-cpu" in now.told or "cpu" in now.install:
        yield says(hit, "cpu-only-build", grade=TELLS, why="the package is a build without CUDA")
        return
    if now.os == "macos":
        yield says(hit, "cpu-only-build", grade=ALLOWS, why="no build for macOS has CUDA; the GPU of a Mac needs tensorflow-metal")
        return
    if now.platform == "linux-aarch64" and not any(
        item.platform == now.platform and item.cuda for release in _asked(case) for item in release.builds
    ):
        yield says(
            hit,
            "cpu-only-build",
            "likely",
            grade=ALLOWS,
            why="no wheel for aarch64 on PyPI has CUDA; a Jetson needs the build of NVIDIA for its JetPack",
        )
        yield says(hit, "gpu-not-visible", "possible", grade=GUESSES)
        return
    # In 1.15.2 to 2.0 the package tensorflow is the CPU build, and tensorflow-gpu the other.
    before_one_package = build is None and known.old(now.tensorflow) is not None and (0, 12) <= numbers(now.tensorflow)[:2] < (1, 15)
    if before_one_package and "gpu" not in now.told.replace(now.gpu, ""):
        yield says(hit, "cpu-only-build", "likely", grade=HINTS, why=f"the package tensorflow {now.tensorflow} is a build without CUDA")
        return
    of_cpu = build is not None and build.packages.get("cpu") == "tensorflow" and "gpu" not in now.install
    if of_cpu:
        yield says(hit, "cpu-only-build", "likely", grade=HINTS, why=f"the package tensorflow {now.tensorflow} is a build without CUDA")
    yield from _listed_none(hit, case)


def _asked(case: Case) -> Iterator[Release]:
    """The release that is meant, or every one of the catalogue where none is named."""
    release = case.knowledge.release(case.circumstances.tensorflow) if case.circumstances.tensorflow else None
    return iter((release,)) if release is not None else case.knowledge.view.releases()


def _listed_none(hit: Hit, case: Case) -> Iterator[Verdict]:
    now = case.circumstances
    newer, older = why_newer(case), why_older(case)
    if older:
        yield says(hit, "gpu-too-old", grade=HINTS, why=older)
    elif newer and not now.gpu:
        yield says(hit, "gpu-too-new", grade=ALLOWS, why=newer)
    need = case.knowledge.cuda(now.tensorflow, now.platform) if now.tensorflow else None
    if need and now.cudas and not any(serves(item, need.cuda, "cudart") for item in now.cudas):
        why = f"TensorFlow {now.tensorflow} was built with CUDA {dotted(need.cuda)}, CUDA {dotted(now.cudas[0])} is there"
        yield says(hit, "cuda-version-mismatch", "likely", grade=ALLOWS, why=why)
    elif now.gpu_present or now.cudas:
        yield says(hit, "cuda-libs-missing", "possible", grade=ALLOWS)
    if "Device mapping" in hit.seen and not case.has("opened", "gpu-created"):
        yield says(hit, "cpu-only-build", "possible", grade=ALLOWS, why="a build with CUDA of that time names each library that it opens")
    yield says(hit, "gpu-not-visible", "possible", grade=GUESSES)
    build = case.knowledge.build(now.tensorflow, now.platform) if now.tensorflow else None
    if build is not None and build.packages.get("cuda") == "tensorflow":
        # The package is the build with CUDA; without a driver it says no more than this.
        yield says(hit, "driver-missing", "possible", grade=GUESSES)
    yield says(hit, "cpu-only-build", "possible", grade=GUESSES)


def after_windows_gpu(case: Case) -> bool:
    """Whether the release has no CUDA build for Windows; of those whose libraries PyPI has not, the catalogue says that there is one."""
    now, known = case.circumstances, case.knowledge
    release = known.release(now.tensorflow) if now.tensorflow else None
    if release is None:
        return False
    with_cuda = any(
        "windows-x86_64" in bad.platforms and "cuda" in bad.devices and bad.cause == "cuda-libs-missing" for bad in release.known_bad
    )
    build = release.build("windows-x86_64")
    return not with_cuda and (build is None or build.cuda is None)


def windows_gpu(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """TensorFlow's own warning on Windows; it is only of use to who has a GPU."""
    if case.circumstances.gpu_present is False:
        yield says(hits[0], "harmless-message", grade=HINTS, why="there is no GPU")
    else:
        yield plain(hits[0])


JUDGEMENTS = {
    "arch": architecture,
    "handle": handle,
    "oom": memory,
    "cuinit": cu_init,
    "nodevice": no_device,
    "nodriver": no_driver,
    "nosmi": no_smi,
    "olddriver": old_driver,
    "driverversions": driver_versions,
    "nogpu": no_gpu,
    "windowsgpu": windows_gpu,
}
