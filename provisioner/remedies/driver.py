"""What to do where the driver is missing, too old, or of two releases, or a process does not reach the card."""

from __future__ import annotations

import re
from dataclasses import replace

from provisioner.base.versions import minor_of, numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.builds import LIST, for_amd
from provisioner.remedies.knowledge import USUAL, View, newest, release_of, stable
from provisioner.remedies.subject import Subject
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import install, runs


def driver_missing(subject: Subject, view: View) -> Remedy:
    """The driver of the distribution; none where there is no card; the host's in a container and in WSL2."""
    if subject.amd:
        return for_amd(subject)
    nothing = Way(words="Without an NVIDIA GPU nothing has to be done: TensorFlow computes on the processor, and the lines can be ignored")
    if subject.container:
        return Remedy(
            words="With an NVIDIA GPU in the host, start the container with it; without one nothing has to be done",
            steps=("nvidia-smi", "docker run --rm --gpus all tensorflow/tensorflow:latest-gpu nvidia-smi -L"),
            why="a container has the host's driver only if it is started so; the first line shows whether the host has one",
            others=(
                Way(words="With Singularity or Apptainer the option is --nv", steps=("singularity exec --nv IMAGE.sif nvidia-smi -L",)),
            ),
        )
    commands = _driver(subject, view, "")
    return Remedy(
        words=f"{nothing.words}. With one, install its driver",
        steps=commands,
        why="libcuda.so.1 and the kernel module come with the driver alone, with no CUDA and no package of Python",
        cost="needs an administrator and a restart",
        others=(
            (Way(words="See whether there is a card, and whether its driver runs", steps=("lspci | grep -i nvidia", "nvidia-smi")),)
            if not subject.windows
            else ()
        ),
    )


def _driver(subject: Subject, view: View, minimum: str) -> tuple[str, ...]:
    if subject.windows:
        return ("nvidia-smi",)
    wanted = minimum or next((build.cuda.driver for release in stable(view) for build in release.builds if build.cuda), "525.60.13")
    return view.driver_commands("wsl2" if subject.wsl else subject.distribution or "*", (), wanted)


