"""CUDA toolkits, and every copy of libcudart, libcudnn and libcuda that a loader could pick up, with the version the file itself gives."""

from __future__ import annotations

import posixpath
import re
import struct
from collections.abc import Iterator

from provisioner.base.paths import is_absolute
from provisioner.facts import conda, elf, gpu, ldcache
from provisioner.facts.gpu_answers import cuda_version
from provisioner.facts.gpu_signs import parse_library_release
from provisioner.host import Reader, files
from provisioner.model.facts import Fact, Library, Toolkit, absent, known
from provisioner.model.json_text import read_json

NAMES = ("libcudart.so", "libcudnn.so", "libcuda.so")
TOOLKITS = ("/usr/local/cuda", "/usr/local/cuda-*", "/opt/cuda", "/opt/nvidia/cuda*", "/usr/lib/cuda", "/usr/lib/nvidia-cuda-toolkit")
ON_WINDOWS = "NVIDIA GPU Computing Toolkit/CUDA/v*"
SYSTEM = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib", "/usr/lib/wsl/lib")
SECONDS = 20.0
MAX_CUDART = 8 << 20
DATE_DIGITS = 8


def parse_version_json(text: str) -> str:
    """A toolkit's version in ``version.json``: ``{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}, …}``.

    Some releases give a date as the third part (``11.4.20210623``), which is left out.
    """
    try:
        version = str(read_json(text)["cuda"]["version"])
    except (ValueError, KeyError, TypeError):
        return ""
    parts = version.split(".")
    if not all(part.isdecimal() for part in parts):
        return ""
    return ".".join(part for part in parts if len(part) < DATE_DIGITS)


def parse_version_txt(text: str) -> str:
    """A toolkit's version in ``version.txt``, up to CUDA 11.0: ``CUDA Version 10.1.243``."""
    found = re.search(r"CUDA Version (\d+(?:\.\d+)+)", text)
    return found[1] if found else ""


def parse_header(text: str) -> str:
    """A toolkit's version in ``include/cuda.h``: ``#define CUDA_VERSION 12040``."""
    found = re.search(r"^#define\s+CUDA_VERSION\s+(\d+)", text, re.MULTILINE)
    return cuda_version(int(found[1][:9])) if found else ""


def cudnn_version(number: int) -> str:
    """What ``cudnnGetVersion`` gives: 8907 is 8.9.7, and from 9 on 90100 is 9.1.0 (cudnn_version.h)."""
    unit = 10000 if number >= 90000 else 1000  # noqa: PLR2004 - the change of the formula
    return f"{number // unit}.{number % unit // 100}.{number % 100}" if 1 <= number // unit <= 99 else ""  # noqa: PLR2004


