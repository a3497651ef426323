"""What to do where a GPU is not used or fails: libraries, driver, card, container, memory."""

from __future__ import annotations

import re
from dataclasses import replace

from provisioner.base.versions import minor_of, numbers
from provisioner.model.catalogue import Build, Release
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import USUAL, View, cuda_pin, newest, release_of, stable
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import anew, install, into, runs, venv

# From this release on the package has the extra that brings CUDA's libraries as wheels, and finds them (METADATA; measured).
_EXTRA = (2, 14)
_LIST = "import tensorflow as tf; print(tf.config.list_physical_devices('GPU'))"
# The last container of NVIDIA with TensorFlow, seen 2025-02; it has CUDA 12.8, which knows Blackwell.
LAST_CONTAINER = "25.02-tf2-py3"
# What conda calls the libraries of a toolkit, and the cuDNN that TensorFlow of that time was built with (tested build configurations).
_CONDA = {
    (11, 8): "cudatoolkit=11.8 cudnn=8.8",
    (11, 2): "cudatoolkit=11.2 cudnn=8.1",
    (11, 0): "cudatoolkit=11.0 cudnn=8.0",
    (10, 1): "cudatoolkit=10.1 cudnn=7.6",
    (10, 0): "cudatoolkit=10.0 cudnn=7.6",
    (9, 0): "cudatoolkit=9.0 cudnn=7.6",
    (8, 0): "cudatoolkit=8.0 cudnn=6.0",
}


def libraries(subject: Subject, view: View) -> Remedy:
    """CUDA's libraries: from wheels where the release has them, from conda or the system's CUDA where it has not; none for an AMD card."""
    if subject.amd:
        return _rocm(subject)
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    number = numbers(release.version)[:2] if release else ()
    if re.search(r"jetson|tegra", subject.told):
        return _jetson(subject)
    if subject.windows:
        return _on_windows(subject, view, release)
    none = Way(words="Without an NVIDIA GPU nothing has to be done: TensorFlow computes on the processor")
    if not number and _asked_cuda(subject) and _asked_cuda(subject)[0] < 12:  # noqa: PLR2004 - the CUDA of the releases with wheels for it
        return _older(subject, view, none)
    if number and number < _EXTRA:
        return _older(subject, view, none, release)
    pin = (
        f"tensorflow[and-cuda]=={subject.tensorflow}"
        if re.fullmatch(r"\d+\.\d+\.\d+", subject.tensorflow)
        else f"tensorflow[and-cuda]{f'=={subject.minor}.*' if number else ''}"
    )
    built = _built(release)
    return Remedy(
        words="Install the CUDA libraries of this release beside it: the extra [and-cuda] brings them, and no CUDA of the system is needed",
        steps=(install(subject, pin), runs(subject, _LIST)),
        why=f"TensorFlow {minor_of(release.version) if release else 'of today'} wants {built}, and finds them in its own environment",
        cost="a download of some 2 GB; only the driver stays the system's",
        others=(
            Way(
                words="If the list stays empty, take other copies out of the loader's way and look again",
                steps=(f"env -u LD_LIBRARY_PATH {runs(subject, _LIST)}",),
            ),
            none,
            *into(subject, view, release, device="cuda"),
        ),
    )


def _built(release: Release | None) -> str:
    build = release.build(USUAL) if release else None
    return f"CUDA {build.cuda.version} and cuDNN {build.cuda.cudnn}" if build and build.cuda else "CUDA 12 and cuDNN 9"


def _asked_cuda(subject: Subject) -> tuple[int, ...]:
    """The CUDA that the names of the missing libraries belong to, as far as they tell: ``libcublas.so.10.0``, ``cudart64_110.dll``."""
    found = re.search(
        r"lib(?:cudart|cublas|cufft|curand|cusparse|cusolver)\w*\.so\.(\d+)\.(\d+)|(?:cudart|cublas)64_(\d+)\.dll", subject.seen
    )
    if not found:
        major = re.search(r"lib(?:cublas|cublasLt|cudart|cufft|curand|cusparse|cusolver)\w*\.so\.(\d+)", subject.seen)
        return (int(major[1]),) if major else ()
    if found[3]:
        digits = found[3]
        # cudart64_110.dll is of 11.0, cudart64_80.dll of 8.0, cudart64_12.dll of 12.
        whole = len(digits) == len("12") and digits < "50"
        return (int(digits), 0) if whole else (int(digits[:-1]), int(digits[-1]))
    return (int(found[1]), int(found[2]))