def driver_old(subject: Subject, view: View) -> Remedy:
    """The driver that the CUDA in question needs, or an older image or release that goes with the one that is there."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    build = release.build(USUAL) if release else None
    asked = re.search(r"cuda ?>= ?(\d+\.\d+)", subject.seen)
    row = next((item for item in view.toolkits() if asked and item.version == asked[1]), None)
    minimum = row.driver if row else build.cuda.driver if build and build.cuda else "525.60.13"
    have = f", this one is {subject.driver}" if subject.driver else ""
    of = f"CUDA {asked[1]}" if asked else f"TensorFlow {release.version}" if release else "CUDA 12"
    older = (
        newest(
            view,
            lambda item: item.cuda is not None and numbers(item.cuda.driver) <= numbers(subject.driver),
            platform=USUAL,
            python=subject.python,
        )
        if subject.driver
        else None
    )
    way = (
        Way(
            words=f"Or take TensorFlow {minor_of(older.version)}, the newest whose CUDA goes with driver {subject.driver}",
            steps=(install(subject, f"tensorflow=={minor_of(older.version)}.*"),),
            cost="the release changes",
        )
        if older
        else Way(
            words="Or take an older image or release, built with a CUDA that the driver serves; `nvidia-smi` shows it at the top right",
            steps=("nvidia-smi",),
        )
    )
    return Remedy(
        words=f"Update the driver of the host to {minimum} or newer" + (" (in Windows, not in WSL)" if subject.wsl else ""),
        steps=_driver(subject, view, minimum),
        why=f"{of} needs driver {minimum} or newer{have}",
        cost="needs an administrator and a restart",
        others=(way,),
    )


def kernel_mismatch(subject: Subject, view: View) -> Remedy:
    """Restart, or load the module anew; compatibility libraries out of a container."""
    del view
    compat = re.search(r"COMPAT_NOT_SUPPORTED|forward compatibility", subject.text)
    ways: tuple[Way, ...] = (
        Way(
            words="Or, without a restart, with no program on the GPU: load the module anew",
            steps=("sudo rmmod nvidia_drm nvidia_modeset nvidia_uvm nvidia", "sudo modprobe nvidia_uvm"),
        ),
    )
    if compat and subject.container:
        ways = (
            Way(
                words="In a container, take its compatibility libraries out of the loader's way",
                steps=("export LD_LIBRARY_PATH=$(echo $LD_LIBRARY_PATH | sed 's#/usr/local/cuda[^:]*/compat:*##g')",),
            ),
            *ways,
        )
    return Remedy(
        words="Restart the machine",
        steps=("sudo reboot",),
        why="the driver was updated while its old module was loaded; a restart loads the new one",
        cost="ends everything that runs there",
        others=(
            *ways,
            Way(
                words="If it stays, two drivers are installed: this shows both numbers",
                steps=("cat /proc/driver/nvidia/version", "nvidia-smi"),
            ),
        ),
    )


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
    mode = f"{'' if subject.windows else 'sudo '}nvidia-smi -c DEFAULT"
    if re.search(r"busy or unavailable|DEVICE_?UNAVAILABLE|DevicesUnavailable", subject.seen, re.IGNORECASE):
        return Remedy(
            words="See which program has the card, and whether its compute mode lets one process alone use it; end that program",
            steps=("nvidia-smi", "nvidia-smi -q -d COMPUTE"),
            why="in the mode Exclusive_Process the second program is refused; a card that hangs says the same, until it is reset",
            others=(Way(words="Or let several processes use it, until the machine starts again (an administrator)", steps=(mode,)),),
        )
    if re.search(r"could not select device driver|[Uu]nknown (?:or invalid )?runtime|nvidia-container-\w+.{0,30}not found", subject.seen):
        toolkit = _toolkit(subject)
        return Remedy(
            words=f"{toolkit.words}: Docker does not know what to do with --gpus",
            steps=toolkit.steps,
            why="Docker gives a container the GPU through that toolkit, which is not installed or not made known to it",
            cost=toolkit.cost,
            others=(Way(words="See whether the driver itself works on the host; if not, it comes first", steps=("nvidia-smi",)),),
        )
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


def refused(subject: Subject, view: View) -> Remedy:
    """The container toolkit, brought up to date; what the words say beside it."""
    del view
    others = [Way(words="See whether the driver itself works on the host; if not, it comes first", steps=("nvidia-smi",))]
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


def init_failed(subject: Subject, view: View) -> Remedy:
    """By the words of cuInit: the fabric manager, a container's cgroup, memory with faults, else the module loaded anew."""
    del view
    text = subject.text
    if re.search(r"SYSTEM_NOT_READY|\(802\)|fabric", text):
        return Remedy(
            words="Start the fabric manager, in the release of the driver",
            steps=("sudo systemctl enable --now nvidia-fabricmanager", "nvidia-smi -q | grep -i -A2 fabric"),
            why="cards that are joined by NVSwitch compute only when it runs",
        )
    if re.search(r"NVML: Unknown Error", text) or subject.container:
        return Remedy(
            words="Start the container again; if that is what helps each time, let Docker use cgroupfs",
            steps=("docker restart CONTAINER", "docker exec CONTAINER nvidia-smi -L"),
            why="a reload of systemd takes the devices from containers that run",
        )
    if re.search(r"ECC|NVLINK|HARDWARE", text):
        return Remedy(
            words="See what the card reports, and reset or replace it",
            steps=("nvidia-smi -q -d ECC,PAGE_RETIREMENT",),
            why="its memory has faults that cannot be corrected",
        )
    if subject.windows:
        return Remedy(
            words="Restart Windows; if it is the same then, install NVIDIA's driver for the card anew",
            steps=("nvidia-smi", "shutdown /r"),
            why="the driver is there and cuInit fails all the same: after suspend or an update of the driver it stays in a bad state until then",
            cost="ends all programs",
        )
    return Remedy(
        words=(
            "Let NVIDIA's program make the device files for CUDA; where they are there, load the module anew (after suspend it is often left in a"
            " bad state), else restart the machine"
        ),
        steps=("sudo apt install nvidia-modprobe", "sudo nvidia-modprobe -u -c=0", "sudo rmmod nvidia_uvm", "sudo modprobe nvidia_uvm"),
        why="the driver is there and cuInit fails all the same: /dev/nvidia-uvm is missing, or the module is in a bad state until it is loaded anew",
        cost="ends what runs on the GPU",
        others=(Way(words="See whether the driver itself works", steps=("nvidia-smi",)),),
    )


def memory(subject: Subject, view: View) -> Remedy:
    """Let TensorFlow take memory as it needs it, see who has it, and make the batch smaller."""
    del view
    value = assigned("TF_FORCE_GPU_ALLOW_GROWTH", "true", windows=subject.windows)
    return Remedy(
        words="Let TensorFlow take memory only as it needs it, end other programs on the GPU, and make the batch smaller if it is yours alone",
        steps=(value, "nvidia-smi"),
        why="TensorFlow takes nearly all memory at its start, so that cuDNN, cuBLAS or a second process find none",
        others=(
            Way(
                words=(
                    "In the program, before anything is computed: tf.config.experimental.set_memory_growth(gpu, True) for each GPU of"
                    " tf.config.list_physical_devices('GPU')"
                )
            ),
        ),
    )
