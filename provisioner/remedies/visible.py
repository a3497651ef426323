"""What to do where a GPU does not come to a process or into a container: a variable, the batch system, the container's tool, the groups. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.builds import LIST
from provisioner.remedies.knowledge import View
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import IN_A_CONTAINER, runs


def not_visible(subject: Subject, view: View) -> Remedy:
    """By what keeps it away: the container, the batch system, Ray, a variable, the device files."""
    del view
    text = subject.text + " " + subject.told
    if re.search(r"\(pid=\d+|\bray\b", text):
        return Remedy(
            words=(
                "Give each worker of Ray a share of the GPU: num_gpus=1 (or a part, such as 0.5) for the task or actor, resources_per_trial in Tune,"
                " --trial-gpus where the script has it"
            ),
            steps=("python3 -c \"import os; print(repr(os.environ.get('CUDA_VISIBLE_DEVICES')))\"",),
            why="Ray sets CUDA_VISIBLE_DEVICES to nothing in a worker that asked for no GPU",
        )
    if re.search(r"singularity|apptainer|\.sif", text):
        slurm = re.search(r"slurm|sbatch|srun|cluster", text, re.IGNORECASE)
        return Remedy(
            words="Start the container with --nv" + (", in a job that asks for a GPU" if slurm else ""),
            steps=(*(("srun --gres=gpu:1 nvidia-smi -L",) if slurm else ()), "singularity exec --nv IMAGE.sif nvidia-smi -L"),
            why="without --nv the host's driver and devices are not in the container",
        )
    if re.search(r"invalid (?:device ordinal|gpu device id)|INVALID_DEVICE|listed an invalid", subject.seen, re.IGNORECASE):
        return Remedy(
            words="Ask for a GPU that there is: they are counted from 0, and only those that CUDA_VISIBLE_DEVICES lists",
            steps=("nvidia-smi -L", runs(subject, "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'))")),
            why="the program, or that variable, names a number that this process has no card for",
        )
    if not subject.windows and (subject.amd or re.search(r"\bhip|\bHIP_|ROC[mk]\b", subject.seen)):
        return _not_visible_amd(subject)
    mode = f"{'' if subject.windows else 'sudo '}nvidia-smi -c DEFAULT"
    if re.search(
        r"busy or unavailable|ALREADY_IN_USE|exclusive-thread|DEVICE_?UNAVAILABLE|DevicesUnavailable", subject.seen, re.IGNORECASE
    ):
        return Remedy(
            words="See which program has the card, and whether its compute mode lets one process alone use it; end that program",
            steps=("nvidia-smi", "nvidia-smi -q -d COMPUTE"),
            why="in the mode Exclusive_Process the second program is refused; a card that hangs says the same, until it is reset",
            others=(Way(words="Or let several processes use it, until the machine starts again (an administrator)", steps=(mode,)),),
        )
    if re.search(r"could not select device driver|[Uu]nknown (?:or invalid )?runtime|nvidia-container-\w+.{0,30}not found", subject.seen):
        if subject.system == "macos":
            return _on_a_mac()
        toolkit = _toolkit(subject)
        return Remedy(
            words=f"{toolkit.words}: Docker does not know what to do with --gpus",
            steps=toolkit.steps,
            why="Docker gives a container the GPU through that toolkit, which is not installed or not made known to it",
            cost=toolkit.cost,
            others=(Way(words="See whether the driver itself works on the host; if not, it comes first", steps=("nvidia-smi",)),),
        )
    if subject.container and subject.system == "macos":
        return _on_a_mac()
    if subject.container:
        toolkit = _toolkit(subject)
        return Remedy(
            words="Start the container with the GPU",
            steps=("docker run --rm --gpus all IMAGE nvidia-smi -L",),
            why="a container sees no GPU unless it is started so; the host needs the NVIDIA container toolkit for it",
            others=(replace(toolkit, words=f"If Docker refuses that: {toolkit.words}"),),
        )
    if subject.windows or subject.system == "macos":
        return Remedy(
            words="See which GPUs TensorFlow can use at all",
            steps=(runs(subject, LIST),),
            why="on Windows after 2.10, and on a Mac without tensorflow-metal, it uses none",
        )
    return Remedy(
        words="Look whether a variable hides the GPU, then start without it; where it hides none, load the module that makes the device files",
        steps=('echo "[$CUDA_VISIBLE_DEVICES]"', f"env -u CUDA_VISIBLE_DEVICES {runs(subject, LIST)}", "sudo modprobe nvidia_uvm"),
        why="CUDA shows a process only the GPUs that CUDA_VISIBLE_DEVICES lists, and needs /dev/nvidia-uvm, which nvidia-smi does not",
        others=(Way(words="In a batch job, ask for a GPU", steps=("srun --gres=gpu:1 nvidia-smi -L",)),),
    )


def _not_visible_amd(subject: Subject) -> Remedy:
    """ROCm's devices: the kernel module, the groups, the container (AMD, "ROCm installation", Post-installation)."""
    if subject.container:
        return Remedy(
            words="Start the container with AMD's devices",
            steps=("docker run -it --device=/dev/kfd --device=/dev/dri --group-add video rocm/tensorflow:latest",),
            why="a container sees no GPU unless it is given /dev/kfd and /dev/dri",
        )
    return Remedy(
        words="Load AMD's module, and see what ROCm finds; your user has to be in the groups render and video",
        steps=("sudo modprobe amdgpu", "rocminfo", "id"),
        why="ROCm reaches the card through /dev/kfd, which that module makes, and which those groups may open",
        others=(_groups_of_amd(),),
    )


