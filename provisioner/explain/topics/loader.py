"""Words of loaders and of the system that ended a process: which of several causes, by processor, system and library."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.causes.grades import ALLOWS, GUESSES, HINTS, PROVES, TELLS
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict, plain, says

# Parts of TensorFlow itself, as files.
_OWN = re.compile(r"(libtensorflow_(framework|cc)|_pywrap_\w|pywrap_tensorflow)[\w.-]{0,200}\.(so|dylib|pyd)", re.IGNORECASE)
# Intel: Core 2, the first Core i (three figures), Xeon of the 3000 to 7000 series, Pentium, Celeron and Atom until 2020; AMD: until Phenom II.
_NO_AVX = re.compile(
    r"pentium|celeron|\batom\b|core ?(\(tm\))? ?2\b|core2|\bi[357][ -]?[3-9]\d\d[a-z]{0,2}\b|xeon\D{0,12}[elwx]?[3-7][0-7]\d\d\b(?! ?v\d)|phenom"
    r"|athlon|turion|sempron|nehalem|westmere|penryn|\bq[689]\d{3}\b|\b[jn][1-5]\d{3}\b"
)
# C++ names of TensorFlow's own and of what it brings.
_OF_CPP = re.compile(r"tensorflow|\btsl|absl|protobuf|_ZN|TF_|TfLite")
_NVIDIA = re.compile(
    r"(lib(cublas|cudnn|cudart|cusolver|cusparse|cufft|curand|nvrtc|nvjitlink|nccl)\w{0,60}\.so[\w.]{0,40})", re.IGNORECASE
)


def without_avx(case: Case) -> bool:
    """Whether the processor that was told has no AVX: what came before Sandy Bridge and Bulldozer, and the small lines since."""
    return bool(_NO_AVX.search(case.circumstances.told))


def illegal(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """An illegal instruction: no AVX on a PC, x86_64 code under Apple's translator on an Apple processor."""
    now = case.circumstances
    hit = hits[0]
    if now.apple_silicon or (now.os == "macos" and now.arch == "aarch64"):
        yield says(hit, "wrong-arch-binary", grade=TELLS, why="this is an Apple processor: x86_64 code runs translated there, without AVX")
        yield says(hit, "cpu-no-avx", "possible", grade=HINTS)
        return
    flags = re.search(r"^(?:flags|Features)\s*: (.{40,4000})", case.log.text, re.MULTILINE)
    if flags and now.arch != "aarch64":
        names = set(flags[1].lower().split())
        if "avx" not in names:
            yield says(hit, "cpu-no-avx", "certain", grade=PROVES, why="avx is not among the processor's flags")
            return
        missing = [name for name in ("avx2", "fma") if name not in names]
        why = f"the processor has AVX, but no {' and '.join(missing)}" if missing else "the processor has AVX, AVX2 and FMA"
        yield says(hit, "cpu-no-avx", "likely" if missing else "possible", grade=HINTS, why=why)
        return
    if now.os == "macos" and now.arch != "x86_64":
        yield says(hit, "wrong-arch-binary", "likely", grade=HINTS, why="on an Apple processor x86_64 code runs translated, without AVX")
        yield says(hit, "cpu-no-avx", "possible", grade=ALLOWS)
        return
    zsh = "zsh" in hit.seen and not now.os
    yield says(hit, "cpu-no-avx", "possible" if now.arch == "aarch64" else "likely", grade=HINTS)
    if zsh or now.arch == "aarch64":
        yield says(hit, "wrong-arch-binary", "possible", grade=ALLOWS)


