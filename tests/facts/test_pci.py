"""Display devices by PCI id, from a recorded /sys."""

from __future__ import annotations

from provisioner.facts import pci
from provisioner.model.facts import PciGpu
from tests.facts.fake_reader import FakeReader


def device(slot: str, kind: str, vendor: str, number: str) -> dict[str, str]:
    folder = f"{pci.FOLDER}/{slot}"
    return {f"{folder}/class": kind + "\n", f"{folder}/vendor": vendor + "\n", f"{folder}/device": number + "\n"}


def test_gpus_of_all_vendors_and_nothing_else() -> None:
    machine = FakeReader(
        {
            **device("0000:00:02.0", "0x030000", "0x8086", "0x3e92"),
            **device("0000:01:00.0", "0x030200", "0x10de", "0x2330"),
            **device("0000:01:00.1", "0x040300", "0x10de", "0x10f8"),
            **device("0000:02:00.0", "0x120000", "0x1002", "0x74a1"),
            **device("0000:03:00.0", "0x030000", "0x1a03", "0x2000"),
            **device("0000:04:00.0", "0x030000", "nonsense", "0x2000"),
        },
        links={f"{pci.FOLDER}/0000:01:00.0/driver": "../../../../bus/pci/drivers/nouveau"},
    )
    assert pci.probe(machine).value == (
        PciGpu(vendor="intel", id="8086:3e92", slot="0000:00:02.0"),
        PciGpu(vendor="nvidia", id="10de:2330", slot="0000:01:00.0", driver="nouveau"),
        PciGpu(vendor="amd", id="1002:74a1", slot="0000:02:00.0"),
        PciGpu(vendor="other", id="1a03:2000", slot="0000:03:00.0"),
    )


def test_no_bus_and_no_device_are_absent() -> None:
    assert pci.probe(FakeReader()).why == "this machine has no PCI bus"
    assert pci.probe(FakeReader(device("0000:00:00.0", "0x060000", "0x8086", "0x1237"))).status == "absent"


def test_other_systems_are_not_asked() -> None:
    assert pci.probe(FakeReader(platform="darwin")).status == "unknown"
