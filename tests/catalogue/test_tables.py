"""The tables beside the releases: what is shipped is right, and what is wrong is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioner.base.versions import numbers
from provisioner.catalogue import Catalogue, find_profiles, tables
from provisioner.catalogue.tables import ProofTable, read_drivers, read_gpus, read_proofs, read_toolkits
from provisioner.errors import InputError
from provisioner.host.local import LocalHost


@pytest.fixture
def shipped() -> Catalogue:
    return Catalogue.open(LocalHost(), find_profiles())


@pytest.mark.parametrize(
    ("capability", "name"),
    [
        ("3.5", "Kepler"),
        ("5.2", "Maxwell"),
        ("6.1", "Pascal"),
        ("7.0", "Volta"),
        ("7.2", "Volta"),
        ("7.5", "Turing"),
        ("8.6", "Ampere"),
        ("8.9", "Ada Lovelace"),
        ("9.0", "Hopper"),
        ("10.0", "data-centre Blackwell"),
        ("12.0", "Blackwell"),
    ],
)
def test_architectures_by_capability(shipped: Catalogue, capability: str, name: str) -> None:
    """https://developer.nvidia.com/cuda-gpus; 10.0 is compared as a number, not as text."""
    found = shipped.architecture(capability)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("capability", ["1.0", "7.9", "9.9", "99.0"])
def test_a_capability_that_is_not_known(shipped: Catalogue, capability: str) -> None:
    assert shipped.architecture(capability) is None


def test_capabilities_belong_to_one_architecture_each(shipped: Catalogue) -> None:
    known = [f"{major}.{minor}" for major in range(3, 14) for minor in range(10)]
    names = [found.name for capability in known if (found := shipped.architecture(capability))]
    changes = [name for name, before in zip(names, ["", *names], strict=False) if name != before]
    assert len(changes) == len(set(changes))


def test_toolkits_are_in_order_and_drivers_grow_with_them(shipped: Catalogue) -> None:
    toolkits = shipped.toolkits()
    versions = [numbers(toolkit.version) for toolkit in toolkits]
    assert versions == sorted(versions)
    drivers = [numbers(toolkit.driver) for toolkit in toolkits]
    assert drivers == sorted(drivers)
    assert all(not toolkit.driver_minor or numbers(toolkit.driver_minor) <= numbers(toolkit.driver) for toolkit in toolkits)
    (found,) = (toolkit for toolkit in toolkits if toolkit.version == "12.5")
    assert (found.driver, found.driver_minor) == ("555.42.02", "525.60.13")
    assert all(toolkit.version != "12.7" for toolkit in toolkits), "there never was one"


@pytest.mark.parametrize(
    ("distribution", "like", "minimum", "command"),
    [
        ("ubuntu", ("debian",), "525.60.13", "sudo apt install nvidia-driver-535"),
        ("ubuntu", ("debian",), "450.80.02", "sudo apt install nvidia-driver-470"),
        ("linuxmint", ("ubuntu", "debian"), "555.42.02", "sudo apt install nvidia-driver-570"),
        ("ubuntu", ("debian",), "999.0", "sudo apt install nvidia-driver-580"),
        ("debian", (), "525.60.13", "sudo apt install linux-headers-amd64 nvidia-driver firmware-misc-nonfree"),
        ("fedora", (), "525.60.13", "sudo dnf install akmod-nvidia xorg-x11-drv-nvidia-cuda"),
        ("rocky", ("rhel", "centos", "fedora"), "525.60.13", "sudo dnf module enable nvidia-driver:535-dkms"),
        ("manjaro", ("arch",), "525.60.13", "sudo pacman -Syu nvidia-open nvidia-utils"),
        ("opensuse-leap", ("suse", "opensuse"), "525.60.13", "sudo zypper install nvidia-driver-G06-kmp-default nvidia-compute-utils-G06"),
        ("wsl2", ("ubuntu",), "528.33", "wsl.exe --shutdown"),
    ],
)
def test_a_driver_by_distribution(shipped: Catalogue, distribution: str, like: tuple[str, ...], minimum: str, command: str) -> None:
    assert command in shipped.driver_commands(distribution, like, minimum)


def test_any_other_system_gets_words(shipped: Catalogue) -> None:
    (line,) = shipped.driver_commands("gentoo", (), "525.60.13")
    assert line.startswith("# ")
    assert "525.60.13" in line