def no_avx(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """TensorFlow names the instructions itself; on an Apple processor that means the wrong architecture."""
    now = case.circumstances
    if now.apple_silicon or (now.os == "macos" and now.arch == "aarch64"):
        yield says(hits[0], "wrong-arch-binary", grade=PROVES, why="this is an Apple processor: an x86_64 TensorFlow runs translated there")
        yield says(hits[0], "cpu-no-avx", "likely", grade=PROVES)
        return
    if now.arch == "x86_64" or now.os in {"linux", "windows"}:
        yield plain(hits[0])
    else:
        yield says(hits[0], "cpu-no-avx", "likely")
        yield says(hits[0], "wrong-arch-binary", "possible", grade=TELLS)


def elf(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A file that is no library of this system: a wheel of another system, or damaged."""
    named = re.search(r"[-_.](darwin|macosx?|win32|win_amd64)\b", hits[0].seen)
    if named:
        system = "Windows" if named[1].startswith("win") else "macOS"
        yield says(hits[0], "wrong-arch-binary", grade=PROVES, why=f"by its name the file was built for {system}")
        yield says(hits[0], "platform-unsupported", "possible", grade=HINTS)
        return
    yield says(hits[0], "platform-unsupported", grade=TELLS)
    yield says(hits[0], "install-corrupt", "possible", grade=HINTS)
    yield says(hits[0], "wrong-arch-binary", "possible", grade=ALLOWS)
    del case


def macos(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A symbol of the system that is not there: an older macOS than the file was built for."""
    hit = hits[0]
    if "_OBJC_CLASS" in case.log.text:
        yield says(hit, "macos-too-old", grade=PROVES, why="a class of a framework of macOS itself is missing")
        return
    tensorflow = re.search(
        r"Symbol not found: ?\(?_*(ZN|ZNK)\w*(tensorflow|tsl|TF_|absl|google)|Symbol not found: ?\(?_*TF_", case.log.text
    )
    if tensorflow and hit.message.id != "macos-version":
        yield says(hit, "extension-abi-mismatch", grade=TELLS)
        yield says(hit, "macos-too-old", "possible", grade=ALLOWS)
        return
    if re.search(r"_Py[A-Z]", hit.seen):
        yield says(hit, "environment-leak", grade=TELLS)
        return
    yield plain(hit)


def symbol(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Whose symbol is not found, and in which file."""
    for hit in hits:
        around = case.log.text[max(0, hit.offset - 400) : hit.offset + 400]
        after = case.log.text[hit.offset : hit.offset + 300]
        nvidia = _NVIDIA.search(around)
        if re.search(r"(symbol|found):? ?\(?_?Py[A-Z_]\w+", after) and not re.search(r"tensorflow", after[:80]):
            yield says(hit, "environment-leak", grade=TELLS, why="the module was made for another Python")
            yield says(hit, "python-unsupported", "possible", grade=ALLOWS)
        elif re.search(r"\b(cublas|cudnn|cusolver|cusparse|cuda|nvrtc|nvJitLink|__nvJitLink|nccl|cu[A-Z])\w*", after[:120]) or (
            nvidia and "tensorflow" not in after[:160]
        ):
            name = nvidia[1].lower() if nvidia else ""
            cause = "cudnn-version-mismatch" if "cudnn" in (name + after[:100]).lower() else "cuda-version-mismatch"
            yield says(hit, cause, grade=TELLS, why="libraries of two CUDA releases are mixed")
            yield says(hit, "environment-leak", "likely", grade=HINTS)
        elif re.search(r"(GLIBCXX|CXXABI|_ZNSt|__cxa_|_ZSt)", after[:120]) and not re.search(r"tensorflow|tsl|absl", after[:200]):
            yield says(hit, "libstdcxx-too-old", grade=HINTS)
            yield says(hit, "extension-abi-mismatch", "possible", grade=ALLOWS)
        elif re.search(r"(?<![\w/])/(?:usr/)?lib/[^\s:]{1,120}$", hit.seen.split(": undefined symbol")[0]) and not _OF_CPP.search(
            after[:200]
        ):
            why = "a library of the system meets one of another release that is found first: conda's, or one of LD_LIBRARY_PATH"
            yield says(hit, "environment-leak", grade=HINTS, why=why)
            yield says(hit, "dependency-incompatible", "possible", grade=ALLOWS)
        elif re.search(r"mkl_|H5|jpeg|png|ssl|xml|cblas|openblas", after[:80], re.IGNORECASE):
            yield says(hit, "dependency-incompatible", grade=HINTS)
        elif _OWN.search(hit.seen.split("undefined symbol")[0]) and hit.message.id == "undefined-symbol":
            yield says(
                hit, "install-corrupt", grade=TELLS, why="a library of TensorFlow itself lacks a function: files of two releases are mixed"
            )
            yield says(hit, "conflicting-tf-packages", "possible", grade=HINTS)
            yield says(hit, "extension-abi-mismatch", "possible", grade=ALLOWS)
        else:
            yield plain(hit)


def musl(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Musl's words; on a system with glibc the same file names mean something else."""
    hit = hits[0]
    if "relocating" in hit.seen.lower() or case.circumstances.musl or "ld-musl" in hit.seen or "shared library" in hit.seen.lower():
        yield says(hit, "platform-unsupported", "likely", grade=PROVES)
    else:
        yield says(hit, "platform-unsupported", "possible", grade=ALLOWS)


def died(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A notebook's kernel died: the code of the process, where it is given, has a message of its own."""
    del case
    hit = hits[0]
    yield says(hit, "unknown", "possible", grade=ALLOWS)
    yield says(hit, "cpu-no-avx", "possible", grade=GUESSES)
    yield says(hit, "openmp-duplicate", "possible", grade=GUESSES)


def libc(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """Certain only where it is a library of TensorFlow that needs the newer C library; anything else may be a stray of another system."""
    hit = next((item for item in hits if _OWN.search(item.seen)), hits[0])
    yield says(hit, "glibc-too-old", "certain" if _OWN.search(hit.seen) else "likely", grade=PROVES)


def libstdcxx(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """Certain only where it is a library of TensorFlow that needs the newer libstdc++."""
    hit = next((item for item in hits if _OWN.search(item.seen)), hits[0])
    yield says(hit, "libstdcxx-too-old", "certain" if _OWN.search(hit.seen) else "likely", grade=PROVES)
    yield says(hit, "environment-leak", "possible", grade=ALLOWS)


JUDGEMENTS = {
    "sigill": illegal,
    "noavx": no_avx,
    "elf": elf,
    "macos": macos,
    "symbol": symbol,
    "musl": musl,
    "died": died,
    "libc": libc,
    "libstdcxx": libstdcxx,
}