def _older(subject: Subject, view: View, none: Way, release: Release | None = None) -> Remedy:
    """Releases without wheels for CUDA: the toolkit of that time, from conda or where the system has it."""
    build = release.build(USUAL) if release else None
    cuda = tuple(numbers(build.cuda.version)[:2]) if build and build.cuda else _asked_cuda(subject)
    cuda = (11, 2) if cuda[:1] == (11,) and cuda not in _CONDA else (*cuda, 0)[:2]
    named = ".".join(map(str, cuda))
    steps = (f"conda install -y -c {_channel(cuda)} {_CONDA[cuda]}", 'export LD_LIBRARY_PATH="$CONDA_PREFIX/lib"') if cuda in _CONDA else ()
    there = any(numbers(item)[: len(cuda)] == cuda for item in subject.cudas)
    path = (f"ls /usr/local/cuda-{named}/lib64", f"export LD_LIBRARY_PATH=/usr/local/cuda-{named}/lib64:$LD_LIBRARY_PATH")
    found = Way(words=f"Where CUDA {named} is installed already, let the loader find it (and cuDNN beside it)", steps=path)
    conda = Way(
        words=f"Or bring CUDA {named} and its cuDNN into the active conda environment", steps=steps, cost="a download of about 1 GB"
    )
    mine = into(subject, view, release, device="cuda")
    newer = _newer(subject, view)
    first = (
        found
        if there or not steps
        else Way(
            words=(
                f"Bring CUDA {named} and its cuDNN into the active conda environment; where CUDA {named} is installed already, let the loader find it"
            ),
            steps=(*steps, *path),
            cost="a download of about 1 GB",
        )
    )
    rest = (conda,) if first is found and steps else ()
    return Remedy(
        words=first.words,
        steps=first.steps,
        why=f"this TensorFlow was built with CUDA {named} and opens its libraries under that number; another CUDA does not serve",
        cost=first.cost,
        others=(*mine, *rest, newer, none),
    )


def _channel(cuda: tuple[int, ...]) -> str:
    """The channel that has a toolkit: conda-forge from 10.1 on, conda's own before."""
    return "conda-forge" if cuda >= (10, 1) else "defaults"


def _newer(subject: Subject, view: View) -> Way:
    """A release that brings CUDA itself: into this environment where its Python has wheels, else into a new one."""
    words = "Or take a release that brings CUDA and cuDNN itself"
    latest = newest(view, lambda build: build.cuda is not None, platform=USUAL, python=subject.python)
    if latest is not None and numbers(latest.version)[:2] >= _EXTRA:
        return Way(words=words, steps=(install(subject, "tensorflow[and-cuda]"),), cost="the release changes")
    return Way(
        words=f"{words}, on a newer Python",
        steps=venv(subject, "3.12", "tensorflow[and-cuda]"),
        cost="a new environment, and the release changes",
    )


def _on_windows(subject: Subject, view: View, release: Release | None) -> Remedy:
    number = numbers(release.version)[:2] if release else ()
    if number and number > (2, 10):
        return windows(subject, view)
    build = release.build(USUAL) if release else None
    cuda = tuple(numbers(build.cuda.version)[:2]) if build and build.cuda else _asked_cuda(subject) or (11, 2)
    cuda = (11, 2) if cuda[:1] == (11,) else cuda
    named = ".".join(map(str, cuda))
    return Remedy(
        words=(
            "Without an NVIDIA GPU nothing has to be done: the message can be ignored"
            f". With one, bring CUDA {named} and its cuDNN into the active conda environment"
        ),
        steps=(f"conda install -y -c conda-forge {_CONDA.get((cuda[0], (*cuda, 0)[1]), _CONDA[11, 2])}",),
        why=f"this TensorFlow opens the DLLs of CUDA {named}; without them it computes on the processor",
        cost="a download of about 1 GB",
        others=(
            Way(
                words="Or use WSL2, where the newest TensorFlow brings CUDA itself",
                steps=("wsl --install", 'wsl python3 -m pip install "tensorflow[and-cuda]"'),
            ),
        ),
    )


