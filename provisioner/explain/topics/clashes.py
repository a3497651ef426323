"""Two of one thing in a process, and containers that get no GPU: which package, which tool, and what else it may be."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.causes.grades import ALLOWS, HINTS, PROVES, TELLS
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict, plain, says

# Packages that carry abseil or protobuf as C++, and are often imported beside TensorFlow.
_CARRIERS = re.compile(
    r"\b(?:import|from)"
    r" (pyarrow|tink|grpc|sentencepiece|ortools|ray|torch|cv2|open3d|datasets|mlx\w*)\b|(?:site|dist)-packages[\\/](pyarrow|tink|ray)[\\/]"
)


def carriers(text: str) -> tuple[str, ...]:
    """The packages with a C++ library of TensorFlow's that a log names, each once."""
    return tuple(dict.fromkeys(name for found in _CARRIERS.findall(text) for name in found if name))


def clash(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A lock that is not the lock it was: two copies of the library; where the other package is named, it is said."""
    named = carriers(case.log.text)
    why = f"{' and '.join(named)} and tensorflow each bring a copy of abseil and protobuf" if named else ""
    yield says(hits[0], "native-library-clash", grade=PROVES, why=why)


def forests(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Decision Forests are built for Linux on Intel (and macOS on Apple silicon); there, a file that does not load is of another TensorFlow."""
    now = case.circumstances
    hit = hits[0]
    if now.native_windows or now.platform in {"linux-aarch64", "macos-x86_64"}:
        yield says(hit, "addon-without-build", grade=TELLS, why=f"tensorflow-decision-forests has no build for {now.platform}")
        yield says(hit, "platform-unsupported", "possible", grade=HINTS)
        return
    yield says(hit, "extension-abi-mismatch", grade=TELLS)
    yield says(hit, "addon-without-build", "possible", grade=ALLOWS)


def plugin_twice(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """TensorFlow loads the plug-ins of every folder of packages that it finds: of two environments, or of two packages."""
    yield plain(hits[0])
    yield says(
        hits[0],
        "environment-leak",
        "possible",
        grade=HINTS,
        why="the packages of the user, or of another environment, are on the path, too",
    )
    yield says(hits[0], "extension-abi-mismatch", "possible", grade=ALLOWS)


def container_tool(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """The container toolkit failed: where it misses the driver's own library, there may be no driver on the host."""
    hit = hits[0]
    text = case.log.text
    yield says(hit, "container-gpu-refused", grade=PROVES)
    if re.search(r"load library failed: lib(nvidia-ml|cuda)|driver not loaded|nvml error", text):
        yield says(hit, "driver-missing", "possible", grade=TELLS, why="the tool does not find the driver's library on the host")
    yield says(hit, "gpu-not-visible", "possible", grade=ALLOWS)


def selector(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """A method of a framework that is not there: the macOS is older than the plug-in, or the plug-in newer than it should be."""
    yield plain(hits[-1])
    yield says(hits[-1], "extension-abi-mismatch", "possible", grade=HINTS)


JUDGEMENTS = {"selector": selector, "clash": clash, "forests": forests, "plugintwice": plugin_twice, "containertool": container_tool}
