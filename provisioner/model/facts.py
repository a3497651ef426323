"""What is known of a machine: every fact with its value, its source, or why it is missing."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Generic, Literal, TypeVar

from provisioner.model.record import record

T = TypeVar("T")

Status = Literal["known", "absent", "unknown"]


@record
class Fact(Generic[T]):
    """One answer.

    ``known``: ``value`` holds it. ``absent``: it was asked for and is not there. ``unknown``: it could not be asked.
    ``source`` names where the answer comes from (a file, a call, an override); ``why`` says why there is no value.
    """

    status: Status
    source: str
    value: T | None = None
    why: str = ""


def known(value: T, source: str) -> Fact[T]:
    """Return the fact that holds ``value``."""
    return Fact(status="known", value=value, source=source)


def absent(source: str, why: str) -> Fact[T]:
    """Return the fact of something that was asked for and is not there."""
    return Fact(status="absent", source=source, why=why)


def unknown(source: str, why: str) -> Fact[T]:
    """Return the fact of something that could not be asked."""
    return Fact(status="unknown", source=source, why=why)


# Of what is asked only where it matters.
NOT_ASKED: Fact[Any] = unknown("", "not asked")


@record
class Distribution:
    """An operating system's distribution, as ``/etc/os-release`` gives it."""

    id: str
    version: str = ""
    name: str = ""
    like: tuple[str, ...] = ()


@record
class Libc:
    """The C library: ``kind`` is ``glibc`` or ``musl``; ``version`` as ``2.36``."""

    kind: str
    version: str


@record
class System:
    """The operating system under the tool.

    ``os``: ``linux``, ``macos``, ``windows``. ``architecture``: of the programs that are right here, and so of the wheels (``x86_64``,
    ``aarch64``, …): the hardware's; on Linux that of the system's own programs, where an emulator runs all of them or the kernel alone has
    64 bits. macOS ``arm64`` is given as ``aarch64``. ``process_architecture``: of the Python that runs (differs under Rosetta and for 32-bit
    Pythons). ``translated``: whether an emulator runs that Python.
    ``wsl``: ``1`` or ``2``. ``container``: ``docker``, ``podman``, ``lxc``, ``kubernetes``, ``apptainer``, …
    ``kernel``: its release. ``version``: of macOS (``14.5``) or the Windows build (``10.0.22631``).
    """

    os: Fact[str]
    version: Fact[str]
    distribution: Fact[Distribution]
    kernel: Fact[str]
    wsl: Fact[str]
    container: Fact[str]
    libc: Fact[Libc]
    architecture: Fact[str]
    process_architecture: Fact[str]
    translated: Fact[bool]


@record
class Cpu:
    """The processor. ``features`` are Linux flag names in lower case (``avx``, ``avx2``, ``fma``, ``avx512f``)."""

    model: Fact[str]
    cores: Fact[int]
    features: Fact[tuple[str, ...]]
    level: Fact[str]


@record
class Gpu:
    """One NVIDIA GPU. Capability as ``8.9``; memory in bytes; ``mig``: ``enabled``, ``disabled``; ``mig_devices``: names of the instances."""

    index: int
    name: str
    uuid: str = ""
    pci_id: str = ""
    compute_capability: Fact[str]
    memory: Fact[int]
    mig: Fact[str]
    mig_devices: tuple[str, ...] = ()


@record
class PciGpu:
    """A display or compute device by its PCI id: ``vendor`` is ``nvidia``, ``amd``, ``intel``, ``other``."""

    vendor: str
    id: str
    slot: str = ""
    driver: str = ""


@record
class Driver:
    """The NVIDIA driver: three different versions, never one.

    ``release``: of the user library, as ``550.54.14``. ``cuda``: the newest CUDA it supports, as ``12.4``.
    ``kernel_module``: what the kernel has loaded. ``devices``: the device files a process needs (``/dev/nvidia0``,
    ``/dev/nvidiactl``, ``/dev/nvidia-uvm``) that are there. ``problem``: why the driver does not answer although it is there.
    """

    release: Fact[str]
    cuda: Fact[str]
    kernel_module: Fact[str]
    devices: Fact[tuple[str, ...]]
    problem: str = ""


@record
class Toolkit:
    """A CUDA toolkit folder and its version."""

    path: str
    version: str


@record
class Library:
    """A shared library a loader could pick up: ``version`` read from the file itself; ``found_by`` names the search path."""

    soname: str
    path: str
    version: str
    found_by: str


