"""Runs inside the target interpreter: asks TensorFlow's own loader for every CUDA library, and reports which file came.

Standard library only, syntax of Python 3.6; TensorFlow itself is not imported, only ``libtensorflow_framework`` is loaded. So it works
without a GPU, and a crash here is not a crash of the other checks. Linux with glibc, which is where TensorFlow has CUDA builds.

How: the library exports ``DsoLoader::Get…DsoHandle`` (in ``tsl::internal``, before 2.11 in ``stream_executor::internal``), each of which
opens one library by the names and the search path that were compiled in, and ``TryDlopenCUDALibraries``, which opens those without which
every GPU is skipped. They return a ``StatusOr<void*>`` in memory; its second word is the handle, which with glibc is the address of the
library's entry in the loader's list, so it can be checked against that list. Which names were asked for is read from the loader's own
account (``LD_DEBUG=files,libs`` in ``LD_DEBUG_OUTPUT``, ld.so(8)).
"""

import ctypes
import glob
import importlib.util
import json
import os
import re
import struct
import sys
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]
sys.dont_write_bytecode = True
GETTER = re.compile(rb"_ZN[0-9A-Za-z_]*\dDsoLoader\d+Get(\w+?)DsoHandleEv")
REQUIRED = re.compile(rb"_ZN[0-9A-Za-z_]*\dDsoLoader\d+TryDlopenCUDALibrariesEv")
ASKED = re.compile(r"file=(\S+) \[\d+\];  dynamically loaded by (\S+) \[")
SEARCHED = re.compile(r"find library=(\S+) \[")
# The loader's handles for AMD's libraries are in every build; only CUDA builds come here.
OTHER_VENDOR = re.compile(r"Hip|Roc|Miopen|MIOpen|Rocm")
SECTION_STRINGS, SECTION_DYNAMIC_SYMBOLS = 3, 11


class Result(ctypes.Structure):
    """``StatusOr<void*>``, declared larger than it is so that ctypes passes it in memory on every machine."""

    _fields_ = [("status", ctypes.c_void_p), ("value", ctypes.c_void_p), ("room", ctypes.c_uint64 * 6)]


class LinkMap(ctypes.Structure):
    """The public head of an entry of the loader's list (``link.h``)."""


LinkMap._fields_ = [
    ("base", ctypes.c_size_t),
    ("name", ctypes.c_char_p),
    ("dynamic", ctypes.c_void_p),
    ("next", ctypes.POINTER(LinkMap)),
    ("previous", ctypes.POINTER(LinkMap)),
]


def framework() -> str:
    """The path of ``libtensorflow_framework`` beside the package that ``import tensorflow`` would find; empty when there is none."""
    for name in ("tensorflow", "tensorflow_core"):  # 1.15 to 2.1 keep their libraries in tensorflow_core
        spec = importlib.util.find_spec(name)
        for folder in list(spec.submodule_search_locations or []) if spec else []:
            found = sorted(glob.glob(os.path.join(glob.escape(folder), "libtensorflow_framework.so*")))
            if found:
                return found[-1]
    return ""


def exported(path: str) -> "list[bytes]":
    """The exported dynamic symbols that belong to ``DsoLoader`` (64-bit ELF; section headers of the System V ABI)."""
    with open(path, "rb") as file:
        head = file.read(64)
        offset, size, count = struct.unpack_from("<Q", head, 40)[0], *struct.unpack_from("<HH", head, 58)
        file.seek(offset)
        table = file.read(size * count)
        sections = [struct.unpack_from("<IIQQQQII", table, size * number) for number in range(count)]
        symbols = next(item for item in sections if item[1] == SECTION_DYNAMIC_SYMBOLS)
        strings = sections[symbols[6]]
        file.seek(strings[4])
        names = file.read(strings[5])
    return sorted({name for name in names.split(b"\0") if b"DsoLoader" in name and b"CachedDsoLoader" not in name})


def loaded() -> "dict[int, str]":
    """The loader's list: address of each entry and the path it was loaded from."""
    program = ctypes.CDLL(None)
    program.dlinfo.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    entry = ctypes.POINTER(LinkMap)()
    program.dlinfo(program._handle, 2, ctypes.byref(entry))  # noqa: SLF001 - RTLD_DI_LINKMAP wants the handle
    found = {}
    while entry:
        name = entry.contents.name or b""
        found[ctypes.addressof(entry.contents)] = os.fsdecode(name)
        entry = entry.contents.next
    return found


class Account:
    """What the loader wrote since it was last asked."""

    def __init__(self) -> None:
        prefix = os.environ.get("LD_DEBUG_OUTPUT", "")  # noqa: TID251 - this is the target's process
        self.path = f"{prefix}.{os.getpid()}"
        self.offset = 0

    def new(self) -> str:
        """The text since the last call; empty when the loader keeps no account."""
        try:
            with open(self.path, errors="replace") as file:
                file.seek(self.offset)
                text = file.read()
                self.offset = file.tell()
        except OSError:
            return ""
        return text


def asked(text: str, library: str) -> "list[str]":
    """The names that ``library`` itself asked for, in order; not the dependencies of what it opened."""
    names = []
    for name, by in ASKED.findall(text):
        if os.path.basename(by) == os.path.basename(library) and name not in names:
            names.append(name)
    return names