def _groups_of_amd() -> Way:
    return Way(
        words="Where `id` does not list them, join the groups, then log out and in again", steps=("sudo usermod -aG render,video $USER",)
    )


def _toolkit(subject: Subject) -> Way:
    """Docker Desktop brings NVIDIA's container toolkit in its WSL; elsewhere it is a package."""
    if subject.windows:
        return Way(
            words="Bring WSL up to date, and start Docker Desktop again, with its engine of WSL 2", steps=("wsl --update", "wsl --shutdown")
        )
    return Way(
        words="Set NVIDIA's container toolkit up on the host",
        steps=(
            "sudo apt install nvidia-container-toolkit",
            "sudo nvidia-ctk runtime configure --runtime=docker",
            "sudo systemctl restart docker",
        ),
        cost="ends the containers that run; the package is in NVIDIA's own source for apt, which its installation guide names",
    )


def _on_a_mac() -> Remedy:
    """Docker Desktop on a Mac runs a Linux without any GPU (Docker documentation, "GPU support in Docker Desktop")."""
    return Remedy(
        words="Leave --gpus out: a container on a Mac has no GPU",
        steps=(IN_A_CONTAINER,),
        why="Docker runs a Linux in a virtual machine there, which is given none; the GPU of a Mac is used outside of it, with tensorflow-metal",
    )


def refused(subject: Subject, view: View) -> Remedy:
    """The container toolkit, brought up to date; what the words say beside it."""
    del view
    if subject.system == "macos":
        return _on_a_mac()
    others = [Way(words="See whether the driver itself works on the host; if not, it comes first", steps=("nvidia-smi",))]
    if subject.windows:
        there = _toolkit(subject)
        return Remedy(
            words=there.words,
            steps=there.steps,
            why="Docker Desktop brings the tool with it, which has to know the driver of Windows",
            cost="ends the containers that run",
            others=tuple(others),
        )
    if "unknown flag: --gpus" in subject.text:
        return Remedy(
            words="Bring Docker up to date: it knows --gpus since 19.03",
            steps=("docker --version", "sudo apt install --only-upgrade docker.io"),
            why="this one is older than the option",
            cost="ends the containers that run; a Docker from Docker's own source is the package docker-ce",
            others=tuple(others),
        )
    if "unresolvable CDI" in subject.text or "inject CDI" in subject.text:
        return Remedy(
            words="Make the list of devices of CDI anew",
            steps=("sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml", "sudo systemctl restart docker"),
            why="the list names the files of the driver that was there when it was made",
            others=tuple(others),
        )
    if "file exists" in subject.text:
        return Remedy(
            words="Take the driver's files out of the image, in its Dockerfile",
            steps=("RUN rm -f /usr/lib/x86_64-linux-gnu/libcuda.so* /usr/lib/x86_64-linux-gnu/libnvidia-*.so*",),
            why=(
                "the image holds files of a driver, and the tool cannot put the host's in their place (images saved from a running container have"
                " them)"
            ),
            others=tuple(others),
        )
    if subject.wsl or "libnvdxgdmal" in subject.text or "dxcore" in subject.text:
        others.insert(0, Way(words="In Windows, bring WSL up to date and start it again", steps=("wsl --update", "wsl --shutdown")))
    return Remedy(
        words="Bring the container toolkit of the host up to date and start Docker again",
        steps=("sudo apt update", "sudo apt install --only-upgrade nvidia-container-toolkit", "sudo systemctl restart docker"),
        why="it must know the files of the driver that the host has; one that is older than the driver does not",
        cost="ends the containers that run",
        others=tuple(others),
    )


