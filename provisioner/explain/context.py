"""What is known of the machine beside the messages: what was told (``--context``), and what the lines show by the way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from provisioner.causes.history import History
from provisioner.explain.signs import Os, os_of_lines, said_platform
from provisioner.model.record import record

Version = tuple[int, ...]


@record
class Circumstances:
    """``python`` as (3, 11); ``tensorflow`` as text, "" where it is not known; ``wanted`` is true when it is asked for and not yet installed.

    ``arch`` as in platform names of the catalogue (``x86_64``, ``aarch64``) or another (``i686``, ``armv7l``); ``bits`` 0 where unknown.
    ``gpu`` is the text about it; ``capability`` () where unknown; ``gpu_present`` is None where nobody said. ``cudas`` are the CUDA versions that
    are installed, ``driver``, ``cudnn`` and ``pip`` as told or shown. ``glibc`` and ``macos`` () where unknown. ``told`` holds what was told.
    """

    os: Os = ""
    wsl: bool = False
    musl: bool = False
    container: bool = False
    notebook: bool = False
    arch: str = ""
    apple_silicon: bool = False
    bits: int = 0
    python: Version = ()
    tensorflow: str = ""
    wanted: bool = False
    gpu: str = ""
    capability: Version = ()
    gpu_present: bool | None = None
    cudas: tuple[Version, ...] = ()
    cudnn: Version = ()
    driver: Version = ()
    glibc: Version = ()
    macos: Version = ()
    pip: Version = ()
    install: str = ""
    told: str = ""

    @property
    def platform(self) -> str:
        """The platform as the catalogue names it, as far as it is known: ``linux-x86_64``, or "" without an operating system."""
        if not self.os:
            return ""
        return f"{self.os}-{self.arch or ('aarch64' if self.apple_silicon else 'x86_64')}"

    @property
    def native_windows(self) -> bool:
        """True on Windows itself, not in WSL."""
        return self.os == "windows" and not self.wsl


def numbers(text: str) -> Version:
    """Return the first dotted number in a text: ``(3, 10)`` of ``Python 3.10``; () where there is none."""
    found = re.search(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")[:4]) if found and len(found[0]) < 40 else ()  # noqa: PLR2004 - no version is longer


_ARCHES = (
    ("aarch64", r"aarch64|\barm64|armv8|apple m\d|\bm[1-4]( (pro|max|ultra))?\b(?!\w)|apple sili|graviton|\bjetson|\bgh200|\bgb200"),
    ("armv7l", r"armv[67]l?|armhf|raspbian|raspberry pi os.{0,10}32|raspberry pi ([123]\b|zero)"),
    ("i686", r"\bi[3-6]86\b|\bx86\b(?!.?64)|win32 arch"),
    (
        "x86_64",
        r"x86.64|\bamd64\b|\bx64\b|\bintel\b|celeron|pentium|xeon|core i\d|\bi[3579][ -]\w*\d|amdfam|ryzen|epyc|\bamd\b|opteron|atom\b",
    ),
    ("ppc64le", r"ppc64|power[89]"),
    ("riscv64", r"riscv"),
    ("s390x", r"s390x"),
)


def of_context(context: Mapping[str, str], history: History) -> Circumstances:
    """Read what was told; free text in every key, since people write it."""
    told = {key: value.lower() for key, value in context.items()}
    os_text, arch_text, install = told.get("os", ""), told.get("arch", ""), told.get("install", "")
    python, gpu = told.get("python", ""), told.get("gpu", "")
    everything = " ; ".join(told.values())
    os = _os_of(os_text) or _os_of(install) or ("macos" if re.search(r"apple m\d|apple sili", everything) else "")
    wsl = "wsl" in everything
    none = bool(re.search(r"\b(none|no gpu|without|cpu only)\b", gpu))
    tensorflow = told.get("tensorflow", "")
    return Circumstances(
        os="linux" if wsl else os,
        wsl=wsl,
        musl=bool(re.search(r"alpine|\bmusl", everything)),
        container=bool(re.search(r"docker|container|singularity|apptainer|podman|kubernetes|\bimage\b", everything)),
        notebook=bool(re.search(r"jupyter|notebook|colab|kernel\b(?! \d)|spyder|vs ?code|pycharm", install + os_text)),
        arch=_arch_of(f"{arch_text} ; {os_text} ; {python}") or ("x86_64" if os == "macos" and (10,) <= numbers(os_text) < (11,) else ""),
        apple_silicon=bool(re.search(r"apple m\d|apple sili|\barm64", f"{arch_text} ; {os_text}")) and os in {"macos", ""},
        bits=_bits_of(everything),
        python=numbers(python)[:2],
        tensorflow=_tensorflow_of(tensorflow),
        wanted="wanted" in tensorflow,
        gpu="" if none else gpu,
        capability=() if none else capability_of(gpu, history),
        gpu_present=False if none else True if gpu else None,
        cudas=tuple(numbers(item) for item in re.findall(r"\d+(?:\.\d+)*", told.get("cuda", ""))),
        cudnn=numbers(told.get("cudnn", "")),
        driver=numbers(told.get("driver", "")),
        glibc=_glibc_of(os_text, history),
        macos=numbers(os_text) if os == "macos" else (),
        pip=_pip_of(everything),
        install=install,
        told=everything,
    )


def merged(first: Circumstances, second: Circumstances) -> Circumstances:
    """Return ``first`` with what it lacks from ``second``."""
    values = {}
    for name in Circumstances.__record__:  # type: ignore[attr-defined]  # what ``record`` leaves on a class
        mine, other = getattr(first, name[0]), getattr(second, name[0])
        values[name[0]] = mine if mine not in ("", (), 0, None, False) or (name[0] == "gpu_present" and mine is not None) else other
    return Circumstances(**values)


def of_text(text: str, history: History) -> Circumstances:
    """Read what the lines show by the way: paths, banners, names of wheels, tables of nvidia-smi."""
    lowered = text.lower()
    said_os, said_arch = said_platform(lowered)
    os = said_os or os_of_lines(lowered)
    wsl = "microsoft-standard" in lowered or "wsl2" in lowered or "/mnt/c/users" in lowered
    python: Version = ()
    bits, arch = 0, ""
    for found in re.finditer(r"^(?:\W{0,4}|.{0,40}\$ ?)python (\d\.\d+)(?:\.\d+)?[^\n]{0,200}", lowered, re.MULTILINE):
        python = numbers(found[1])
        banner = found[0] + lowered[found.end() : found.end() + 120]
        bits = 32 if "32 bit" in banner else 64 if "64 bit" in banner else 0
        os = "windows" if " on win32" in banner else "macos" if " on darwin" in banner else "linux" if " on linux" in banner else os
        break
    python = python or _python_of_paths(text)
    # The installer of Python for Windows names its folders so; a 32-bit program of a 64-bit Windows lies in Program Files (x86).
    bits = bits or (
        32
        if re.search(r"\('32bit', |python3\d{1,2}-32\b|program files \(x86\)\\(python|anaconda|miniconda)|win32[\\/]python", lowered)
        else 0
    )
    if said_arch:
        arch = said_arch
    elif ("arm64" in lowered and os in {"macos", ""}) or re.search(r"aarch64-linux|linux_aarch64|aarch64 gnu/linux|-tegra\b", lowered):
        arch = "aarch64"
    elif "armv7l" in lowered:
        arch = "armv7l"
    elif "amd64" in lowered or "x86_64-linux" in lowered:
        arch = "x86_64"
    capability, gpu = _gpu_of_lines(lowered, history)
    tensorflow = re.search(r"tensorflow(?:[ _-](?:cpu|gpu|intel|macos))?(?: version)?\s?(?:==|:|-|\s|is)\s?v?(\d\.\d+(?:\.\d+)?)", lowered)
    return Circumstances(
        os="linux" if wsl else os,
        wsl=wsl,
        musl="musl" in lowered or "alpine" in lowered or "error relocating" in lowered,
        container=bool(re.search(r"docker|/\.singularity|nvidia-container|containerd|/workspace#|(?:start|run) this container", lowered)),
        notebook=bool(re.search(r"ipython-input|ipykernel|jupyter|spyder|localhost:8080/#", lowered)),
        arch=arch,
        apple_silicon=not said_arch and bool(re.search(r"apple m\d|arm64e?[')\]]|macosx_1[1-9]_\d_arm64", lowered)),
        bits=bits,
        python=python,
        tensorflow=tensorflow[1] if tensorflow else "",
        gpu=gpu,
        capability=capability,
        gpu_present=True if gpu or capability else None,
        cudas=tuple(_cudas_of_lines(lowered)),
        driver=_driver_of_lines(lowered),
        pip=_pip_of(lowered),
        told=lowered[:0],
    )


def capability_of(text: str, history: History) -> Version:
    """Return the compute capability of a GPU by its name in a text, () where it is not known."""
    found = re.search(r"capability:? (\d+\.\d)\b", text)
    if found:
        return numbers(found[1])
    lowered = text.lower()
    return next((numbers(item.capability) for item in history.gpus if re.search(item.pattern, lowered)), ()) if lowered else ()


def _os_of(text: str) -> Os:
    if "wsl" in text:
        return "linux"
    if re.search(
        r"\bmac(\b|os|book|intosh)|os ?x\b|darwin|monterey|ventura|sonoma|sequoia|big sur|catalina|mojave|sierra|el capitan|yosemite", text
    ):
        return "macos"
    if re.search(r"windows|\bwin ?\d|\bwin\b", text):
        return "windows"
    if re.search(
        r"lambda|amazon|\baws\b|kaggle|kubernetes|"
        r"linux|ubuntu|debian|centos|red ?hat|rhel|fedora|suse|alpine|mint|manjaro|pop!?_os|raspbian|colab|docker|jetson|rocky|kernel|"
        r"gentoo|nixos|raspberry|kali|elementary",
        text,
    ):
        return "linux"
    return ""


def _arch_of(text: str) -> str:
    return next((name for name, pattern in _ARCHES if re.search(pattern, text)), "")


def _bits_of(text: str) -> int:
    if re.search(r"32.?bit|\bx86\b(?!.?64)|\bi[3-6]86\b", text):
        return 32
    return 64 if re.search(r"64.?bit|x86.64|amd64|\bx64\b", text) else 0


def _tensorflow_of(text: str) -> str:
    found = re.search(r"(?<!\d)\d+\.\d+(\.\d+)?(\.?(rc|a|b|post|dev)\d+)?", text)
    return found[0] if found else ""


def _pip_of(lowered: str) -> Version:
    """The pip that ran: told, as ``pip --version`` prints it, or as pip says it of itself beside a newer one."""
    searched = (
        re.search(r"p(?<!\wp)ip3? (?:version )?v?(\d+\.\d+(?:\.\d+)?)(?! is available)", lowered),
        re.search(r"notice\W{1,4}a new release of pip.{0,30}?(\d+\.\d+)", lowered),
    )
    first = min((found for found in searched if found), key=lambda found: found.start(), default=None)
    return numbers(first[1]) if first else ()


def _glibc_of(text: str, history: History) -> Version:
    return next((numbers(item.glibc) for item in history.systems if re.search(item.pattern, text)), ())


def _python_of_paths(text: str) -> Version:
    for pattern in (
        # What pip says of the interpreter that it runs in.
        r"requires a different Python:? (\d)\.(\d+)",
        r"(?:site|dist)-packages[^\n]{0,120}cpython-(\d)(\d+)\b",
        r"[\\/][Pp]ython(\d)\.(\d+)[\\/]",
        r"[\\/][Pp]ython(\d)(\d+)(?:-32)?[\\/]",
        r"cpython-(\d)(\d+)[-.]",
        # What pip has chosen fits the interpreter; a wheel that it refuses does not.
        *(() if "not a supported wheel" in text else (r"-cp(\d)(\d+)-",)),
    ):
        found = re.search(pattern, text)
        if found:
            return (int(found[1]), int(found[2][:2]))
    return ()


def _gpu_of_lines(lowered: str, history: History) -> tuple[Version, str]:
    found = re.search(r"compute ?capability:? (\d+\.\d)\b|ptxas does not support cc (\d+\.\d)\b", lowered)
    parts = re.search(r"major: (\d+) minor: (\d)", lowered)
    name = re.search(r"(?:geforce|tesla|quadro|nvidia (?:rtx|geforce|a\d|h\d|l\d|titan)|\brtx\b|\bgtx\b)[ \w-]{0,24}", lowered)
    capability = numbers(found[1] or found[2]) if found else (int(parts[1]), int(parts[2])) if parts else ()
    return capability or (capability_of(name[0], history) if name else ()), name[0].strip() if name else ""


def _cudas_of_lines(lowered: str) -> Iterator[Version]:
    seen = set()
    for found in re.finditer(
        r"/cuda-(\d+\.\d+)|cuda\\v(\d+\.\d+)|cuda compilation tools, release (\d+\.\d+)|cudatoolkit[= -]+(\d+\.\d+)", lowered
    ):
        version = numbers(next(item for item in found.groups() if item))
        if version not in seen:
            seen.add(version)
            yield version


def _driver_of_lines(lowered: str) -> Version:
    number = r"(\d{3}\.\d+(?:\.\d+)?)"
    found = re.search(rf"driver version: ?{number}|libcuda reported version is: {number}|\bversion {number} was detected", lowered)
    return numbers(next(item for item in found.groups() if item)) if found else ()