def constant_version(data: bytes, architecture: str, major: int) -> str:
    """The version that a libcudart's code stores through the pointer it was given, empty when there is no such constant.

    x86-64: ``movl $0x2f08,(%rdi)``, bytes ``c7 07`` and the number; aarch64: ``movz w1,#0x2f08``. Other versions of the same major occur as
    limits of single functions, none newer than the library. Read from the wheels of 11.7, 11.8, 12.1, 12.4, 12.9, 13.0 (x86-64: the only
    constant) and 11.8, 12.4 (aarch64: the greatest). Calling the function instead fails where the driver is missing (11.x: error 35).
    """
    if architecture == "x86_64":
        numbers = {int.from_bytes(found, "little") for found in re.findall(rb"\xc7\x07(..)\0\0", data, re.DOTALL)}
    elif architecture == "aarch64":
        words = {word for (word,) in struct.iter_unpack("<I", data[: len(data) // 4 * 4])}
        numbers = {word >> 5 & 0xFFFF for word in words if word & 0xFFE00000 == 0x52800000}  # noqa: PLR2004 - the opcode
    else:
        return ""
    return cuda_version(max((number for number in numbers if number // 1000 == major and number % 10 == 0), default=0))


def file_version(path: str) -> str:
    """The version in a library's own file name (``libcudart.so.11.8.89``), empty without one."""
    found = re.search(r"\.so\.(\d+(?:\.\d+)*)$", path)
    return found[1] if found else ""


def judge(name: str, soname: str, answered: str) -> str:
    """The version of a library: what it says, made longer by its file name when that begins the same; else file name or soname.

    libcuda's is the driver's release, which only its file name gives (WSL's ``libcuda.so.1.1`` gives none).
    """
    if name.startswith("libcuda."):
        return parse_library_release(name)
    named = file_version(name)
    if answered:
        return named if named.startswith(answered + ".") else answered
    return max(named, file_version(soname), key=len)


def toolkits(host: Reader) -> Fact[tuple[Toolkit, ...]]:
    """The folders of $CUDA_HOME and $CUDA_PATH and the usual ones, each once; version.json, version.txt, then include/cuda.h."""
    patterns = [host.env.get(name, "") for name in ("CUDA_HOME", "CUDA_PATH", "CUDA_ROOT")]
    on_windows = host.platform == "win32"
    # Its installer sets CUDA_PATH to the last one, and a variable for each (NVIDIA, "CUDA Installation Guide for Microsoft Windows").
    patterns += [value for name, value in sorted(host.env.items()) if name.startswith("CUDA_PATH_V")] if on_windows else []
    usual = (f"{host.env.get('PROGRAMFILES', 'C:/Program Files')}/{ON_WINDOWS}",) if on_windows else TOOLKITS
    folders = [path for pattern in (*patterns, *usual) if pattern for path in files.matches(host, pattern)]
    found = []
    for folder in dict.fromkeys(files.real(host, folder) for folder in folders):
        version = _toolkit_version(host, folder)
        if version or files.there(host, f"{folder}/bin/nvcc{'.exe' if on_windows else ''}"):
            found.append(Toolkit(path=folder, version=version))
    source = "CUDA_HOME and the usual folders"
    return known(tuple(found), source) if found else absent(source, "no CUDA toolkit was found (TensorFlow does not need one)")


def _toolkit_version(host: Reader, folder: str) -> str:
    sources = (("version.json", parse_version_json), ("version.txt", parse_version_txt), ("include/cuda.h", parse_header))
    for name, parse in sources:
        version = parse(files.read(host, f"{folder}/{name}", 2 << 20).text or "")
        if version:
            return version
    return ""


def libraries(host: Reader) -> Fact[tuple[Library, ...]]:
    """Every copy, each file once, in the loader's order.

    1. LD_LIBRARY_PATH; 2. the loader's cache; 3. the system's folders; then places that programs add by themselves: 4. toolkits,
    5. conda environments.

    libcudart's version is a constant in its code; libcudnn is loaded in a child process and asked, as is a libcudart without the constant;
    libcuda's file carries the driver's release in its name.
    """
    source = "LD_LIBRARY_PATH, ldconfig's cache, toolkits, conda"
    if host.platform != "linux":
        return absent(source, "looked for on Linux only")
    found: dict[str, tuple[str, str, str]] = {}
    said: dict[str, str] = {}
    for path, found_by in _paths(host):
        real = files.real(host, path)
        if real in found:
            continue
        try:
            read = elf.read_elf(host, real)
            said[real] = _constant(host, real, read)
        except files.FAULTS:
            continue  # a linker script, a dangling link, a file that may not be read
        found[real] = (read.soname or posixpath.basename(path), path, found_by)
    if not found:
        return absent(source, "no libcudart, libcudnn or libcuda on the loader's path (TensorFlow's own come with the environment)")
    said |= _asked(host, [real for real in found if not said[real] and not posixpath.basename(real).startswith("libcuda.")])
    made = [
        Library(soname=soname, path=path, version=judge(posixpath.basename(real), soname, said[real]), found_by=found_by)
        for real, (soname, path, found_by) in found.items()
    ]
    return known(tuple(made), source)


def _constant(host: Reader, path: str, read: elf.Elf) -> str:
    major = file_version(read.soname).split(".")[0]
    if not read.soname.startswith("libcudart.") or not major:
        return ""
    return constant_version(host.read_bytes(path, MAX_CUDART), read.header.architecture, int(major))


def _asked(host: Reader, paths: list[str]) -> dict[str, str]:
    """Load each library in a fork of one child process and call its version function."""
    tasks = {f"version:{path}": path for path in paths}
    answers = gpu.ask(host, list(tasks), seconds=SECONDS) if tasks else {}
    said = {}
    for task, path in tasks.items():
        number = answers[task].get("version")
        parse = cudnn_version if "cudnn" in posixpath.basename(path) else cuda_version
        said[path] = parse(number) if isinstance(number, int) else ""
    return said


def _paths(host: Reader) -> Iterator[tuple[str, str]]:
    for folder in host.env.get("LD_LIBRARY_PATH", "").split(":"):
        if is_absolute(folder):
            yield from _inside(host, folder, "LD_LIBRARY_PATH")
    for _, path in ldcache.find(host, *NAMES):
        yield path, "ldconfig"
    for folder in SYSTEM:
        yield from _inside(host, folder, folder)
    for pattern in TOOLKITS:
        for folder in files.matches(host, pattern):
            for inner in ("lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib", "compat"):
                yield from _inside(host, f"{folder}/{inner}", folder)
    for folder in conda.environments(host):
        yield from _inside(host, f"{folder}/lib", folder)


def _inside(host: Reader, folder: str, found_by: str) -> Iterator[tuple[str, str]]:
    escaped = re.sub(r"([*?[])", r"[\1]", folder)
    for path in files.matches(host, f"{escaped}/libcud*.so*"):
        if posixpath.basename(path).startswith(NAMES):
            yield path, found_by