def _rocm(subject: Subject) -> Remedy:
    return Remedy(
        words="Use AMD's build: CUDA is of no use on an AMD card. It needs ROCm on the system, on Linux",
        steps=("docker run -it --device=/dev/kfd --device=/dev/dri --group-add video rocm/tensorflow:latest",),
        why="the ordinary TensorFlow computes on NVIDIA cards only; tensorflow-rocm is the same for AMD, and AMD's image has all that it needs",
        cost="a download of some GB",
        others=(
            Way(
                words="Or install it beside a ROCm that is there; AMD lists which goes with which",
                steps=(install(subject, "tensorflow-rocm"),),
            ),
            Way(
                words="Or compute on the processor",
                steps=(f"{subject.shell_python} -m pip uninstall -y tensorflow-gpu tensorflow-rocm", install(subject, "tensorflow")),
            ),
        ),
    )


def rocm(subject: Subject, view: View) -> Remedy:
    """ROCm's libraries, of the release that the name asks for."""
    del view
    name = re.search(r"lib[\w+-]+\.so(?:\.(\d+))?", subject.seen)
    number = name[1] if name and name[1] else ""
    package = "rccl" if name and "rccl" in name[0] else "rocm-libs"
    return Remedy(
        words=f"Install ROCm's libraries ({package}) from AMD's package sources"
        + (f"; the wheel asks for {name[0]}" if name else "")
        + (f", which is of ROCm {number}" if number and int(number) > 2 else ""),  # noqa: PLR2004 - up to ROCm 2 the number was another
        steps=(f"sudo apt install {package}", "sudo ldconfig"),
        why="the wheels of tensorflow-rocm bring none of them, and are linked with those of one ROCm release",
        cost="some GB; needs an administrator",
        others=(
            Way(
                words="Or use AMD's image, which has both in releases that go together",
                steps=("docker run -it --device=/dev/kfd --device=/dev/dri --group-add video rocm/tensorflow:latest",),
            ),
            Way(
                words="Without an AMD card, install the ordinary TensorFlow",
                steps=(f"{subject.shell_python} -m pip uninstall -y tensorflow-rocm", install(subject, "tensorflow")),
            ),
        ),
    )


def _jetson(subject: Subject) -> Remedy:
    return Remedy(
        words=(
            'Install the wheel that NVIDIA makes for the JetPack of this board (page "TensorFlow for Jetson Platform"); first see which JetPack it is'
        ),
        steps=("cat /etc/nv_tegra_release", f"{subject.shell_python} --version"),
        why="the wheels on PyPI for aarch64 compute on the processor only, and each JetPack has one CUDA: a wheel for another CUDA does not load",
        cost="the release is the one that NVIDIA has for that JetPack",
    )


def mismatch(subject: Subject, view: View) -> Remedy:
    """The CUDA that this release was built with; another one on the system need not go. A ptxas that is too old lies first in PATH."""
    if "ptxas" in subject.seen:
        cuda = subject.cudas[0] if subject.cudas else "11.8"
        return Remedy(
            words="Put the programs of a newer CUDA first in PATH: the ptxas that is found first is too old",
            steps=("which -a ptxas", f"export PATH=/usr/local/cuda-{cuda}/bin:$PATH"),
            why="XLA takes the first ptxas of PATH, and an old one makes wrong or slow code",
            others=(Way(words="Or bring one by conda", steps=("conda install -y -c nvidia cuda-nvcc",)),),
        )
    return libraries(subject, view)


