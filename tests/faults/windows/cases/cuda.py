"""CUDA on Windows itself, 2.5 to 2.10; the driver is a stand-in, which ``doctor`` alone meets."""

from __future__ import annotations

from tests.faults.windows.fault import fault
from tests.faults.windows.place import Place


@fault("install-corrupt", symptom=r"cudnn_ops_infer64_8\.dll", base="cuda")
def a_dll_of_cudnn_that_antivirus_took(place: Place) -> None:
    """An antivirus program took one of cuDNN's DLLs, which cuDNN itself opens when it is used."""
    place.delete(place.site / "nvidia/cudnn/bin/cudnn_ops_infer64_8.dll")


@fault("cudnn-missing", symptom=r"cudnn64_8\.dll|nvidia-cudnn-cu11", base="cuda")
def cudnn_uninstalled(place: Place) -> None:
    """Somebody made room: cuDNN takes a gigabyte."""
    place.uninstall("nvidia-cudnn-cu11")


@fault("cudnn-version-mismatch", "cudnn-missing", symptom=r"nvidia-cudnn-cu11|cudnn64_8\.dll", base="cuda")
def cudnn_9_of_another_guide(place: Place) -> None:
    """A guide for a newer framework: cuDNN 9 takes the place of 8."""
    place.uninstall("nvidia-cudnn-cu11")
    place.install("nvidia-cudnn-cu11==9.10.2.21")


@fault("cuda-version-mismatch", "cuda-libs-missing", symptom=r"cublas64_11\.dll|nvidia-cublas-cu1[12]", base="cuda")
def cublas_of_cuda_12(place: Place) -> None:
    """A guide for a newer framework: CUDA 12's cuBLAS takes the place of 11's."""
    place.uninstall("nvidia-cublas-cu11")
    place.install("nvidia-cublas-cu12==12.1.3.1")


@fault("cuda-libs-missing", "install-corrupt", symptom=r"tfsetup_dlls\.pth|PATH|64_1", base="cuda")
def the_small_pth_is_gone(place: Place) -> None:
    """A clean-up took the small file that puts the wheels' folders on PATH."""
    place.delete(place.site / "tfsetup_dlls.pth")


@fault("environment-leak", "cudnn-version-mismatch", symptom=r"(?i)system32.cudnn64_8\.dll", base="cuda", mend="named")
def an_old_cudnn_in_system32(place: Place) -> None:
    """A guide of 2020 had cuDNN's DLLs copied into System32, where Windows looks before PATH; this one does not load."""
    place.put(place.system / "cudnn64_8.dll", place.failing("cudnn64_8.dll", "6.14.11"))
