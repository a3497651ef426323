"""A library is not found: whose it is, which version it is of, and what else is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from provisioner.causes.grades import ALLOWS, GUESSES, HINTS, PROVES, TELLS
from provisioner.explain.context import Version, numbers
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict, plain, says
from provisioner.explain.words import dotted
from provisioner.remedies.hosted import of_a_session

_CUDA = re.compile(r"(lib)?(cudart|cublas(lt)?|cufft|curand|cusolver|cusparse|cupti|nccl|nvrtc|nvjitlink|nvtoolsext|nvtx)", re.IGNORECASE)
_RUNTIME = re.compile(r"(lib)?(msvcp|vcruntime|concrt|vcomp)", re.IGNORECASE)
# Libraries of the system that people lack in slim images: nothing of the environment is damaged.
_ADD_ONS = re.compile(r"(lib)?(tensorflow_io|tfdml|tensorflow_text|_\w+_ops|tensorflow_addons)", re.IGNORECASE)
# Libraries of AMD's ROCm, of its releases from 3 on.
_ROCM = re.compile(
    r"lib(amdhip64|hsa-runtime64|hsakmt|rccl|roc(blas|fft|rand|sparse|solver|m_smi64|tracer64|tx64|profiler\w*)|hip(blas\w*|fft|rand|sparse|solver|rtc|_hcc)|miopen|mcwamp|amd_comgr|migraphx)",
    re.IGNORECASE,
)
# A compiled part of another package than TensorFlow.
_ADD_ON_FILE = re.compile(
    r"(site|dist)-packages[\\/](tensorflow_(?!core|framework)\w+|tensorflow-plugins|tf_\w+|deepspeech|reverb|horovod)[\\/]", re.IGNORECASE
)
# Singularity and Apptainer, without the option that brings the driver in.
_WITHOUT_NV = re.compile(r"\b(?:singularity|apptainer) (?:exec|run|shell) (?![^\n]{0,300}--(?:nv|rocm)\b)")
_TENSORFLOW = re.compile(r"(lib)?(tensorflow|_?pywrap_tensorflow|tsl|tfe)", re.IGNORECASE)


def library(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """One verdict a library, by its family."""
    for hit in hits:
        name = hit.group("soname", "dll", "macho", "sub").strip("'\".,;:)*").rsplit("/", maxsplit=1)[-1]
        if hit.message.id == "no-cudnn" and not name:
            name = "libcudnn.so"
        yield from _one(hit, name, case)


def _one(hit: Hit, name: str, case: Case) -> Iterator[Verdict]:
    lowered = name.lower()
    # The library that is missing may be one that the named one needs: the dynamic loader's own words tell.
    inner = re.search(r"dlerror: ?([\w.+-]+\.(?:so[\w.]*|dll))", hit.seen)
    missing = inner[1].lower() if inner else lowered
    if "nvinfer" in lowered:
        yield replace(says(hit, "tensorrt-missing", grade=PROVES), severity="info")
    elif "cupti" in lowered:
        yield says(hit, "cuda-libs-missing", "possible", grade=ALLOWS, why="only the profiler needs CUPTI")
    elif re.match(r"(libcuda\.|libcuda$|nvcuda|libnvidia-ml|libnvcuvid|libnvidia-ptx)", missing):
        yield from _driver(hit, case)
    elif "cudnn" in missing:
        yield from _cudnn(hit, missing, case)
    elif _CUDA.match(missing):
        yield from _cuda(hit, missing, case)
    elif _RUNTIME.match(missing):
        yield says(hit, "msvc-redist-missing", grade=PROVES)
    elif _ADD_ONS.match(lowered):
        yield says(hit, "extension-abi-mismatch", grade=HINTS)
    elif _ROCM.match(missing):
        yield says(hit, "rocm-libs-missing", grade=PROVES, why=f"{name} is a library of AMD's ROCm")
    elif _TENSORFLOW.match(lowered):
        yield from _itself(hit, name)
    else:
        yield from _of_the_system(hit, name, lowered, case)


def _itself(hit: Hit, name: str) -> Iterator[Verdict]:
    """A library of TensorFlow: an add-on asks for that of another release, or parts are missing."""
    if _ADD_ON_FILE.search(hit.seen):
        why = f"an add-on asks for {name}, which is of another TensorFlow than the one beside it"
        yield says(hit, "extension-abi-mismatch", grade=TELLS, why=why)
        yield says(hit, "install-corrupt", "possible", grade=ALLOWS)
        return
    why = "a library of TensorFlow itself is not found: another release, or parts are missing"
    yield says(hit, "install-corrupt", grade=HINTS, why=why)
    yield says(hit, "extension-abi-mismatch", "possible", grade=ALLOWS)
    yield says(hit, "environment-leak", "possible", grade=GUESSES)


def _of_the_system(hit: Hit, name: str, lowered: str, case: Case) -> Iterator[Verdict]:
    if re.match(r"lib(mkl|iomp|omp|gomp)", lowered):
        yield says(hit, "dependency-incompatible", "possible", grade=ALLOWS)
        yield says(hit, "openmp-duplicate", "possible", grade=GUESSES)
    elif lowered.startswith("libpython"):
        if re.search(r"/python[\d.]{0,6}: error while loading", hit.seen):
            yield says(hit, "install-corrupt", grade=TELLS, why="a Python does not find its own library")
            return
        yield says(hit, "wrong-environment", "possible", grade=ALLOWS)
        yield says(hit, "install-corrupt", "possible", grade=GUESSES)
    elif re.match(r"lib(mpi|hdf5|crypto|ssl|ffi)", lowered):
        yield says(hit, "dependency-incompatible", "possible", grade=ALLOWS)
    elif re.match(r"(libstdc\+\+|libgcc_s|libc\.so|libm\.so|ld-linux|libresolv|libdl)", lowered):
        cause = "platform-unsupported" if case.circumstances.musl or lowered.startswith("ld-linux") else "libstdcxx-too-old"
        yield says(hit, cause, grade=HINTS)
    else:
        yield says(
            hit,
            "dependency-incompatible",
            "possible",
            grade=ALLOWS,
            why=f"{name} is not of TensorFlow or CUDA; a package of the system has it",
        )
        yield says(hit, "install-corrupt", "possible", grade=GUESSES)


def _driver(hit: Hit, case: Case) -> Iterator[Verdict]:
    now = case.circumstances
    if of_a_session(now.told, case.log.text):
        yield says(hit, "gpu-not-visible", grade=PROVES, why="a hosted session has the driver only where a GPU was chosen for it")
        return
    if now.gpu_present is False:
        yield says(hit, "harmless-message", "likely", grade=ALLOWS, why="without a GPU no driver is needed")
        return
    if now.container and (now.gpu_present or "singularity" in now.told or "gpu" in now.install):
        yield says(hit, "gpu-not-visible", grade=PROVES, why="a container was started without the GPU, so the host's driver is not in it")
        yield says(hit, "driver-missing", "possible", grade=TELLS)
        return
    yield says(hit, "driver-missing", grade=PROVES)


def _cudnn(hit: Hit, name: str, case: Case) -> Iterator[Verdict]:
    now, known = case.circumstances, case.knowledge
    wanted = _number(name)
    have = now.cudnn
    if now.gpu_present is False and "could not load" in hit.seen.lower():
        yield says(hit, "harmless-message", grade=ALLOWS, why="without a GPU none is needed")
    if "_" in name.split(".", maxsplit=1)[0].replace("cudnn64_", "") and re.search(r"cudnn_\w+", name):
        yield from cudnn_part((hit,), case)
        return
    if wanted and have and have[0] != wanted[0]:
        why = f"cuDNN {dotted(have)} is there, {name} is asked for"
        yield says(hit, "cudnn-version-mismatch", grade=PROVES, why=why)
        yield says(hit, "cudnn-missing", "possible", grade=TELLS)
        return
    if known.wants(name, now) is False:
        need = known.cuda(now.tensorflow)
        why = f"TensorFlow {now.tensorflow} was built with cuDNN {dotted(need.cudnn if need else ())}"
        yield says(hit, "cudnn-version-mismatch", grade=PROVES, why=why)
        return
    yield says(hit, "cudnn-missing", grade=TELLS)
    yield says(hit, "cudnn-version-mismatch", "possible", grade=GUESSES)


def _cuda(hit: Hit, name: str, case: Case) -> Iterator[Verdict]:
    """The version that the name asks for, against what is installed and what the release was built with."""
    now, known = case.circumstances, case.knowledge
    asked = known.cuda_of_library(name)
    have = _installed(hit, case)
    # CUDA 11.0 alone calls it so; from 11.1 on the number is 11.
    if name.startswith("libcusolver.so.10") and any((11, 1) <= item < (12,) for item in have):
        yield says(hit, "cuda-version-mismatch", grade=PROVES, why=f"CUDA {dotted(have[0])} is there, whose library is libcusolver.so.11")
        yield says(hit, "cuda-libs-missing", "possible", grade=TELLS)
        return
    if now.gpu_present is False and hit.message.about == "gpu":
        yield says(hit, "harmless-message", grade=PROVES, why="without a GPU none is needed")
        yield says(hit, "cuda-libs-missing", "possible", grade=ALLOWS)
        return
    need = known.cuda(now.tensorflow, now.platform) if now.tensorflow else None
    stranger = known.wants(name, now) is False or (need is not None and bool(asked) and need.cuda[0] != asked[0])
    # cuDNN 8 speaks so of what it needs itself (TensorFlow says "dynamic library"): it was built for another CUDA than TensorFlow.
    if stranger and need is not None and "ould not load library" in hit.seen and name.startswith("libcublaslt"):
        why = f"cuDNN asks for {name}, so it was built for another CUDA than {dotted(need.cuda)}, which TensorFlow {now.tensorflow} has"
        yield says(hit, "cudnn-version-mismatch", grade=PROVES, why=why)
        yield says(hit, "cuda-version-mismatch", "possible", grade=TELLS)
        return
    if stranger and need is not None:
        why = f"{name} is asked for, but TensorFlow {now.tensorflow} was built with CUDA {dotted(need.cuda)}"
        yield says(hit, "cuda-version-mismatch", grade=PROVES, why=why)
        yield says(hit, "cuda-libs-missing", "possible", grade=TELLS)
        return
    wanted = asked or (need.cuda if need else ())
    if wanted and have and not any(serves(item, wanted, name) for item in have):
        why = f"CUDA {', '.join(map(dotted, have))} is there, {name} is of CUDA {dotted(wanted)}"
        yield says(hit, "cuda-version-mismatch", grade=PROVES, why=why)
        yield says(hit, "cuda-libs-missing", "possible", grade=TELLS)
        return
    others = [other for other in case.of("opened") if _CUDA.match(other.group("opened"))]
    foreign = [other for other in others if _differs(known.cuda_of_library(other.group("opened").lower()), wanted)]
    if foreign and not have:
        why = f"{foreign[0].group('opened')} is found, which is of another CUDA than {name}"
        yield says(hit, "cuda-version-mismatch", grade=PROVES, why=why)
        yield says(hit, "cuda-libs-missing", "possible", grade=TELLS)
        return
    yield says(hit, "cuda-libs-missing", grade=TELLS)
    yield says(hit, "cuda-version-mismatch", "possible", grade=GUESSES)


def _installed(hit: Hit, case: Case) -> tuple[Version, ...]:
    found = [numbers(item) for item in re.findall(r"cuda-(\d+\.\d+)|cuda\\v(\d+\.\d+)", hit.seen.lower()) for item in item if item]
    return tuple(dict.fromkeys((*case.circumstances.cudas, *found)))


def serves(have: Version, wanted: Version, name: str) -> bool:
    """Whether a toolkit has a library: from 11 on the number in libcudart is the major's (11.0 for all of 11), before it was the release's."""
    if not have or not wanted:
        return False
    if len(have) == 1 or len(wanted) == 1 or wanted[0] >= 11:  # noqa: PLR2004 - CUDA 11 began to keep names within a major
        if wanted[:1] == have[:1] and re.search(r"cusolver", name) and wanted == (11,):
            return have >= (11, 1) or len(have) == 1
        return have[0] == wanted[0]
    return have[:2] == wanted[:2]


def _differs(one: Version, other: Version) -> bool:
    return bool(one and other) and one[: min(len(one), len(other))] != other[: min(len(one), len(other))]


def _number(name: str) -> Version:
    found = re.search(r"\.so\.(\d+)|64_(\d+)\.dll|\.(\d+)\.dylib", name)
    return (int(next(item for item in found.groups() if item)),) if found else ()


def dlopen(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """``Cannot dlopen some GPU libraries``: the lines before name them; by itself it says that one is missing, not which."""
    named = [hit for hit in case.hits if hit.message.topic == "library"]
    if named:
        return
    now = case.circumstances
    if now.gpu_present is False:
        yield says(hits[0], "harmless-message", grade=ALLOWS, why="without a GPU none is needed")
        return
    need = case.knowledge.cuda(now.tensorflow, now.platform) if now.tensorflow else None
    if need and now.cudas and not any(serves(item, need.cuda, "cudart") for item in now.cudas):
        why = f"TensorFlow {now.tensorflow} was built with CUDA {dotted(need.cuda)}, CUDA {', '.join(map(dotted, now.cudas))} is there"
        yield says(hits[0], "cuda-version-mismatch", grade=TELLS, why=why)
    yield plain(hits[0])
    yield says(hits[0], "cudnn-missing", "possible", grade=GUESSES)


def cudart(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """``Could not find cuda drivers``: it was libcudart that was not found, unless nothing of NVIDIA is there."""
    if _WITHOUT_NV.search(case.log.text):
        yield says(
            hits[0], "gpu-not-visible", grade=PROVES, why="the container was started without --nv, so the host's driver is not in it"
        )
        return
    now, known = case.circumstances, case.knowledge
    hit = hits[0]
    need = known.cuda(now.tensorflow, now.platform) if now.tensorflow else None
    if now.gpu_present is False:
        yield says(hit, "harmless-message", grade=HINTS, why="without a GPU no driver is needed")
        return
    if now.native_windows and now.tensorflow and need is None:
        return
    if need and now.cudas and not any(serves(item, need.cuda, "cudart") for item in now.cudas):
        why = f"TensorFlow {now.tensorflow} was built with CUDA {dotted(need.cuda)}, CUDA {', '.join(map(dotted, now.cudas))} is there"
        yield says(hit, "cuda-version-mismatch", grade=TELLS, why=why)
        yield says(hit, "cuda-libs-missing", "possible", grade=HINTS)
        yield says(hit, "driver-missing", "possible", grade=ALLOWS)
        return
    if now.gpu_present or now.cudas or now.driver or case.has("smi-table"):
        yield says(hit, "cuda-libs-missing", grade=HINTS, why="the message means that libcudart was not found")
        yield says(hit, "driver-missing", "possible", grade=ALLOWS)
        return
    yield says(hit, "driver-missing", "possible", grade=ALLOWS)
    yield says(hit, "harmless-message", "possible", grade=ALLOWS, why="without an NVIDIA GPU it means nothing")
    yield says(hit, "cuda-libs-missing", "possible", grade=GUESSES)


def cudnn_part(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A part of cuDNN 8 or 9 is not found or does not fit the part that was."""
    for hit in hits:
        foreign = re.search(r"error: (lib(cublas|cudart|nvrtc)\w*\.so\.\d+)", hit.seen.lower())
        if foreign:
            yield from _cuda(hit, foreign[1], case)
            yield says(hit, "cudnn-version-mismatch", "possible", grade=HINTS)
            continue
        lowered = hit.seen.lower()
        lost = re.search(r"cannot open|no such file|unable to load any|could not (locate|find)", lowered) and "mismatch" not in lowered
        yield says(hit, "cudnn-missing" if lost else "cudnn-version-mismatch", grade=PROVES)
        yield says(hit, "cudnn-version-mismatch" if lost else "cudnn-missing", "possible", grade=HINTS)


def tensorrt(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Only TF-TRT needs it: no fault, and no cause of another one."""
    others = any(item.message.kind == "fault" and item.message.topic != "tensorrt" for item in case.hits)
    yield replace(says(hits[0], "tensorrt-missing", grade=ALLOWS if others else PROVES), severity="info")


def cupti(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """Only the profiler needs CUPTI."""
    yield says(hits[0], "cuda-libs-missing", "possible", grade=GUESSES, why="only the profiler needs CUPTI")


JUDGEMENTS = {
    "library": library,
    "dlopen": dlopen,
    "cudart": cudart,
    "cudnnpart": cudnn_part,
    "tensorrt": tensorrt,
    "cupti": cupti,
}