def cudnn(subject: Subject, view: View) -> Remedy:
    """CuDNN of the release, as the wheel that the catalogue pins; of the conda environment where the older one comes from there."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    if re.search(r"zlibwapi", subject.seen):
        return Remedy(
            words="Put zlibwapi.dll (zlib 1.2.3 for x64, as NVIDIA's cuDNN guide for Windows names it) into a folder of PATH, beside cudnn64_8.dll",
            steps=("where cudnn64_8.dll",),
            why="cuDNN 8.3 and later loads it",
        )
    pin = cuda_pin(release, "nvidia-cudnn")
    if subject.windows:
        return _on_windows(subject, view, release)
    asked = re.search(r"libcudnn\w*\.so\.(\d+)", subject.seen)
    compiled = re.search(r"compiled with:? (\d+)\.(\d+)", subject.seen)
    if pin and release is not None and numbers(release.version)[:2] >= _EXTRA:
        return Remedy(
            words=f"Install the cuDNN of this release: {pin}",
            steps=(install(subject, pin), f"env -u LD_LIBRARY_PATH {runs(subject, _LIST)}"),
            why=f"TensorFlow {subject.tensorflow} was built with {_built(release)}; an older cuDNN, or one of another major, does not serve",
            cost="a download of about 0.7 GB",
            others=into(subject, view, release, device="cuda"),
        )
    wheel = pin or (
        f"nvidia-cudnn-cu11=={compiled[1]}.{compiled[2]}.*" if compiled and numbers(f"{compiled[1]}.{compiled[2]}") >= (8, 5) else ""
    )
    if wheel:
        folder = f"{subject.env or '$CONDA_PREFIX'}/lib/python{subject.python or '3.10'}/site-packages/nvidia/cudnn/lib"
        return Remedy(
            words="Let the cuDNN that TensorFlow was built with be found before the other one",
            steps=(install(subject, wheel), f"export LD_LIBRARY_PATH={folder}:$LD_LIBRARY_PATH"),
            why="the loader takes the first that it finds, here one of another release (often conda's, or one in /usr/local/cuda)",
            cost="a download of about 0.7 GB",
            others=(
                Way(words="Or take the other one out where it came from", steps=("conda remove -y cudnn",)),
                *into(subject, view, release, device="cuda"),
            ),
        )
    number = int(asked[1]) if asked else 0
    older = {5: (8, 0), 6: (8, 0), 7: (10, 0), 8: (11, 2)}
    cuda = _CONDA.get(older.get(number, (11, 2)), "")
    if number in {5, 6}:
        cuda = f"cudnn={number}.0"
    return Remedy(
        words=f"Bring the cuDNN {number or ''} that this TensorFlow asks for into the environment".replace("  ", " "),
        steps=(
            f"conda install -y -c {'defaults' if number in {5, 6, 7} else 'conda-forge'} {cuda}",
            'export LD_LIBRARY_PATH="$CONDA_PREFIX/lib"',
        ),
        why="the number in the name is cuDNN's major, and only that one is opened",
        cost="a download of about 1 GB",
        others=(
            Way(words="Without an NVIDIA GPU nothing has to be done: TensorFlow computes on the processor"),
            *into(subject, view, release, device="cuda"),
            _newer(subject, view),
        ),
    )


def toolkit(subject: Subject, view: View) -> Remedy:
    """Ptxas and libdevice: the wheel of nvcc, and where XLA looks for it."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    pin = cuda_pin(release, "nvidia-cuda-nvcc")
    cuda = subject.cudas[0] if subject.cudas else ""
    if subject.windows:
        version = cuda or "11.2"
        source = rf'"C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v{version}\nvvm\libdevice\libdevice.10.bc"'
        return Remedy(
            words="Copy libdevice from the CUDA toolkit into the folder in which the program is started",
            steps=(f"copy {source} .",),
            why="XLA looks in the working folder as well, and XLA_FLAGS on Windows cannot hold a path with blanks",
            others=(Way(words="Or let XLA alone: model.compile(..., jit_compile=False)"),),
        )
    if pin or not cuda:
        wanted = pin or "nvidia-cuda-nvcc-cu12"
        data = (
            f"{subject.env or '$(dirname $(dirname $(which python3)))'}/lib/python{subject.python or '3.*'}/site-packages/nvidia/cuda_nvcc"
        )
        first = (install(subject, wanted), f"export XLA_FLAGS=--xla_gpu_cuda_data_dir={data}")
    else:
        first = (f"ls /usr/local/cuda-{cuda}/nvvm/libdevice", f"export XLA_FLAGS=--xla_gpu_cuda_data_dir=/usr/local/cuda-{cuda}")
    conda = f"conda install -y -c nvidia cuda-nvcc={'.'.join(cuda.split('.')[:2])}" if cuda else "conda install -y -c nvidia cuda-nvcc"
    return Remedy(
        words="Give XLA the compiler's files (libdevice and ptxas), and tell it where they lie",
        steps=first,
        why="TensorFlow's package has neither; XLA finds them beside ptxas, or where this variable points",
        cost="a download of about 0.2 GB",
        others=(
            Way(words="Or bring them by conda", steps=(conda, 'export XLA_FLAGS=--xla_gpu_cuda_data_dir="$CONDA_PREFIX"')),
            Way(words="Or leave XLA out: model.compile(..., jit_compile=False)"),
            *into(subject, view, release, device="cuda"),
        ),
    )


