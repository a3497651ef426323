"""What to do where XLA lacks the compiler's files of CUDA: libdevice and ptxas."""

from __future__ import annotations

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import View, cuda_pin, release_of
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import install, into


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
        # No shell opens a pattern such as python3.* in what it assigns, so that Python itself says where the wheel lies.
        data = f"$({subject.shell_python} -c 'import nvidia.cuda_nvcc as m; print(m.__path__[0])')"
        first = (install(subject, wanted), f'export XLA_FLAGS="--xla_gpu_cuda_data_dir={data}"')
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


def older_ptxas(subject: Subject, view: View) -> Remedy:
    """A ptxas of an older CUDA that is found first in PATH: that of the release, as a wheel, else of a newer CUDA that is there."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    pin = cuda_pin(release, "nvidia-cuda-nvcc")
    why = "XLA takes the first ptxas of PATH, and an old one makes wrong or slow code"
    if pin:
        return Remedy(
            words="See which ptxas comes first in PATH, and put the one of this release before it, from its wheel",
            steps=(
                "which -a ptxas",
                install(subject, pin),
                f"export PATH=\"$({subject.shell_python} -c 'import nvidia.cuda_nvcc as m; print(m.__path__[0])')/bin:$PATH\"",
            ),
            why=why,
            cost="a download of about 0.2 GB",
        )
    cuda = subject.cudas[0] if subject.cudas else "11.8"
    return Remedy(
        words="Put the programs of a newer CUDA first in PATH: the ptxas that is found first is too old",
        steps=("which -a ptxas", f"export PATH=/usr/local/cuda-{cuda}/bin:$PATH"),
        why=why,
        others=(Way(words="Or bring one by conda", steps=("conda install -y -c nvidia cuda-nvcc",)),),
    )
