"""Signs of a driver on recorded machines, and what is said where there is nothing to ask; no process may start for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.facts import gpu, gpu_signs, nvidia_smi
from provisioner.facts.gpu_answers import Answers, Surroundings, capability, cuda_version, driver, gpus, pci_id
from provisioner.host import Completed
from provisioner.model.facts import PciGpu
from tests.facts.fake_reader import FakeReader

NVIDIA = PciGpu(vendor="nvidia", id="10de:2330")
OPEN_MODULE = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  Release Build  (dvs-builder@U16-I3)\nGCC version:  gcc 12.3.0\n"
)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (OPEN_MODULE, "550.54.14"),
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.256.02  Thu May  2 14:37:44 UTC 2024\n", "470.256.02"),
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  390.157  Wed Oct 12 09:19:07 UTC 2022\n", "390.157"),
        ("GCC version: gcc version 12.3.0 \n", ""),
    ],
)
def test_parse_proc_version(text: str, version: str) -> None:
    assert gpu_signs.parse_proc_version(text) == version


def test_parse_tegra() -> None:
    assert gpu_signs.parse_tegra("# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref, EABI: aarch64") == "35.4.1"


@pytest.mark.parametrize(
    ("files", "around", "status", "words"),
    [
        ({}, Surroundings(), "absent", "no sign of an NVIDIA driver"),
        ({}, Surroundings(pci=(NVIDIA,)), "absent", "on the PCI bus but there is no NVIDIA driver"),
        (
            {},
            Surroundings(pci=(PciGpu(vendor="nvidia", id="10de:1", driver="nouveau"),)),
            "absent",
            "the free driver nouveau holds the GPU",
        ),
        ({}, Surroundings(pci=(PciGpu(vendor="nvidia", id="10de:1", driver="vfio-pci"),)), "absent", "held by vfio-pci"),
        ({}, Surroundings(pci=(NVIDIA,), container="docker"), "absent", "a docker container, which sees only GPUs that it was given"),
        (
            {"/sys/module/nvidia/version": "550.54.14\n"},
            Surroundings(container="docker"),
            "absent",
            "started without the GPU (docker run --gpus all)",
        ),
        ({"/proc/driver/nvidia/version": OPEN_MODULE}, Surroundings(), "absent", "but the driver's libraries"),
        ({"/dev/dxg": ""}, Surroundings(wsl="2"), "absent", "install NVIDIA's driver in Windows"),
    ],
)
def test_nothing_to_ask(files: dict[str, str], around: Surroundings, status: str, words: str) -> None:
    machine = FakeReader(files)
    found, made = gpu.unasked(gpu.look(machine), around)
    assert found.status == status
    assert words in found.why
    assert made.release.status == "absent"
    assert machine.started == []


def test_unreadable_module_is_unknown() -> None:
    signs = gpu.look(FakeReader({"/sys/module/nvidia/version": PermissionError(13, "Permission denied")}))
    assert signs.module.status == "unknown"
    assert "permission denied" in signs.module.why


def test_jetson() -> None:
    machine = FakeReader(
        {
            "/etc/nv_tegra_release": "# R35 (release), REVISION: 4.1, GCID: 3",
            "/dev/nvhost-gpu": "",
            "/usr/lib/aarch64-linux-gnu/tegra/libcuda.so.1": "",
        }
    )
    signs = gpu.look(machine)
    assert (signs.tegra, signs.devices, signs.libraries) == (
        "35.4.1",
        ("/dev/nvhost-gpu",),
        ("/usr/lib/aarch64-linux-gnu/tegra/libcuda.so.1",),
    )
    answers: Answers = {
        "nvml": {"error": -1, "words": "libnvidia-ml.so.1: cannot open"},
        "cuda": {"cuda": 11040, "gpus": [{"index": 0, "name": "Orin", "memory": 1 << 35, "capability": [8, 7], "bus": "00000000:00:00.0"}]},
    }
    found, made = gpus(answers), driver(signs, answers, Surroundings())
    assert found.value
    assert (found.value[0].compute_capability.value, made.release.value, made.cuda.value, made.problem) == ("8.7", "35.4.1", "11.4", "")


def test_devices_that_may_not_be_opened() -> None:
    class Closed(FakeReader):
        def writable(self, path: str) -> bool:
            return False

    signs = gpu.look(Closed({"/dev/nvidia0": "", "/dev/nvidiactl": "", "/dev/nvidia-caps": "", "/usr/lib64/libcuda.so.1": ""}))
    assert signs.closed == signs.devices == ("/dev/nvidia0", "/dev/nvidiactl")
    made = driver(signs, {"nvml": {"error": 4, "words": "Insufficient Permissions"}, "cuda": {"error": 100}}, Surroundings())
    assert made.problem.startswith("this user may not open /dev/nvidia0, /dev/nvidiactl")


def test_missing_memory_is_taken_from_libcuda_by_pci_address() -> None:
    answers: Answers = {
        "nvml": {"gpus": [{"index": 0, "name": "GB10", "bus": "00000000:01:00.0", "faults": {"memory": "Not Supported"}}]},
        "cuda": {"gpus": [{"index": 0, "name": "GB10", "bus": "00000000:01:00.0", "memory": 99, "capability": [12, 1]}]},
    }
    (found,) = gpus(answers).value or ()
    assert (found.memory.value, found.compute_capability.value, found.compute_capability.source) == (99, "12.1", "libcuda")


@pytest.mark.parametrize(
    ("number", "version"), [(12040, "12.4"), (9020, "9.2"), (13000, "13.0"), (0, ""), (100000, ""), (-1, ""), ("12040", ""), (None, "")]
)
def test_cuda_version(number: object, version: str) -> None:
    assert cuda_version(number) == version


def test_odd_values_are_no_capability_and_no_id() -> None:
    assert [capability(value) for value in (None, [], [0, 0], [9], "90", [8, 6])] == ["", "", "", "", "", "8.6"]
    assert [pci_id(value) for value in (None, 0, 0x1EB810DE)] == ["", "", "10de:1eb8"]


SMI = (
    "0, NVIDIA A100, GPU-1, 00000000:18:00.0, 0x20B010DE, 550.54.14, 40960, Enabled, 8.0\nUnable to determine the device handle for GPU1\n"
)


def test_nvidia_smi_keeps_what_parses() -> None:
    (found,) = nvidia_smi.parse_csv(SMI)
    assert (found["memory"], found["mig"], found["capability"]) == (40960 << 20, "enabled", [8, 0])


def test_old_nvidia_smi_is_asked_less() -> None:
    refused = Completed(argv=(), code=2, out='Field "compute_cap" is not a valid field to query.\n', err="", seconds=0)
    ask = ("/usr/bin/nvidia-smi", f"--query-gpu={','.join(nvidia_smi.FIELDS)}")
    less = ("/usr/bin/nvidia-smi", f"--query-gpu={','.join(nvidia_smi.FIELDS[:-1])}")
    machine = FakeReader(
        {"/usr/bin/nvidia-smi": ""},
        commands={
            ask: refused,
            less: "0, Tesla K80, GPU-1, 00000000:18:00.0, 0x102D10DE, 470.1, 11441, [N/A]\n",
            ("/usr/bin/nvidia-smi",): "| NVIDIA-SMI 470.1  Driver Version: 470.1  CUDA Version: 11.4 |",
        },
    )
    answer = nvidia_smi.ask(machine, {})
    assert (answer["cuda"], answer["release"], len(answer["gpus"])) == (11040, "470.1", 1)


def test_nvidia_smi_names_the_mismatch() -> None:
    said = Completed(
        argv=(), code=18, out="Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.1\n", err="", seconds=0
    )
    machine = FakeReader({"/usr/bin/nvidia-smi": ""}, commands={("/usr/bin/nvidia-smi",): said})
    assert nvidia_smi.ask(machine, {})["words"] == "Failed to initialize NVML: Driver/library version mismatch"


@given(st.text())
def test_parsers_never_crash(text: str) -> None:
    gpu_signs.parse_proc_version(text)
    gpu_signs.parse_tegra(text)
    gpu_signs.parse_library_release(text)
    nvidia_smi.parse_csv(text)
    nvidia_smi.parse_cuda(text)
    gpu.parse_answers(gpu.MARK + text + gpu.MARK)