def driver_missing(subject: Subject, view: View) -> Remedy:
    """The driver of the distribution; none where there is no card; the host's in a container and in WSL2."""
    if subject.amd:
        return _rocm(subject)
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
    if subject.container:
        return Remedy(
            words="Start the container with the GPU",
            steps=("docker run --rm --gpus all IMAGE nvidia-smi -L",),
            why="a container sees no GPU unless it is started so; the host needs the NVIDIA container toolkit for it",
            others=(
                Way(
                    words="If Docker refuses that, set the toolkit up",
                    steps=(
                        "sudo apt install nvidia-container-toolkit",
                        "sudo nvidia-ctk runtime configure --runtime=docker",
                        "sudo systemctl restart docker",
                    ),
                ),
            ),
        )
    if subject.windows or subject.system == "macos":
        return Remedy(
            words="See which GPUs TensorFlow can use at all",
            steps=(runs(subject, _LIST),),
            why="on Windows after 2.10, and on a Mac without tensorflow-metal, it uses none",
        )
    return Remedy(
        words="Look whether a variable hides the GPU, then start without it; where it hides none, load the module that makes the device files",
        steps=('echo "[$CUDA_VISIBLE_DEVICES]"', f"env -u CUDA_VISIBLE_DEVICES {runs(subject, _LIST)}", "sudo modprobe nvidia_uvm"),
        why="CUDA shows a process only the GPUs that CUDA_VISIBLE_DEVICES lists, and needs /dev/nvidia-uvm, which nvidia-smi does not",
        others=(Way(words="In a batch job, ask for a GPU", steps=("srun --gres=gpu:1 nvidia-smi -L",)),),
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
    return Remedy(
        words="Load the driver's module for CUDA anew (after suspend it is often left in a bad state); else restart the machine",
        steps=("sudo rmmod nvidia_uvm", "sudo modprobe nvidia_uvm"),
        why="the driver is there and cuInit fails all the same; the module keeps its state until it is loaded anew",
        cost="ends what runs on the GPU",
        others=(Way(words="See whether the driver itself works", steps=("nvidia-smi",)),),
    )


def memory(subject: Subject, view: View) -> Remedy:
    """Let TensorFlow take memory as it needs it, see who has it, and make the batch smaller."""
    del view
    value = "set TF_FORCE_GPU_ALLOW_GROWTH=true" if subject.windows else "export TF_FORCE_GPU_ALLOW_GROWTH=true"
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


def too_old(subject: Subject, view: View) -> Remedy:
    """The release nearest to the present one that still has code for the card."""
    near = _nearest(subject, view, lambda build: _has_code(build, subject.capability)) if subject.capability else None
    if subject.amd:
        return _rocm(subject)
    cpu = Way(
        words="Or compute on the processor: it is what happens when the card is hidden",
        steps=("set CUDA_VISIBLE_DEVICES=-1" if subject.windows else "export CUDA_VISIBLE_DEVICES=-1",),
    )
    if near is None:
        return Remedy(
            words="See which compute capability the card has, then take a release that has code for it",
            steps=("nvidia-smi --query-gpu=name,compute_cap --format=csv", "tfsetup profiles --device cuda"),
            why="each build has code for some capabilities only; cuDNN ends earlier still for old cards",
            others=(cpu,),
        )
    build = near.build(USUAL)
    return Remedy(
        words=f"Take TensorFlow {minor_of(near.version)}, which has code for compute capability {subject.capability}",
        steps=(install(subject, f"tensorflow=={minor_of(near.version)}.*"),),
        why=(
            f"TensorFlow {subject.tensorflow or 'of today'} has none; {minor_of(near.version)} does, with CUDA"
            f" {build.cuda.version if build and build.cuda else ''}"
        ),
        cost="the release changes, and the CUDA that it wants",
        others=(*anew(subject, view, near, device="cuda"), cpu),
    )


def too_new(subject: Subject, view: View) -> Remedy:
    """A release with code for the card; where there is none, what others do: the container of NVIDIA, PTX, no XLA."""
    named = re.search(r"\bsm_(\d+)(\d)a?\b", subject.seen)
    if named and not subject.capability:
        subject = replace(subject, capability=f"{named[1]}.{named[2]}")
    if subject.amd or re.search(r"hip|rocBLAS", subject.seen):
        return Remedy(
            words="Tell ROCm to take the code of the nearest card that it has code for (10.3.0 for RDNA 2, 11.0.0 for RDNA 3)",
            steps=("export HSA_OVERRIDE_GFX_VERSION=10.3.0",),
            why="the build has no code for exactly this card; that of its family often runs",
            others=(
                Way(
                    words="Or use AMD's newest image",
                    steps=("docker run -it --device=/dev/kfd --device=/dev/dri --group-add video rocm/tensorflow:latest",),
                ),
            ),
        )
    if "jit-compiled from PTX" in subject.seen or "jit-compiled" in subject.text:
        return Remedy(
            words="Wait: it works once the code is compiled (up to half an hour, once). Let the driver keep the result",
            steps=("export CUDA_CACHE_MAXSIZE=4294967296",),
            why="the build has no machine code for the card, and the driver makes it from PTX at the first start",
            others=_for_card(subject, view),
        )
    if re.search(r"version of the container|run this container", subject.text):
        return Remedy(
            words="Take a newer image: Ampere cards (RTX 30, A100) need 20.10 or later, Ada and Hopper 22.09, Blackwell (RTX 50) 25.01",
            steps=("docker run --rm --gpus all tensorflow/tensorflow:latest-gpu nvidia-smi -L",),
            why="an image has the CUDA of its month, and a card that came later needs a newer one",
            cost="a download of some GB, and the TensorFlow of that image",
            others=_for_card(subject, view),
        )
    ways = _for_card(subject, view)
    if ways:
        first = ways[0]
        return Remedy(words=first.words, steps=first.steps, why=_why_new(subject, view), cost=first.cost, others=ways[1:])
    blackwell = not subject.capability or numbers(subject.capability) >= (10, 0)
    off = "set TF_XLA_FLAGS=--tf_xla_auto_jit=-1" if subject.windows else "export TF_XLA_FLAGS=--tf_xla_auto_jit=-1"
    return Remedy(
        words=(
            f"No wheel on PyPI has code for this card yet. NVIDIA's container of TensorFlow does: {LAST_CONTAINER}, the last one (seen in February"
            " 2025)"
            if blackwell
            else "Use a newer TensorFlow release"
        ),
        steps=(off,),
        why=(
            "its CUDA 12.8 knows the card; until then, computing without XLA (jit_compile=False) avoids the compiler that does not"
            if blackwell
            else "each build has code for the cards of its time"
        ),
        cost="the line above turns XLA off for this shell, which costs speed",
        others=(
            Way(
                words="Or compute on the processor meanwhile",
                steps=("set CUDA_VISIBLE_DEVICES=-1" if subject.windows else "export CUDA_VISIBLE_DEVICES=-1",),
            ),
        ),
    )


def _why_new(subject: Subject, view: View) -> str:
    family = view.architecture(subject.capability) if subject.capability else None
    return (
        f"{family.name} cards came after the CUDA that {'TensorFlow ' + subject.tensorflow if subject.tensorflow else 'this build'} was made with"
        if family
        else "the card is newer than the CUDA of this build"
    )


def _for_card(subject: Subject, view: View) -> tuple[Way, ...]:
    """The newest release with CUDA that has code for the card, with a Python of this environment."""
    if not subject.capability:
        return ()
    for release in stable(view):
        build = release.build(USUAL)
        bad = any(subject.capability in item.capabilities and "cuda" in (item.devices or ("cuda",)) for item in release.known_bad)
        if (
            build is None
            or build.cuda is None
            or bad
            or not _has_code(build, subject.capability)
            or release.version.startswith(f"{subject.minor}.")
        ):
            continue
        if subject.python and subject.python not in build.pythons:
            continue
        number = numbers(release.version)[:2]
        extra = "[and-cuda]" if number >= _EXTRA else ""
        return (
            Way(
                words=f"Take TensorFlow {minor_of(release.version)}, whose CUDA {build.cuda.version} knows the card",
                steps=(install(subject, f"tensorflow{extra}=={minor_of(release.version)}.*"),),
                cost="the release changes",
            ),
            *anew(subject, view, release, device="cuda"),
        )
    return ()


def _has_code(build: Build, capability: str) -> bool:
    """Machine code of the same major and not above, or PTX not above (a GPU runs both; NVIDIA, CUDA compatibility)."""
    if build.cuda is None:
        return False
    mine = numbers(capability)
    for item in build.cuda.capabilities:
        kind, _, digits = item.partition("_")
        theirs = (int(digits[:-1]), int(digits[-1]))
        if theirs <= mine and (kind == "compute" or theirs[0] == mine[0]):
            return True
    return False


def _nearest(subject: Subject, view: View, fits: object) -> Release | None:
    here = numbers(subject.tensorflow)[:2] if subject.tensorflow else (99,)
    found = [
        release
        for release in stable(view)
        if (build := release.build(USUAL)) and fits(build) and (not subject.python or subject.python in build.pythons)  # type: ignore[operator]  # a function
    ]
    older = [release for release in found if numbers(release.version)[:2] < here]
    return older[0] if older else None


def cpu_only(subject: Subject, view: View) -> Remedy:
    """The build with CUDA of this release; on a Mac Metal, on a board NVIDIA's wheel, on Windows another system."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    if subject.amd:
        return _rocm(subject)
    if subject.windows:
        return windows(subject, view)
    if subject.system == "macos":
        build = release.build("macos-aarch64") if release else None
        pin = f"=={build.metal.version}" if build and build.metal else ""
        return Remedy(
            words="Install tensorflow-metal: no build for macOS has CUDA, and this plug-in computes on the GPU of a Mac",
            steps=(install(subject, f"tensorflow-metal{pin}"), runs(subject, _LIST)),
            why="TensorFlow loads it by itself; it goes with releases up to 2.18",
            others=(
                ()
                if pin or release is None
                else (
                    Way(
                        words="It is for older releases only",
                        steps=(install(subject, "tensorflow==2.18.*", "tensorflow-metal==1.2.0"),),
                        cost="the release changes",
                    ),
                )
            ),
        )
    if subject.platform == "linux-aarch64":
        return _jetson(subject)
    if release is not None and numbers(release.version)[:2] < _EXTRA:
        return _older(subject, view, Way(words="Without an NVIDIA GPU nothing has to be done"), release)
    pin = f"=={subject.minor}.*" if release else ""
    return Remedy(
        words="Install the build with CUDA in place of this one",
        steps=(
            f"{subject.shell_python} -m pip uninstall -y tensorflow tensorflow-cpu",
            install(subject, f"tensorflow[and-cuda]{pin}"),
            runs(subject, _LIST),
        ),
        why="tensorflow-cpu has no CUDA in it; the package tensorflow for Linux has, and the extra brings the libraries",
        cost="a download of some 2.5 GB",
        others=into(subject, view, release, device="cuda"),
    )


def windows(subject: Subject, view: View) -> Remedy:
    """WSL2, or the last release that used a GPU there."""
    wanted = "the GPU" if subject.gpu_present is not False else "a GPU"
    del view
    return Remedy(
        words=f"To use {wanted}, install TensorFlow in WSL2, with the extra that brings CUDA",
        steps=("wsl --install", 'wsl python3 -m pip install "tensorflow[and-cuda]"'),
        why="TensorFlow after 2.10 has no CUDA on Windows itself; in WSL2 it is the build for Linux, with the driver of Windows",
        cost="a Linux beside Windows, some GB",
        others=(
            Way(words="Or stay on Windows with the processor: leave the extra out", steps=(install(subject, "tensorflow"),)),
            Way(
                words="Or take TensorFlow 2.10 with CUDA 11.2 on Windows itself, with Python 3.7 to 3.10 in conda",
                steps=(
                    "conda create -y -n tf210 python=3.10 pip",
                    "conda install -y -n tf210 -c conda-forge cudatoolkit=11.2 cudnn=8.1",
                    'conda run -n tf210 python -m pip install "tensorflow==2.10.*" "numpy<2"',
                ),
                cost="a release of 2022",
            ),
        ),
    )
