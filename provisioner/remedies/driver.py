"""What to do where the driver is missing, too old, or of two releases, or a process does not reach the card."""

from __future__ import annotations

import re

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
    if re.search(r"communicate with the NVIDIA driver", subject.seen) and not subject.wsl and not subject.windows:
        return _not_loaded(subject, view)
    commands = _cards_of_windows() if subject.windows else _driver(subject, view, "")
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


def _cards_of_windows() -> tuple[str, ...]:
    """What cmd and PowerShell both take; the driver itself comes from NVIDIA's page alone."""
    return ('powershell -Command "Get-CimInstance Win32_VideoController | Select-Object Name, DriverVersion"',)


def _not_loaded(subject: Subject, view: View) -> Remedy:
    """The driver is installed, for nvidia-smi is of it, and its kernel module is not loaded (NVIDIA, Linux driver README, "Common problems")."""
    return Remedy(
        words=(
            "Load the driver's module; where that fails, see whether it was built for this kernel (dkms), and whether Secure Boot refuses it"
        ),
        steps=("sudo modprobe nvidia", "dkms status", "mokutil --sb-state"),
        why="nvidia-smi is there, so the driver is installed; after an update of the kernel its module is not there until it is built again",
        cost="needs an administrator",
        others=(
            Way(
                words="Or install the driver again, which builds it; then restart", steps=_driver(subject, view, ""), cost="needs a restart"
            ),
            Way(
                words="Without an NVIDIA GPU nothing has to be done: TensorFlow computes on the processor",
                steps=("lspci | grep -i nvidia",),
            ),
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
    named = re.search(r"Driver Release (\d{3}[\d.]{0,12}\d)", subject.seen)
    minimum = row.driver if row else named[1] if named else build.cuda.driver if build and build.cuda else "525.60.13"
    have = f", this one is {subject.driver}" if subject.driver else ""
    of = f"CUDA {asked[1]}" if asked else "this container" if named else f"TensorFlow {release.version}" if release else "CUDA 12"
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
    if subject.windows:
        return Remedy(
            words="Restart Windows; if it is the same then, install NVIDIA's driver for the card anew",
            steps=("shutdown /r", "nvidia-smi"),
            why="the driver was updated while the old one ran, and its parts are of two releases until then",
            cost="ends all programs",
        )
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


def init_failed(subject: Subject, view: View) -> Remedy:
    """By the words of cuInit: the fabric manager, a container's cgroup, memory with faults, else the module loaded anew."""
    del view
    text = subject.text
    if re.search(r"SYSTEM_NOT_READY|SystemNotReady|\(802\)|fabric", text):
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
    if re.search(r"GPU is lost|fallen off the bus", text):
        return Remedy(
            words="Restart the machine; if it comes again, see to the card's power, cooling and seat in its slot, or have it replaced",
            steps=("sudo dmesg | grep -i -E 'xid|fallen off'", "sudo reboot"),
            why="the card stopped answering on the bus while the machine ran, which no package and no module of the driver brings back (XID 79)",
            cost="ends all programs",
        )
    if re.search(r"ECC|NVLINK|HARDWARE", text):
        return Remedy(
            words="See what the card reports, and reset or replace it",
            steps=("nvidia-smi -q -d ECC,PAGE_RETIREMENT",),
            why="its memory has faults that cannot be corrected",
        )
    if "blocked by the operating system" in text:
        return Remedy(
            words="In Windows, bring NVIDIA's driver and WSL up to date, and start WSL again",
            steps=("wsl --update", "wsl --shutdown"),
            why="Windows lets a Linux inside it use the GPU with a driver and a WSL that are new enough; a card of a business may forbid it",
            others=(Way(words="See in Windows whether its driver works", steps=("nvidia-smi",)),),
        )
    if _WENT_WRONG.search(subject.seen):
        return _failed_while_it_ran(subject)
    if re.search(r"_MPS_|cudaErrorMps|\bMPS (?:client|server)", subject.seen):
        return Remedy(
            words="Start NVIDIA's MPS, through which this process is told to use the card; or start the process without it",
            steps=("nvidia-cuda-mps-control -d", f"env -u CUDA_MPS_PIPE_DIRECTORY {runs(subject, LIST)}"),
            why="the variable CUDA_MPS_PIPE_DIRECTORY, or a server that ended, makes CUDA look for a daemon that does not answer",
        )
    if re.search(r"NOT_INITIALIZED|[Ii]nitialization ?[Ee]rror", subject.seen):
        return Remedy(
            words=(
                "Start the processes before TensorFlow uses the GPU, or start them anew: multiprocessing.set_start_method('spawn'); a server loads"
                " TensorFlow in its workers (gunicorn without --preload)"
            ),
            steps=("nvidia-smi",),
            why="a process that was forked from one that had begun with CUDA cannot use it (CUDA programming guide)",
            others=(
                Way(
                    words="Where a single process says the same, load the driver's module anew",
                    steps=("sudo rmmod nvidia_uvm", "sudo modprobe nvidia_uvm"),
                ),
            )
            if not subject.windows
            else (),
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


# What cuda.h and driver_types.h say of a program on the card, by name and in words.
_WENT_WRONG = re.compile(
    r"ILLEGAL_?ADDRESS|_LAUNCH_|cudaErrorLaunch|MISALIGNED|launch failure|illegal memory access|launch timed out|too many resources"
    r"|device-side assert|cudaErrorAssert|INVALID_CONTEXT",
    re.IGNORECASE,
)


def _failed_while_it_ran(subject: Subject) -> Remedy:
    """A kernel that went wrong; the driver was well (cuda.h: CUDA_ERROR_ILLEGAL_ADDRESS, CUDA_ERROR_LAUNCH_FAILED)."""
    blocking = assigned("CUDA_LAUNCH_BLOCKING", "1", windows=subject.windows)
    logged = () if subject.windows else ("sudo dmesg | grep -i xid",)
    return Remedy(
        words="Have each program on the card end before the next begins, so that the line of yours that it comes from is named; then run it again",
        steps=(blocking, *logged),
        why=(
            "the driver was well and a program on the card went wrong: an index outside of a tensor, a fault of a library, a card that is"
            " overclocked or hangs"
        ),
        others=(
            Way(
                words="Or see whether it is XLA: leave it out",
                steps=(assigned("TF_XLA_FLAGS", "--tf_xla_auto_jit=-1", windows=subject.windows),),
            ),
            Way(words="After that error the process can use the GPU no more: start it again"),
        ),
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