def test_inside_wsl_no_linux_driver_is_offered(shipped: Catalogue) -> None:
    assert not any("apt" in line or "reboot" in line for line in shipped.driver_commands("wsl2", ("ubuntu", "debian"), "528.33"))


@pytest.mark.parametrize(
    ("read", "data", "fault"),
    [
        (
            read_gpus,
            {"schema": "tfsetup/gpus/1", "sources": [], "architectures": [{"name": "X", "first": "8.9", "last": "8.0"}]},
            "architectures[0]",
        ),
        (
            read_gpus,
            {"schema": "tfsetup/gpus/1", "sources": [], "architectures": [{"name": "X", "first": "8", "last": "9.0"}]},
            "architectures[0]",
        ),
        (read_toolkits, {"schema": "tfsetup/cuda/1", "sources": [], "toolkits": [{"version": "12.x", "driver": "1"}]}, "toolkits[0]"),
        (read_drivers, {"schema": "tfsetup/drivers/1", "sources": [], "branches": ["x"], "routes": []}, "branches"),
        (
            read_drivers,
            {"schema": "tfsetup/drivers/1", "sources": [], "branches": ["5"], "routes": [{"ids": [], "commands": ["a"], "source": "b"}]},
            "routes[0]",
        ),
        (read_proofs, {"schema": "tfsetup/proofs/1", "proofs": [{"lock": "a", "level": "run"}, {"lock": "a", "level": "run"}]}, "proofs"),
        (read_proofs, {"schema": "tfsetup/proofs/1", "proofs": [{"lock": "a", "level": "hoped"}]}, "proofs[0].level"),
        (read_gpus, {"schema": "tfsetup/gpus/2"}, "schema"),
    ],
)
def test_wrong_tables_are_refused_with_the_place(read: Callable[..., object], data: Any, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        read(data, file="f")
    assert caught.value.place == "f"
    assert caught.value.faults[0].startswith(fault)


def proofs(count: int) -> str:
    """The text of a table as tools/prove.py writes it."""
    lines = ",\n".join(
        f'  {{"lock": "{number:064x}", "level": "run", "date": "2026-11-20", "checks": {number}}}' for number in range(count)
    )
    return f'{{"schema": "tfsetup/proofs/1", "proofs": [\n{lines}\n]}}\n'


def test_a_proof_is_found_without_reading_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times as many profiles may make a plan 1.2 times as long, so what is parsed may not grow with them."""
    parsed: list[str] = []
    real = tables.parse_json
    monkeypatch.setattr(tables, "parse_json", lambda text, *, file: parsed.append(text) or real(text, file=file))
    for count in (10, 1000):
        parsed.clear()
        table = ProofTable(proofs(count), file="proofs.json")
        found = table.get(f"{7:064x}")
        assert found is not None
        assert found.checks == 7
        assert table.get("f" * 64) is None
        assert len(parsed) == 1
        assert len(parsed[0]) < 200


@pytest.mark.parametrize("text", [proofs(3).replace("\n", ""), proofs(3).replace("\n", "\n\n"), proofs(3).replace(", ", " , ")])
def test_proofs_of_another_form_are_read_whole(text: str) -> None:
    found = ProofTable(text, file="proofs.json").get(f"{2:064x}")
    assert found is not None
    assert found.checks == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        proofs(3).removesuffix("]}\n"),
        proofs(3) + "more\n",
        proofs(2).replace(f"{1:064x}", f"{0:064x}"),
        proofs(2).replace('"run"', '"hoped"').replace(f"{1:064x}", "1"),
    ],
)
def test_proofs_that_are_damaged_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        ProofTable(text, file="proofs.json")


def test_an_entry_that_is_damaged_is_refused_when_it_is_asked_for() -> None:
    table = ProofTable(proofs(2).replace('"run"', '"hoped"'), file="proofs.json")
    with pytest.raises(InputError) as caught:
        table.get(f"{1:064x}")
    assert "level" in caught.value.faults[0]


def test_the_shipped_proofs_have_the_form_that_is_read_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(tables, "read_proofs")
    text = Path(find_profiles(), "proofs.json").read_text("utf-8")
    assert ProofTable(text, file="proofs.json").get("f" * 64) is None