def _not_on_the_path(subject: Subject, found: re.Match[str]) -> Remedy:
    """The driver of Windows is there, in a folder in which the loader does not look (NVIDIA, CUDA on WSL user guide; WSL writes ld.wsl.conf)."""
    del found
    return Remedy(
        words="Tell the loader of the folder in which Windows puts the driver's library: it is there, and nothing has to be installed",
        steps=("echo /usr/lib/wsl/lib | sudo tee /etc/ld.so.conf.d/ld.wsl.conf", "sudo ldconfig", runs(subject, LIST)),
        why="WSL writes that file by itself, unless it was told not to, or a change of LD_LIBRARY_PATH and of the loader's cache hides it",
        others=(Way(words="For this shell alone", steps=('export LD_LIBRARY_PATH="/usr/lib/wsl/lib:$LD_LIBRARY_PATH"',)),),
    )


# A list of the folder in which Windows puts the driver's library, with that library in it.
_IN_WSL = re.compile(r"ls [^\n]{0,60}/usr/lib/wsl/lib[^\n]{0,40}\n(?:[^\n]{0,200}\n){0,8}?[^\n]{0,200}\blibcuda\.so")


def _not_signed(subject: Subject, found: re.Match[str]) -> Remedy:
    """A module that Secure Boot refuses (Ubuntu, "UEFI/SecureBoot/DKMS")."""
    del subject, found
    return Remedy(
        words="Let the machine know the key that the module is signed with, and confirm it at the next start (Enroll MOK); or switch Secure Boot off",
        steps=("mokutil --sb-state", "sudo update-secureboot-policy --enroll-key", "sudo reboot"),
        why="with Secure Boot the kernel loads only modules that are signed with a key it knows; the driver's is built on this machine",
        cost="needs an administrator at the machine",
    )


def _nouveau(subject: Subject, found: re.Match[str]) -> Remedy:
    """The free driver out of the way (NVIDIA, Linux driver README; Ubuntu's packages do it by themselves)."""
    del subject, found
    return Remedy(
        words="Install the driver by the packages of the distribution, which take nouveau out of the way by themselves (Ubuntu); then restart",
        steps=("sudo ubuntu-drivers install", "sudo reboot"),
        why="the free driver nouveau has the card, and NVIDIA's cannot take it over while that is loaded",
        cost="needs an administrator and a restart",
        others=(
            Way(
                words="Or, for NVIDIA's own installer, forbid nouveau first, and restart",
                steps=(
                    "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' | sudo tee /etc/modprobe.d/blacklist-nouveau.conf",
                    "sudo update-initramfs -u",
                    "sudo reboot",
                ),
            ),
        ),
    )


OF_LINES = (
    (frozenset({"driver-missing"}), re.compile(r"could not insert '?nvidia"), _not_signed),
    (frozenset({"driver-missing"}), re.compile(r"Nouveau kernel driver"), _nouveau),
)
OF_PLACES = ((frozenset({"driver-missing"}), _IN_WSL, _not_on_the_path),)
