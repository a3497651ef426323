"""The operating system, from recorded files of many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.facts import libc, macos, system
from provisioner.host import Completed
from provisioner.model.facts import Distribution, Libc
from tests.facts.fake_reader import FakeReader

UBUNTU = 'PRETTY_NAME="Ubuntu 22.04.4 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n'


def elf(machine: int, bits: int = 64) -> bytes:
    """The start of an ELF file, enough for its header."""
    size = b"\2" if bits == 64 else b"\1"
    return b"\x7fELF" + size + b"\1\1" + bytes(9) + (2).to_bytes(2, "little") + machine.to_bytes(2, "little") + bytes(44)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (UBUNTU, Distribution(id="ubuntu", version="22.04", name="Ubuntu 22.04.4 LTS", like=("debian",))),
        (
            "ID='rocky'\nVERSION_ID='9.3'\nID_LIKE='rhel centos fedora'",
            Distribution(id="rocky", version="9.3", like=("rhel", "centos", "fedora")),
        ),
        ("NAME=Arch Linux\nID=arch\n# comment=1\n", Distribution(id="arch", name="Arch Linux")),
        ("", None),
        ("garbage\n=\n", None),
    ],
)
def test_parse_os_release(text: str, expected: Distribution | None) -> None:
    assert system.parse_os_release(text) == expected


@pytest.mark.parametrize(
    ("kernel", "version"),
    [("5.15.153.1-microsoft-standard-WSL2", "2"), ("4.4.0-19041-Microsoft", "1"), ("6.1.0-18-amd64", ""), ("5.15.0-custom-WSL2+", "2")],
)
def test_parse_wsl(kernel: str, version: str) -> None:
    assert system.parse_wsl(kernel) == version


def linux(files: dict[str, object] | None = None, **options: object) -> FakeReader:
    base = {
        "/etc/os-release": UBUNTU,
        "/proc/sys/kernel/osrelease": "6.5.0-21-generic\n",
        "/proc/sys/kernel/arch": "x86_64\n",
        "/usr/bin/python3": elf(62),
        "/proc/1/cgroup": "0::/init.scope\n",
    }
    return FakeReader({**base, **(files or {})}, **options)  # type: ignore[arg-type]


def test_plain_linux() -> None:
    found = system.probe(linux(), {})
    assert (found.os.value, found.kernel.value, found.architecture.value, found.process_architecture.value) == (
        "linux",
        "6.5.0-21-generic",
        "x86_64",
        "x86_64",
    )
    assert found.distribution.source == "/etc/os-release"
    assert (found.wsl.status, found.container.status, found.translated.status) == ("absent", "absent", "absent")


@pytest.mark.parametrize(
    ("kernel", "program", "loaders", "own", "translated"),
    [
        pytest.param("x86_64", elf(3, 32), ["/lib64/ld-linux-x86-64.so.2"], "x86_64", None, id="a 32-bit Python on a 64-bit system"),
        pytest.param("x86_64", elf(3, 32), ["/lib/ld-linux.so.2"], "i686", None, id="a 32-bit system on a 64-bit kernel"),
        pytest.param("aarch64", elf(40, 32), ["/lib/ld-linux-armhf.so.3"], "armv7l", None, id="Raspberry Pi OS of 32 bits"),
        pytest.param("aarch64", elf(40, 32), ["/lib/ld-linux-aarch64.so.1"], "aarch64", None, id="a 32-bit Python on ARM"),
        pytest.param("x86_64", elf(183), ["/lib/ld-linux-aarch64.so.1"], "aarch64", True, id="a container for arm64 on x86-64"),
        pytest.param("aarch64", elf(62), ["/lib64/ld-linux-x86-64.so.2"], "x86_64", True, id="a container for amd64 on Apple silicon"),
        pytest.param("x86_64", elf(22), [], "s390x", True, id="a container for s390x on x86-64"),
        pytest.param("riscv64", elf(243), [], "riscv64", None, id="another kind of machine"),
    ],
)
def test_wheels_are_for_the_programs_of_the_system(
    kernel: str, program: bytes, loaders: list[str], own: str, translated: bool | None
) -> None:
    machine = linux({system.ARCHITECTURE: f"{kernel}\n", "/usr/bin/python3": program, **dict.fromkeys(loaders, "")})
    found = system.probe(machine, {})
    assert (found.architecture.value, found.translated.value) == (own, translated)
    if own != kernel:
        assert f"the kernel is for {kernel} ({system.ARCHITECTURE})" in found.architecture.source


@pytest.mark.parametrize(
    ("files", "env", "engine"),
    [
        ({"/.dockerenv": ""}, {}, "docker"),
        ({"/run/.containerenv": ""}, {}, "podman"),
        ({"/.dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({"/.singularity.d": None}, {}, "apptainer"),
        ({"/run/systemd/container": "systemd-nspawn\n"}, {}, "systemd-nspawn"),
        ({}, {"container": "lxc"}, "lxc"),
        ({"/proc/1/cgroup": "12:cpu:/docker/3f2a\n"}, {}, "docker"),
        ({"/proc/1/cgroup": "1:name=systemd:/kubepods/besteffort/pod1\n"}, {}, "kubernetes"),
        ({"/proc/1/cgroup": PermissionError(13, "Permission denied")}, {}, None),
    ],
)
def test_containers(files: dict[str, object], env: dict[str, str], engine: str | None) -> None:
    assert system.probe(linux(files, env=env), {}).container.value == engine


def test_wsl2_with_an_own_kernel() -> None:
    found = system.probe(linux({"/dev/dxg": "", "/proc/sys/kernel/osrelease": "6.6.1-mine"}, env={"WSL_DISTRO_NAME": "Ubuntu"}), {})
    assert found.wsl.value == "2"


def test_architecture_without_the_new_kernel_file() -> None:
    machine = linux({"/proc/cpuinfo": "processor: 0\nflags\t\t: fpu lm avx\n"})
    del machine.files["/proc/sys/kernel/arch"]
    assert (system.probe(machine, {}).architecture.value, machine.started) == ("x86_64", [])
    machine = linux({"/proc/cpuinfo": "processor: 0\n", "/usr/bin/python3": elf(21)}, commands={("uname", "-m"): "ppc64le\n"})
    del machine.files["/proc/sys/kernel/arch"]
    assert system.probe(machine, {}).architecture.value == "ppc64le"


def test_unreadable_files_become_unknown_with_a_reason() -> None:
    refused = PermissionError(13, "Permission denied")
    files = dict.fromkeys(
        ("/etc/os-release", "/proc/sys/kernel/osrelease", "/proc/sys/kernel/arch", "/usr/bin/python3", "/proc/cpuinfo"), refused
    )
    found = system.probe(FakeReader(files, commands={("uname",): OSError(8, "Exec format error")}), {})
    assert found.distribution.status == "unknown"
    assert "permission denied" in found.distribution.why
    assert found.architecture.why == "exec format error"
    assert (found.kernel.status, found.process_architecture.status, found.libc.status) == ("unknown", "unknown", "unknown")


def test_apple_silicon_under_rosetta() -> None:
    text = "hw.optional.arm64: 1\nsysctl.proc_translated: 1\nkern.osproductversion: 14.5\nkern.osrelease: 23.5.0\n"
    machine = FakeReader(platform="darwin", commands={(macos.SYSCTL,): text})
    found = system.probe(machine, macos.probe(machine))
    assert (found.os.value, found.version.value, found.architecture.value, found.process_architecture.value, found.translated.value) == (
        "macos",
        "14.5",
        "aarch64",
        "x86_64",
        True,
    )
    assert found.libc.status == "absent"


def test_old_macos_has_its_version_in_a_file() -> None:
    plist = "<dict><key>ProductVersion</key>\n\t<string>10.15.7</string></dict>"
    machine = FakeReader({system.SYSTEM_VERSION: plist}, platform="darwin")
    assert system.probe(machine, {"machdep.cpu.brand_string": "Intel"}).version.value == "10.15.7"


@pytest.mark.parametrize(
    ("env", "hardware", "process", "translated"),
    [
        ({"PROCESSOR_ARCHITECTURE": "AMD64"}, "x86_64", "x86_64", False),
        ({"PROCESSOR_ARCHITECTURE": "x86", "PROCESSOR_ARCHITEW6432": "AMD64"}, "x86_64", "i686", False),
        ({"PROCESSOR_ARCHITECTURE": "AMD64", "PROCESSOR_IDENTIFIER": "ARMv8 (64-bit) Family 8"}, "aarch64", "x86_64", True),
        ({}, None, None, None),
    ],
)
def test_windows_architectures(env: dict[str, str], hardware: str | None, process: str | None, translated: bool | None) -> None:
    text = "HKEY\n    CurrentBuildNumber    REG_SZ    22631\n    CurrentMajorVersionNumber    REG_DWORD    0xa\n"
    found = system.probe(FakeReader(platform="win32", env=env, commands={("reg", "query"): text}), {})
    assert (found.architecture.value, found.process_architecture.value, found.translated.value) == (hardware, process, translated)
    assert found.version.value == "10.0.22631"


@pytest.mark.parametrize(
    ("data", "version"),
    [
        (b"x\0GNU C Library (Debian GLIBC 2.36-9+deb12u9) stable release version 2.36.\n", "2.36"),
        (b"\0GLIBC_2.2.5\0GLIBC_2.9\0GLIBC_2.17\0GLIBC_PRIVATE\0", "2.17"),
        (b"stable release version x", ""),
        (b"", ""),
    ],
)
def test_parse_glibc(data: bytes, version: str) -> None:
    assert libc.parse_glibc(data) == version


def test_musl() -> None:
    loader = "/lib/ld-musl-x86_64.so.1"
    said = Completed(argv=(loader,), code=1, out="", err="musl libc (x86_64)\nVersion 1.2.4\nDynamic Program Loader\n", seconds=0)
    assert libc.probe(FakeReader({loader: "x"}, commands={(loader,): said})).value == Libc(kind="musl", version="1.2")


@given(st.text())
def test_parsers_never_crash(text: str) -> None:
    system.parse_os_release(text)
    system.parse_wsl(text)
    system.parse_cgroup(text)
    macos.parse_sysctl(text)
    libc.parse_glibc(text.encode("utf-8", "surrogatepass"))
    libc.parse_musl(text)
