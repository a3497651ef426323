"""The GPU probe against real libraries: compiled here, loaded by the real loader, asked through NVML's and CUDA's real calls."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from provisioner.facts import gather, gpu, gpu_signs
from provisioner.facts.gpu_answers import Surroundings
from provisioner.facts.store import FactStore
from provisioner.host import Completed
from provisioner.host.local import LocalHost
from provisioner.model.facts import Driver, Fact, Gpu, PciGpu
from tests.native.building import NEEDS_COMPILER, RELEASE, build_driver

pytestmark = NEEDS_COMPILER

H100 = "NVIDIA H100 80GB HBM3|9.0|81559|off|2330"
T4 = "Tesla T4|7.5|15360|none|1eb8"
BARE = Surroundings()


class MachineWithDriver(LocalHost):
    """This machine, but with the kernel's files of a driver; counts the processes it starts."""

    def __init__(self, module: str = RELEASE, devices: tuple[str, ...] = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm")) -> None:
        self.module = module
        self.devices = devices
        self.started: list[Sequence[str]] = []

    def read_text(self, path: str, limit: int = 1 << 20) -> str:
        if path == "/sys/module/nvidia/version" and self.module:
            return self.module + "\n"
        return super().read_text(path, limit)

    def glob(self, pattern: str) -> tuple[str, ...]:
        return self.devices if pattern == "/dev/nvidia*" else super().glob(pattern)

    def writable(self, path: str) -> bool:
        return path in self.devices or super().writable(path)

    def run(self, argv: Sequence[str], **options: object) -> Completed:
        self.started.append(argv)
        return super().run(argv, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def driver_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture(autouse=True)
def _driver(driver_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(driver_folder))
    monkeypatch.setenv("FAKE_GPUS", H100)


# Long enough for a busy machine where an answer is expected, short where a library hangs.
PATIENT, SHORT = 30.0, 3.0


def probe(
    host: LocalHost, around: Surroundings = BARE, store: FactStore | None = None, seconds: float = PATIENT
) -> tuple[Fact[tuple[Gpu, ...]], Driver]:
    signs = gpu.look(host)
    return gpu.kept(host, store, signs, around) or gpu.probe(host, store, signs, around, seconds=seconds)


def test_one_gpu() -> None:
    found, driver = probe(MachineWithDriver())
    assert found.source == "NVML"
    (card,) = found.value
    assert (card.name, card.compute_capability.value, card.memory.value) == ("NVIDIA H100 80GB HBM3", "9.0", 81559 << 20)
    assert (card.pci_id, card.uuid, card.mig.value) == ("10de:2330", "GPU-00000001", "disabled")
    assert (driver.release.value, driver.cuda.value, driver.kernel_module.value, driver.problem) == (RELEASE, "12.4", RELEASE, "")


def test_every_gpu_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GPUS", f"{H100};{T4};Tesla K80|3.7|11441|none|102d")
    found, _ = probe(MachineWithDriver())
    assert [(card.index, card.compute_capability.value, card.mig.status) for card in found.value] == [
        (0, "9.0", "known"),
        (1, "7.5", "absent"),
        (2, "3.7", "absent"),
    ]


@pytest.mark.parametrize("hidden", ["", "-1", "0"])
def test_cuda_visible_devices_hides_nothing(hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GPUS", f"{H100};{T4}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    found, driver = probe(MachineWithDriver())
    assert len(found.value) == 2
    assert driver.problem == ""
    monkeypatch.setenv("FAKE_NVML", "segv")
    assert len(probe(MachineWithDriver())[0].value) == 2, "libcuda heeds the variable, so it must not reach it"


def test_mig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GPUS", "NVIDIA A100|8.0|40536|on:2|20b0")
    (card,) = probe(MachineWithDriver())[0].value
    assert card.mig.value == "enabled"
    assert card.mig_devices == ("NVIDIA A100 MIG 1g.10gb", "NVIDIA A100 MIG 1g.10gb")


def test_mig_without_an_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GPUS", "NVIDIA A100|8.0|40536|on:0|20b0")
    monkeypatch.setenv("FAKE_CUDA", "nodevice")
    found, driver = probe(MachineWithDriver())
    assert found.value[0].mig_devices == ()
    assert driver.problem.startswith("MIG is on but the GPU has no instance")


def test_version_mismatch_names_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_NVML", "mismatch")
    monkeypatch.setenv("FAKE_CUDA", "mismatch")
    found, driver = probe(MachineWithDriver(module="535.129.03"))
    assert found.status == "unknown"
    assert "version mismatch (code 18)" in found.why
    assert (driver.kernel_module.value, driver.release.value) == ("535.129.03", RELEASE)
    assert "535.129.03" in driver.problem
    assert RELEASE in driver.problem
    assert "restart" in driver.problem


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("abort", "NVML crashed, its process was ended by signal 6"),
        ("segv", "by signal 11"),
        # They wait as long as somebody would; that all hang is the fast one.
        pytest.param("hang", "NVML did not answer", marks=pytest.mark.slow),
        pytest.param("stuck", "NVML did not answer", marks=pytest.mark.slow),
    ],
)
def test_crash_or_hang_of_nvml_leaves_libcuda(how: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_NVML", how)
    found, driver = probe(MachineWithDriver(), seconds=SHORT if how in {"hang", "stuck"} else PATIENT)
    assert found.source == "libcuda"
    assert found.value[0].compute_capability.value == "9.0"
    assert words in found.why
    assert driver.cuda == Fact(status="known", value="12.4", source="libcuda")
    assert driver.release.value == RELEASE, "from the file's name"
    assert driver.problem == "", "CUDA works"


@pytest.mark.parametrize("how", ["abort", pytest.param("hang", marks=pytest.mark.slow), "unknown"])
def test_nvml_answers_although_libcuda_fails(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CUDA", how)
    found, driver = probe(MachineWithDriver(), seconds=SHORT if how == "hang" else PATIENT)
    assert found.source == "NVML"
    assert driver.problem.startswith("CUDA cannot start: libcuda")


def test_uvm_device_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CUDA", "unknown")
    _, driver = probe(MachineWithDriver(devices=("/dev/nvidia0", "/dev/nvidiactl")))
    assert "/dev/nvidia-uvm is not there" in driver.problem
    assert "CUDA_ERROR_UNKNOWN" in driver.problem


def test_both_fail_and_nvidia_smi_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FAKE_NVML", "abort")
    monkeypatch.setenv("FAKE_CUDA", "segv")
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\n"
        'if [ "$1" ]; then echo "0, Tesla T4, GPU-1, 00000000:01:00.0, 0x1EB810DE, 535.1, 15360, [N/A], 7.5"\n'
        'else echo "| CUDA Version: 12.2 |"; fi\n'
        "exit 3\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found, driver = probe(MachineWithDriver())
    assert found.source == "nvidia-smi"
    assert (found.value[0].name, found.value[0].compute_capability.value, found.value[0].pci_id) == ("Tesla T4", "7.5", "10de:1eb8")
    assert (driver.release.value, driver.cuda.value) == ("535.1", "12.2")
    assert "NVML crashed" in driver.problem


def test_everything_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_NVML", "hang")
    monkeypatch.setenv("FAKE_CUDA", "hang")
    found, driver = probe(MachineWithDriver(), seconds=1.0)
    assert found.status == "unknown"
    assert "NVML did not answer" in found.why
    assert "libcuda did not answer" in driver.problem


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("notloaded", "its kernel module is not loaded; the free driver nouveau holds the GPU"),
        ("nopermission", "this user may not open"),
        ("blocked", "the operating system keeps the GPU from this process"),
    ],
)
def test_why_no_gpu(how: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_NVML", how)
    monkeypatch.setenv("FAKE_CUDA", "nodevice")
    around = Surroundings(pci=(PciGpu(vendor="nvidia", id="10de:2330", driver="nouveau"),))
    found, driver = probe(MachineWithDriver(module=""), around)
    assert found.status == "unknown"
    assert words in driver.problem


def test_lost_gpu_beside_a_good_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GPUS", f"lost|9.0|1|off|2330;{T4}")
    lost, good = probe(MachineWithDriver())[0].value
    assert lost.compute_capability.why == "the GPU cannot be opened: GPU is lost"
    assert good.compute_capability.value == "7.5"


def test_what_nvml_leaves_open_libcuda_fills_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chip whose memory is the machine's: NVML has no memory figure."""
    monkeypatch.setenv("FAKE_GPUS", "NVIDIA GB10|12.1|0|none|2e12")
    (card,) = probe(MachineWithDriver())[0].value
    assert card.memory.status == "unknown"
    assert "Not Supported" in card.memory.why


@pytest.mark.parametrize("number", ["0", "-5", "123456789", "999"])
def test_impossible_cuda_versions_are_not_believed(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_VERSION", number)
    assert probe(MachineWithDriver())[1].cuda.status == "unknown"


def test_libcuda_missing_in_a_container(driver_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libnvidia-ml.so.1").symlink_to(driver_folder / "libnvidia-ml.so.1")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    found, driver = probe(MachineWithDriver(), Surroundings(container="docker"))
    assert found.value
    assert "NVIDIA_DRIVER_CAPABILITIES" in driver.problem


def test_a_good_answer_is_kept_until_something_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FactStore(LocalHost(), str(tmp_path / "store"))
    first = probe(MachineWithDriver(), store=store)
    again = MachineWithDriver()
    assert probe(again, store=store) == first
    assert again.started == []
    for changed in (MachineWithDriver(module="560.1"), MachineWithDriver(devices=("/dev/nvidiactl",))):
        probe(changed, store=store)
        assert changed.started
    monkeypatch.setenv("CUDA_CACHE_PATH", "/x")
    other = MachineWithDriver()
    probe(other, store=store)
    assert other.started


def test_a_bad_answer_is_never_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FactStore(LocalHost(), str(tmp_path / "store"))
    monkeypatch.setenv("FAKE_CUDA", "unknown")
    probe(MachineWithDriver(), store=store)
    again = MachineWithDriver()
    probe(again, store=store)
    assert again.started


def test_noise_of_a_library_does_not_spoil_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_NVML", "noise")
    monkeypatch.setenv("FAKE_CUDA", "noise")
    assert probe(MachineWithDriver())[1].problem == ""
    text = f'noise {gpu.MARK}{{"task": "nvml", "gpus": []}}{gpu.MARK} more {gpu.MARK}not json{gpu.MARK}'
    assert gpu.parse_answers(text) == {"nvml": {"gpus": []}}


def test_a_damaged_store_is_asked_past(tmp_path: Path) -> None:
    store = FactStore(LocalHost(), str(tmp_path / "store"))
    host = MachineWithDriver()
    store.save(gpu.SUBJECT, {gpu_signs.key(host, gpu.look(host), (gpu.SCRIPT,)): {"nvml": {"gpus": [{"name": "no index"}]}}})
    assert probe(host, store=store)[0].value
    assert host.started


def test_a_python_that_cannot_be_started_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class WithoutPython(MachineWithDriver):
        python = "/nonexistent/python3"

    found, driver = probe(WithoutPython())
    assert "/nonexistent/python3 cannot be started: no such file or directory" in found.why
    assert driver.problem


def test_the_whole_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    first, second = MachineWithDriver(), MachineWithDriver()
    options = {"env": str(tmp_path / "env"), "cache": str(tmp_path), "full": False}
    facts = gather(first, store=FactStore(first, str(tmp_path / "store")), **options)  # type: ignore[arg-type]
    assert [card.name for card in facts.gpus.value or ()] == ["NVIDIA H100 80GB HBM3"]
    assert facts.interpreters.value
    again = gather(second, store=FactStore(second, str(tmp_path / "store")), **options)  # type: ignore[arg-type]
    assert (again.gpus, again.driver, again.interpreters) == (facts.gpus, facts.driver, facts.interpreters)
    assert second.started == []
    monkeypatch.setenv("TFSETUP_FACT_GPUS", "7.5")
    given = MachineWithDriver()
    assert [card.compute_capability.value for card in gather(given, **options).gpus.value or ()] == ["7.5"]  # type: ignore[arg-type]
    assert not any(gpu.SCRIPT in argv for argv in given.started), "a given GPU list keeps the driver from being asked"