# Bits of the Pythons that TensorFlow has wheels for.
WIDTH = 64
# Without these of Python's own modules TensorFlow is not imported, or its wheels not unpacked.
NEEDED = frozenset({"_ctypes", "zlib"})


@record
class Interpreter:
    """A Python: ``path`` of the executable, ``version`` as ``3.11.7``; ``origin``: path, pyenv, uv, conda, system, launcher, store (Microsoft's).

    ``managed`` is true when PEP 668 forbids changing it; ``virtual`` when it belongs to a virtual environment; ``architecture`` as in ``System``.
    ``lacks`` are modules of Python's own that cannot be imported (``_ctypes``): it was built without their libraries, or has lost them.
    """

    path: str
    version: str
    bits: int
    architecture: str
    implementation: str
    origin: str
    managed: bool = False
    virtual: bool = False
    free_threaded: bool = False
    lacks: tuple[str, ...] = ()

    @property
    def carries(self) -> bool:
        """True for one that wheels are made for, the usual CPython with 64 bits, and that TensorFlow can be imported with."""
        usual = self.implementation.lower() == "cpython" and self.bits == WIDTH and not self.free_threaded
        return usual and not NEEDED.intersection(self.lacks)


@record
class PythonDownload:
    """A CPython that uv can fetch: ``key`` as uv names it (``cpython-3.13.18-linux-x86_64-gnu``), kept by uv in ``folder`` (absolute).

    ``version`` is ``3.13.18``, or ``3.13`` where uv's list can only be read with the network; ``source`` is the host that it comes from, or the
    address of a folder (``file:///mirror``), without credentials. ``size`` and ``unpacked`` are in bytes, and about right: uv's list has none.
    """

    key: str
    version: str
    folder: str
    source: str
    size: int
    unpacked: int

    @property
    def minor(self) -> str:
        """As ``3.13``."""
        return ".".join(self.version.split(".")[:2])

    @property
    def path(self) -> str:
        """Where its executable will be (uv's layout on Linux and macOS; a minor is a link that uv keeps to its newest patch)."""
        return f"{self.folder}/{self.key}/bin/python{self.minor}"


@record
class Tool:
    """A conda-like tool: ``conda``, ``mamba``, ``micromamba``, ``pixi``."""

    name: str
    path: str
    version: str = ""


@record
class Volume:
    """Where files will go: ``path`` is the nearest folder that exists; sizes in bytes; ``device`` names the file system."""

    path: str
    free: int
    free_inodes: int
    writable: bool
    filesystem: str = ""
    device: str = ""


@record
class Disk:
    """The volumes of the environment and of the installer's cache, and whether files can be hard linked between them."""

    environment: Fact[Volume]
    cache: Fact[Volume]
    hard_links: Fact[bool]


@record
class Windows:
    """What only Windows has: the Visual C++ runtime's version and those of its DLLs that are there, and whether long paths are on.

    ``exclusions`` are the folders and files that Microsoft Defender does not examine, absent where there is no Defender.
    """

    vc_runtime: Fact[str]
    long_paths: Fact[bool]
    vc_dlls: Fact[tuple[str, ...]] = NOT_ASKED
    exclusions: Fact[tuple[str, ...]] = NOT_ASKED


@record
class Facts:
    """A machine. ``gpus`` holds every NVIDIA GPU; ``pci_gpus`` every display device; ``variables`` the environment variables that matter.

    ``downloads`` are the Pythons that uv can fetch, which is asked only where none that is here fits.
    """

    system: System
    cpu: Cpu
    gpus: Fact[tuple[Gpu, ...]]
    pci_gpus: Fact[tuple[PciGpu, ...]]
    driver: Driver
    toolkits: Fact[tuple[Toolkit, ...]]
    libraries: Fact[tuple[Library, ...]]
    interpreters: Fact[tuple[Interpreter, ...]]
    conda_tools: Fact[tuple[Tool, ...]]
    disk: Disk
    windows: Windows | None = None
    variables: dict[str, str] = field(default_factory=dict)
    downloads: Fact[tuple[PythonDownload, ...]] = NOT_ASKED


def machine_words(facts: Facts) -> str:
    """Return a machine in one line, without anything that names it or its user."""
    system = facts.system
    distribution = system.distribution.value
    name = distribution.name or f"{distribution.id} {distribution.version}" if distribution else system.os.value or "unknown system"
    parts = [name.strip(), system.architecture.value or "unknown architecture", facts.cpu.model.value or ""]
    parts += [gpu.name for gpu in facts.gpus.value or ()]
    return ", ".join(part for part in parts if part)
