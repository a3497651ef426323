"""Does the driver answer, and is it new enough."""

import pytest

from provisioner.choose.driver import check_driver, look
from provisioner.choose.gpu import judge
from provisioner.model.facts import Facts, PciGpu, absent, known, unknown
from tests.choose.values import CUDA, Values, a_gpu, machine, release, with_driver, with_system

CATALOGUE = Values(release("2.20.0"))


def on_bus(driver=""):
    return known((PciGpu(vendor="nvidia", id="10de:2204", driver=driver),), "test")


def test_plain_machine_has_none():
    gpu_state = look(machine(), CATALOGUE)
    assert (gpu_state.state, gpu_state.why) == ("none", "")


def test_another_vendor_is_none():
    assert look(machine(pci_gpus=known((PciGpu(vendor="amd", id="1002:744c"),), "test")), CATALOGUE).state == "none"


def test_nobody_could_ask():
    gpu_state = look(machine(gpus=unknown("NVML", "it crashed"), pci_gpus=unknown("/sys", "not mounted")), CATALOGUE)
    assert gpu_state.state == "none"
    assert "it crashed" in gpu_state.why


def test_gpus_that_answer():
    facts = machine(gpus=known((a_gpu(),), "NVML"), pci_gpus=on_bus("nvidia"))
    assert look(facts, CATALOGUE).state == "answers"


def test_a_compatibility_library_beside_an_older_module_is_no_mismatch():
    facts = with_driver(machine(gpus=known((a_gpu(),), "NVML")), release=known("550.54", "t"), kernel_module=known("535.104", "t"))
    assert look(facts, CATALOGUE).state == "answers"


def hidden(facts: Facts):
    gpu_state = look(facts, CATALOGUE)
    assert gpu_state.state == "hidden"
    assert gpu_state.remedy
    return gpu_state.code


def test_mismatch_comes_before_everything():
    facts = with_driver(machine(pci_gpus=on_bus("nvidia")), release=known("550.120", "t"), kernel_module=known("550.107", "t"), problem="x")
    assert hidden(facts) == "driver-kernel-mismatch"


def test_mismatch_by_the_words_of_nvml():
    facts = with_driver(machine(pci_gpus=on_bus("nvidia")), problem="NVML: Driver/library version mismatch")
    assert hidden(facts) == "driver-kernel-mismatch"


def test_reasons_for_a_driver_that_does_not_answer():
    lost = with_driver(machine(pci_gpus=on_bus("nvidia")), problem="GPU is lost", release=known("550.120", "t"))
    assert hidden(lost) == "gpu-init-failed"
    assert hidden(with_driver(machine(pci_gpus=on_bus("nvidia")), kernel_module=known("550.107", "t"))) == "gpu-not-visible"
    assert hidden(with_driver(machine(pci_gpus=on_bus()), problem="libraries are not there")) == "gpu-not-visible"
    assert hidden(machine(pci_gpus=on_bus("vfio-pci"))) == "gpu-not-visible"
    assert hidden(machine(pci_gpus=on_bus("nouveau"))) == "driver-missing"
    assert hidden(machine(pci_gpus=on_bus())) == "driver-missing"


def test_a_driver_without_any_gpu_is_no_hidden_gpu():
    facts = with_driver(machine(), problem="the driver names no GPU", release=known("550.120", "t"), kernel_module=known("550.120", "t"))
    assert look(facts, CATALOGUE).state == "none"
    assert hidden(with_system(facts, wsl=known("2", "t"))) == "gpu-init-failed", "the PCI bus of WSL2 shows no GPU"
    assert hidden(with_system(facts, container=known("docker", "t"))) == "gpu-not-visible"


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ("docker", "--gpus all"),
        ("podman", "nvidia.com/gpu=all"),
        ("kubernetes", "nvidia.com/gpu: 1"),
        ("apptainer", "--nv"),
        ("lxc", "/dev/"),
        ("rkt", "host's GPU"),
    ],
)
def test_each_container_has_its_way(container, words):
    gpu_state = look(with_system(machine(pci_gpus=on_bus()), container=known(container, "t")), CATALOGUE)
    assert gpu_state.code == "gpu-not-visible"
    assert words in gpu_state.remedy


def test_missing_driver_gets_the_commands_of_the_distribution():
    assert "`install-driver 525.60.13`" in look(machine(pci_gpus=on_bus()), CATALOGUE).remedy
    unheard = with_system(machine(pci_gpus=on_bus()), distribution=absent("t", "no os-release"))
    assert look(unheard, CATALOGUE).remedy == "install an NVIDIA driver 525.60.13 or newer (ask your distribution)"


def check(facts, *gpus):
    judged = tuple(judge(one, CUDA, release("2.20.0"), None) for one in gpus or (a_gpu(),))
    return check_driver(facts, CATALOGUE, CUDA, judged)


def test_the_floor_itself_is_new_enough():
    assert check(with_driver(machine(), release=known("525.60.13", "t"))) == (None, "")
    obstacle, _ = check(with_driver(machine(), release=known("525.60.11", "t")))
    assert obstacle.code == "driver-too-old"
    assert "install-driver 525.60.13" in obstacle.remedy


def test_wsl_counts_the_windows_driver():
    facts = with_system(with_driver(machine(), release=known("526.98", "t")), wsl=known("2", "t"))
    obstacle, _ = check(facts)
    assert "528.33" in obstacle.why
    assert "install-windows-driver 528.33" in obstacle.remedy


def test_unknown_release_is_a_warning():
    obstacle, warning = check(with_driver(machine(), release=unknown("NVML", "it hung")))
    assert obstacle is None
    assert "it hung" in warning


@pytest.mark.parametrize(("release_", "cuda", "fits"), [("550.54", "12.4", False), ("555.42.02", "12.5", True), ("570.26", "12.8", True)])
def test_ptx_needs_a_driver_that_knows_its_cuda(release_, cuda, fits):
    newer = a_gpu(name="NVIDIA B200", capability="10.0")
    for known_cuda in (known(cuda, "libcuda"), unknown("libcuda", "not asked")):
        facts = with_driver(machine(), release=known(release_, "t"), cuda=known_cuda)
        assert (check(facts, newer)[0] is None) is fits
        assert check(facts, newer, a_gpu()) == (None, ""), "a GPU with machine code does not need it"


def test_a_newer_driver_that_drops_a_gpu_is_told():
    kepler = a_gpu(name="Tesla K80", capability="3.7", index=1)
    facts = with_driver(machine(gpus=known((a_gpu(), kepler), "NVML")), release=known("470.256.02", "t"))
    obstacle, _ = check(facts, a_gpu(), kepler)
    assert "Tesla K80 (470)" in obstacle.remedy