def versions(handle: int, path: str) -> str:
    """The version that a loaded library tells of itself; empty where it has no such function (NVIDIA's API references)."""
    library = ctypes.CDLL(path, handle=handle)
    base = os.path.basename(path).split(".so")[0][3:]
    try:
        return SELF_TOLD[base](library) if base in SELF_TOLD else ""
    except (AttributeError, OSError, ValueError):
        return ""


def by_number(function: str, scale: int = 1000) -> Any:
    """A function that fills in one integer: 12050 for 12.5 (``scale`` 1000), 22707 for 2.27.7 (``scale`` 10000)."""

    def read(library: "ctypes.CDLL") -> str:
        value = ctypes.c_int()
        getattr(library, function)(ctypes.byref(value))
        number = value.value
        # libcudart of CUDA 11 answers nothing where there is no driver.
        if not number:
            return ""
        if scale == 1000:  # noqa: PLR2004
            return f"{number // 1000}.{number % 1000 // 10}"
        return f"{number // 10000}.{number % 10000 // 100}.{number % 100}"

    return read


def by_property(function: str) -> Any:
    """``fooGetProperty(MAJOR_VERSION | MINOR_VERSION | PATCH_LEVEL, int*)`` (``library_types.h``)."""

    def read(library: "ctypes.CDLL") -> str:
        parts = []
        for kind in range(3):
            value = ctypes.c_int(-1)
            getattr(library, function)(kind, ctypes.byref(value))
            parts.append(value.value)
        if min(parts) < 0:
            raise ValueError("no version")
        return "{}.{}.{}".format(*parts)

    return read


def cudnn(library: "ctypes.CDLL") -> str:
    """``cudnnGetVersion``: 8907 is 8.9.7, from cuDNN 9 on 91002 is 9.10.2."""
    library.cudnnGetVersion.restype = ctypes.c_size_t
    number = library.cudnnGetVersion()
    scale = 10000 if number >= 10000 else 1000  # noqa: PLR2004 - the two schemes above
    return f"{number // scale}.{number % scale // 100}.{number % 100}"


def nvrtc(library: "ctypes.CDLL") -> str:
    """``nvrtcVersion(int*, int*)``."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    return f"{major.value}.{minor.value}"


SELF_TOLD = {
    "cudart": by_number("cudaRuntimeGetVersion"),
    "cuda": by_number("cuDriverGetVersion"),
    "cublas": by_property("cublasGetProperty"),
    "cublasLt": by_property("cublasLtGetProperty"),
    "cufft": by_property("cufftGetProperty"),
    "curand": by_property("curandGetProperty"),
    "cusolver": by_property("cusolverGetProperty"),
    "cusparse": by_property("cusparseGetProperty"),
    "cudnn": cudnn,
    "nccl": by_number("ncclGetVersion", 10000),
    "nvrtc": nvrtc,
}


def driver(handle: int, path: str) -> "dict[str, Any]":
    """Initialise the driver and count its GPUs: result codes of ``cuInit`` and ``cuDeviceGetCount`` (CUDA driver API)."""
    library = ctypes.CDLL(path, handle=handle)
    code = library.cuInit(0)
    count = ctypes.c_int(0)
    if code == 0:
        code = library.cuDeviceGetCount(ctypes.byref(count))
    text = ctypes.c_char_p()
    library.cuGetErrorName(code, ctypes.byref(text))
    return {"event": "driver", "code": code, "name": (text.value or b"").decode(), "gpus": count.value, "version": versions(handle, path)}


def main(out: str, mark: str) -> None:
    """Open everything TensorFlow would, in its order: the required set first."""
    target = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(**event: Any) -> None:
        os.write(target, f"{mark} {json.dumps(event)}\n".encode())

    path = framework()
    write(event="framework", path=path)
    if not path:
        return
    names = exported(path)
    library = ctypes.CDLL(path)
    account = Account()
    for name in names:
        if REQUIRED.fullmatch(name):
            # The account begins with the start of the process: some releases open libcudart when they are loaded.
            call(library, name)
            # What they need themselves (cublasLt for cublas) was loaded with them, and is not asked for again.
            write(event="required", sonames=asked(account.new(), path), loaded=sorted(name for name in loaded().values() if name))
    handles = {}
    for name in names:
        match = GETTER.fullmatch(name)
        kind = match.group(1).decode().lstrip("0123456789") if match else ""
        if not kind or OTHER_VENDOR.match(kind):
            continue
        write(event="opening", kind=kind)
        value = call(library, name)
        maps = loaded()
        text = account.new()
        file = maps.get(value, "") if value else ""
        handles[kind] = (value, file)
        # Where opening fails, the name that was searched last is the one that was not found: the library itself or one that it needs.
        searched = SEARCHED.findall(text)
        write(event="library", kind=kind, asked=asked(text, path), path=file, missing=searched[-1] if searched and not file else "")
        if file:
            write(event="version", kind=kind, version=versions(value, file))
    if handles.get("CudaDriver", (0, ""))[1]:
        write(event="opening", kind="cuInit")
        write(**driver(*handles["CudaDriver"]))
    write(event="done")


def call(library: "ctypes.CDLL", name: bytes) -> int:
    """Call one function of ``DsoLoader`` and return the second word of its result."""
    function = library[name.decode()]
    function.restype = Result
    return int(function().value or 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "@")  # noqa: PLR2004
