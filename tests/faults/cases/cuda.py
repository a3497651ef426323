"""CUDA and cuDNN: missing, of another version, damaged, or found elsewhere first. Seen on a machine without a GPU, too."""

from __future__ import annotations

from tests.faults.fault import fault
from tests.faults.place import Place

# What TensorFlow does when it looks for a GPU; it says what it could not open in one line.
FILES = (
    "import glob, sysconfig; print(sorted(f.rpartition('/')[2] for f in glob.glob(sysconfig.get_path('purelib') + '/nvidia/*/lib/*.so*')))"
)
CUDNN = (
    "import ctypes, sysconfig, os\n"
    "import tensorflow\n"
    "try:\n    lib = ctypes.CDLL('libcudnn.so.8')\n"
    "except OSError:\n    lib = ctypes.CDLL(sysconfig.get_path('purelib') + '/nvidia/cudnn/lib/libcudnn.so.8')\n"
    "lib.cudnnGetVersion.restype = ctypes.c_size_t\nprint('cudnn', lib.cudnnGetVersion())"
)
FAKE_CUDNN = "#include <stddef.h>\nsize_t cudnnGetVersion(void) { return 8100; }\nsize_t cudnnGetCudartVersion(void) { return 11020; }\n"


@fault("2.15-cuda", "cudnn-missing", "cuda-libs-missing", shown_by=FILES, symptom="^(?!.*libcudnn.so)")
def cudnn_is_not_installed(place: Place) -> None:
    """``pip install tensorflow`` without ``[and-cuda]``, and the CUDA packages one by one, cuDNN forgotten."""
    place.uninstall("nvidia-cudnn-cu12")


@fault("2.15-cuda", "cuda-libs-missing", shown_by=FILES, symptom="^(?!.*libcublas.so)")
def cublas_is_not_installed(place: Place) -> None:
    """A clean-up took cuBLAS out."""
    place.uninstall("nvidia-cublas-cu12")


@fault("2.15-cuda", "cudnn-version-mismatch", "cudnn-missing", shown_by=FILES, symptom=r"libcudnn.so.9")
def cudnn_9_beside_2_15(place: Place) -> None:
    """PyTorch brought cuDNN 9, where TensorFlow 2.15 opens libcudnn.so.8."""
    place.install("nvidia-cudnn-cu12==9.28.0.42")


@fault("2.15-cuda", "cudnn-version-mismatch", "install-corrupt", shown_by=CUDNN, symptom=r"cudnn 86\d\d|libcublas.so.11: cannot open")
def cudnn_of_cuda_11_over_it(place: Place) -> None:
    """nvidia-cudnn-cu11 was installed for another package into the same folder: 8.6 lies over 8.9."""
    place.install("nvidia-cudnn-cu11==8.6.0.163")


@fault("2.15-cuda", "cuda-version-mismatch", "cuda-libs-missing", shown_by=FILES, symptom=r"^(?!.*libcublas.so.12).*libcublas.so.11")
def cuda_11_beside_a_build_for_12(place: Place) -> None:
    """The CUDA packages of TensorFlow 2.13's days."""
    place.uninstall("nvidia-cublas-cu12", "nvidia-cuda-runtime-cu12")
    place.install("nvidia-cublas-cu11==11.11.3.6", "nvidia-cuda-runtime-cu11==11.8.89")


@fault(
    "2.11-cuda",
    "cuda-libs-missing",
    shown_by="import os, tensorflow; print('links', [f for f in os.listdir(os.path.dirname(tensorflow.__file__)) if f.startswith('libcu')])",
    symptom=r"links \[\]",
)
def links_beside_tensorflow_removed(place: Place) -> None:
    """The CUDA packages are there, and nothing leads TensorFlow 2.11 to them: its search path is its own folder."""
    for path in place.site.glob("tensorflow/libcu*"):
        if path.is_symlink():
            place.delete(path)


@fault(
    "2.15-cuda",
    "install-corrupt",
    shown_by="import ctypes, sysconfig; ctypes.CDLL(sysconfig.get_path('purelib') + '/nvidia/cufft/lib/libcufft.so.11')",
    symptom="file too short|died by|cannot open|Error",
)
def cufft_cut_short(place: Place) -> None:
    """A copy that broke off."""
    place.cut(place.path("nvidia/cufft/lib/libcufft.so.11"), 0.3)


@fault("2.15-cuda", "cudnn-version-mismatch", "environment-leak", shown_by=CUDNN, symptom="cudnn 8100", mend="hand", needs=("gcc",))
def an_old_cudnn_first(place: Place) -> None:
    """LD_LIBRARY_PATH names a system-wide cuDNN 8.1, which wins over the environment's 8.9."""
    place.c_library(place.root / "cuda/lib64/libcudnn.so.8", FAKE_CUDNN, "-Wl,-soname,libcudnn.so.8")
    place.variables["LD_LIBRARY_PATH"] = str(place.root / "cuda/lib64")


@fault(
    "2.15-cuda",
    "environment-leak",
    "cuda-libs-missing",
    shown_by="import ctypes; ctypes.CDLL('libcudart.so.12')",
    symptom="invalid ELF header|file too short",
    mend="hand",
)
def a_cudart_that_is_no_library(place: Place) -> None:
    """LD_LIBRARY_PATH names a folder in which libcudart.so.12 is a text file (a link that a Windows share has flattened)."""
    place.write(place.folder("cuda/lib64") / "libcudart.so.12", "libcudart.so.12.2.140")
    place.variables["LD_LIBRARY_PATH"] = str(place.root / "cuda/lib64")
