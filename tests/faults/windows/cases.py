"""The faults: what goes wrong on Windows, each made by what people do or meet there."""

from __future__ import annotations

import re
import shutil

from tests.faults.windows.fault import fault
from tests.faults.windows.place import Place

NATIVE = "tensorflow/python/_pywrap_tensorflow_internal.pyd"


# The Visual C++ runtime


@fault("msvc-redist-missing", symptom=r"msvcp140\.dll")
def no_redistributable(place: Place) -> None:
    """A fresh Windows: the redistributable was never installed."""
    for name in ("msvcp140.dll", "msvcp140_1.dll", "concrt140.dll", "vcruntime140_threads.dll"):
        place.take(place.system / name)


@fault("msvc-redist-missing", symptom=r"msvcp140_1\.dll")
def redistributable_of_2015(place: Place) -> None:
    """The redistributable is from before Visual Studio 2019, which brought msvcp140_1.dll."""
    place.take(place.system / "msvcp140_1.dll")


@fault("msvc-redist-missing", symptom=r"msvcp140\.dll")
def the_runtime_of_a_cleaner(place: Place) -> None:
    """A cleaning program took msvcp140.dll, and left the newer parts."""
    place.take(place.system / "msvcp140.dll")


@fault("msvc-redist-missing", symptom=r"vcruntime140_1\.dll")
def a_python_without_the_newer_part(place: Place) -> None:
    """A portable Python lacks vcruntime140_1.dll, and so does Windows."""
    (place.own_python() / "vcruntime140_1.dll").unlink()
    place.take(place.system / "vcruntime140_1.dll")


@fault("msvc-redist-missing", symptom=r"vcruntime140_threads\.dll", base="2.21")
def redistributable_before_threads(place: Place) -> None:
    """TensorFlow 2.21 asks for a DLL that redistributables before 14.4x have not."""
    place.take(place.system / "vcruntime140_threads.dll")


@fault("msvc-redist-missing", symptom=r"14\.0\.24215")
def a_runtime_that_is_too_old(place: Place) -> None:
    """The runtime of 2015 is there, and a DLL of it fails when TensorFlow starts it (a stand-in with that version)."""
    place.put(place.system / "msvcp140.dll", place.failing("msvcp140.dll", "14.0.24215"))
    place.variables["WINEDLLOVERRIDES"] = "msvcp140=n"


@fault("cpu-no-avx", symptom=r"AVX", mend="named")
def a_processor_without_avx(place: Place) -> None:
    """The runtime is new, and TensorFlow's own DLL fails when it starts: the processor has no AVX (as it is told to be)."""
    place.put(place.system / "msvcp140.dll", place.failing("msvcp140.dll", "14.44.35112"))
    place.variables |= {"WINEDLLOVERRIDES": "msvcp140=n", "TFSETUP_FACT_CPU_FEATURES": "sse4_1 sse4_2"}


@fault("environment-leak", "msvc-redist-missing", symptom=r"python/msvcp140\.dll", mend="hand")
def an_old_dll_beside_python(place: Place) -> None:
    """Somebody copied a DLL of a download page beside python.exe, where Windows looks first."""
    shutil.copy(place.failing("msvcp140.dll", "14.0.24215"), place.own_python() / "msvcp140.dll")
    place.variables["WINEDLLOVERRIDES"] = "msvcp140=n,b"


# Files


@fault("install-corrupt", symptom=r"_pywrap_tensorflow_internal")
def a_dll_that_antivirus_took(place: Place) -> None:
    """An antivirus program put TensorFlow's DLL into quarantine."""
    place.delete(place.site / NATIVE)


@fault("install-corrupt", symptom=r"openblas")
def a_dll_of_numpy_that_antivirus_took(place: Place) -> None:
    """The same with the DLL that NumPy computes with."""
    place.delete(next(place.site.rglob("libopenblas*.dll")))


@fault("install-corrupt", symptom=r"hdf5")
def a_dll_of_h5py_that_antivirus_took(place: Place) -> None:
    """The same with the DLL that Keras stores its models with."""
    place.delete(place.site / "h5py" / "hdf5.dll")


@fault("install-corrupt", symptom=r"_pywrap_tensorflow_common", base="2.21")
def the_common_dll_that_antivirus_took(place: Place) -> None:
    """TensorFlow of today is in a DLL beside its .pyd files."""
    place.delete(place.site / "tensorflow/python/_pywrap_tensorflow_common.dll")


@fault("install-corrupt", symptom=r"_pywrap_tensorflow_internal")
def a_truncated_pyd(place: Place) -> None:
    """The disk was full while it was unpacked."""
    place.cut(place.site / NATIVE, 0.4)


@fault("install-corrupt", symptom=r"_multiarray_umath")
def a_damaged_pyd(place: Place) -> None:
    """A bad sector: the file is as long as it was."""
    path = next(place.site.glob("numpy/core/_multiarray_umath*.pyd"))
    data = bytearray(path.read_bytes())
    data[0x200:0x1200] = bytes(0x1000)
    place.write(path, bytes(data))


@fault("install-corrupt", symptom=r"cp39")
def a_pyd_of_another_python(place: Place) -> None:
    """NumPy's wheel for Python 3.9 was unpacked into the folder of 3.10."""
    version = place.info("numpy").name.removesuffix(".dist-info").partition("-")[2]
    folder = place.folder("other")
    place.install_into(folder, f"numpy=={version}", python="3.9")
    for name in ("numpy", place.info("numpy").name):
        place.delete(place.site / name)
        shutil.move(folder / name, place.site / name)


@fault("install-corrupt", "dependency-incompatible", symptom=r"wrapt")
def a_package_removed_by_hand(place: Place) -> None:
    """A folder of the packages was deleted in the Explorer."""
    place.delete(place.site / "wrapt")


@fault("dependency-incompatible", "install-corrupt", symptom=r"astunparse")
def a_package_uninstalled(place: Place) -> None:
    """A package that TensorFlow needs was uninstalled."""
    place.uninstall("astunparse")


@fault("install-corrupt", symptom=r"numpy")
def stale_metadata(place: Place) -> None:
    """An upgrade that could not remove the old one's metadata: a file of it was in use."""
    old = place.site / "numpy-1.21.0.dist-info"
    for path in place.info("numpy").iterdir():
        if path.is_file():
            place.write(old / path.name, path.read_bytes().replace(b"Version: 1.23.5", b"Version: 1.21.0"))
    place.write(old / "RECORD", "numpy-1.21.0.dist-info/METADATA,,\nnumpy-1.21.0.dist-info/RECORD,,\nnumpy/old.py,sha256=x,1\n")


@fault("install-corrupt", "tf-not-installed", "wrong-environment", symptom=r"ensorflow")
def a_removal_that_met_a_file_in_use(place: Place) -> None:
    """`pip uninstall` renamed the folder and was stopped by a DLL in use."""
    (place.site / "tensorflow").rename(place.site / "~ensorflow")
    place.info("tensorflow-intel").rename(place.site / "~ensorflow_intel-2.10.1.dist-info")


# Packages


@fault("protobuf-incompatible", symptom=r"protobuf")
def protobuf_too_new(place: Place) -> None:
    """Another package brought protobuf 4."""
    place.install("protobuf==4.25.3")


@fault("numpy-incompatible", symptom=r"[Nn]um[Pp]y")
def numpy_2(place: Place) -> None:
    """`pip install -U numpy`."""
    place.install("numpy==2.1.3")


@fault("keras-incompatible", symptom=r"[Kk]eras")
def keras_3_beside_2_10(place: Place) -> None:
    """`pip install -U keras`."""
    place.install("keras==3.3.3")


@fault("conflicting-tf-packages", "install-corrupt", symptom=r"tensorflow.cpu|tensorflow-intel")
def tensorflow_cpu_over_tensorflow_intel(place: Place) -> None:
    """Two packages that own one folder."""
    place.install("tensorflow-cpu==2.9.3")


@fault("tf-not-installed", "install-corrupt", "dependency-incompatible", symptom=r"tensorflow-intel|tensorflow_intel|tensorflow")
def tensorflow_without_tensorflow_intel(place: Place) -> None:
    """A requirements file made on Linux, installed with --no-deps: on Windows `tensorflow` is a shell around tensorflow-intel."""
    place.uninstall("tensorflow-intel")
    place.install("tensorflow==2.11.1")


# What comes in from elsewhere


@fault("environment-leak", "numpy-incompatible", symptom=r"PYTHONPATH", mend="hand")
def pythonpath_of_another_project(place: Place) -> None:
    """A variable of the user's puts another project's packages before these."""
    folder = place.folder("other")
    place.install_into(folder, "numpy==2.1.3")
    place.variables["PYTHONPATH"] = place.windows(folder)


@fault("protobuf-incompatible", "environment-leak", "dependency-incompatible", symptom=r"protobuf")
def packages_of_the_user(place: Place) -> None:
    """`pip install --user` outside, an environment that sees the system's packages, and a package that was uninstalled from it."""
    config = place.env / "pyvenv.cfg"
    place.write(config, config.read_text().replace("include-system-site-packages = false", "include-system-site-packages = true"))
    place.uninstall("protobuf")
    folder = place.folder("user") / "Python310" / "site-packages"
    folder.mkdir(parents=True)
    place.install_into(folder, "protobuf==4.25.3")
    place.variables["PYTHONUSERBASE"] = place.windows(place.folder("user"))


@fault("module-shadowed", symptom=r"work/(tensorflow|numpy)\.py", mend="tool")
def a_script_called_numpy(place: Place) -> None:
    """The exercise was saved as numpy.py."""
    place.write(place.work / "numpy.py", "import random\nprint(random.random())\n")


# The interpreter


@fault("wrong-environment", "python-unsupported", "install-corrupt", "environment-leak", symptom=r"[Pp]ython")
def the_python_under_it_was_uninstalled(place: Place) -> None:
    """The Python that the environment was made with was uninstalled; another of its version is there."""
    place.delete(place.own_python())


@fault("msvc-redist-missing", "wrong-environment", symptom=r"vcruntime140|not start|start")
def a_python_that_does_not_start(place: Place) -> None:
    """The Python itself lacks vcruntime140.dll, and Windows has none either; another one of its version has its own."""
    (place.own_python() / "vcruntime140.dll").unlink()
    place.take(place.system / "vcruntime140.dll")


@fault("wrong-environment", "install-corrupt", symptom=r"[Pp]ython")
def a_python_exe_that_antivirus_took(place: Place) -> None:
    """An antivirus program took the environment's python.exe, a small unsigned program that starts others."""
    place.delete(place.env / "Scripts" / "python.exe")


@fault("install-corrupt", "wrong-environment", symptom=r"pyvenv")
def a_clean_up_of_cfg_files(place: Place) -> None:
    """pyvenv.cfg was removed, so that the environment's python.exe knows no Python to start."""
    place.delete(place.env / "pyvenv.cfg")


@fault("wrong-environment", "install-corrupt", symptom=r"_ctypes")
def a_dll_of_python_that_antivirus_took(place: Place) -> None:
    """The Python under the environment lacks libffi, so that nothing with ctypes is imported; another one of its version is whole."""
    place.delete(next((place.own_python() / "DLLs").glob("libffi-*.dll")))


@fault("wrong-environment", symptom=r"pip\.exe runs .*first")
def an_environment_that_was_renamed(place: Place) -> None:
    """The folder was renamed: pip.exe and every other command start a Python that is no more, and `activate` names the old folder."""
    first = place.root / "first"
    place.env.rename(first)
    place.write(first / "pyvenv.cfg", (first / "pyvenv.cfg").read_text().replace("relocatable = true\n", ""))
    python = place.windows(first / "Scripts" / "python.exe")
    place.uv("pip", "install", "--no-deps", "--reinstall", "-p", python, "pip==24.0", "markdown==3.7")
    old = place.windows(first)
    place.write(
        first / "Scripts" / "activate.bat", f'@echo off\r\n\r\nset "VIRTUAL_ENV={old}"\r\n\r\nset "PATH=%VIRTUAL_ENV%\\Scripts;%PATH%"\r\n'
    )
    first.rename(place.env)


@fault("environment-leak", symptom=r"PYTHONHOME", mend="hand")
def pythonhome_of_another_python(place: Place) -> None:
    """PYTHONHOME, set for everybody by another program, names another Python (the tool's own, so that the tool starts)."""
    place.variables["WINPY_PYTHONHOME"] = "C:\\Python311"


@fault("environment-leak", "module-shadowed", symptom=r"sitecustomize")
def a_start_up_file_that_fails(place: Place) -> None:
    """sitecustomize.py asks for a module that is no longer there, and ends every start."""
    words = "import sys\n\ntry:\n    import company_proxy\nexcept ImportError as error:\n    sys.exit(f'sitecustomize: {error}')\n"
    place.write(place.site / "sitecustomize.py", words)


@fault("keras-incompatible", symptom=r"TF_USE_LEGACY_KERAS|tf.keras", base="2.21", mend="hand")
def the_old_keras_asked_for(place: Place) -> None:
    """The variable that asks for tf-keras was set for another project; this one has none."""
    place.variables["TF_USE_LEGACY_KERAS"] = "1"


@fault("install-corrupt", symptom=r"_pywrap_tensorflow_internal")
def a_damaged_file_that_is_read_only(place: Place) -> None:
    """The environment came from a disk of files that are read-only, and was damaged on the way."""
    place.cut(place.site / NATIVE, 0.5)
    for path in (place.site / "tensorflow" / "python").iterdir():
        if path.is_file():
            place.write(path, path.read_bytes(), mode=0o444)


@fault("conflicting-tf-packages", "install-corrupt", symptom=r"tensorflow.gpu")
def tensorflow_gpu_over_tensorflow_intel(place: Place) -> None:
    """A course asks for `pip install tensorflow-gpu`: its files lie over those of the other package."""
    place.install("tensorflow-gpu==2.10.1")


@fault("dependency-incompatible", symptom=r"ml.dtypes", base="2.21")
def ml_dtypes_too_old(place: Place) -> None:
    """Another package brought an old ml_dtypes along."""
    place.install("ml_dtypes==0.5.0")


@fault("protobuf-incompatible", symptom=r"protobuf", base="2.21")
def protobuf_too_old(place: Place) -> None:
    """Another package pinned an old protobuf."""
    place.install("protobuf==3.20.3")


@fault("module-shadowed", symptom=r"random\.py")
def a_script_called_random(place: Place) -> None:
    """The exercise was saved as random.py: what Python itself needs is no longer found."""
    place.write(place.work / "random.py", "print('six')\n")


@fault("install-corrupt", "extension-abi-mismatch", symptom=r"h5py|wrapt|_wrappers")
def a_package_for_32_bits(place: Place) -> None:
    """A compiled file of a 32-bit Python lies in the folder: a stick that was shared with an older machine."""
    path = next(place.site.glob("wrapt/_wrappers*.pyd"))
    data = bytearray(path.read_bytes())
    offset = int.from_bytes(data[0x3C:0x40], "little") + 4
    # IMAGE_FILE_MACHINE_I386 in the place of IMAGE_FILE_MACHINE_AMD64.
    data[offset : offset + 2] = (0x014C).to_bytes(2, "little")
    place.write(path, bytes(data))


# CUDA on Windows itself, 2.5 to 2.10; the driver is a stand-in, which doctor alone meets


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


# What people meet on every system, on Windows as well


@fault("install-corrupt", symptom=r"_pywrap_tensorflow_internal")
def a_pyd_of_no_bytes(place: Place) -> None:
    """The power went while it was written: the file is there and empty."""
    place.write(place.site / NATIVE, b"")


@fault("install-corrupt", symptom=r"math_ops\.py")
def a_module_that_is_a_web_page(place: Place) -> None:
    """A proxy's login page in the place of a file that somebody wanted to replace by a newer one."""
    place.write(place.site / "tensorflow/python/ops/math_ops.py", "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n")


@fault("install-corrupt", "numpy-incompatible", symptom=r"numpy")
def metadata_of_numpy_removed(place: Place) -> None:
    """Somebody removed NumPy's .dist-info: it can be imported, and pip says it is not installed."""
    for folder in place.site.glob("numpy-*.dist-info"):
        shutil.rmtree(folder)


@fault("dependency-incompatible", "install-corrupt", symptom=r"wrapt")
def wrapt_uninstalled(place: Place) -> None:
    """An uninstall of something else took a package along that TensorFlow needs."""
    place.uninstall("wrapt")


@fault("keras-incompatible", symptom=r"estimator")
def estimator_of_a_later_release(place: Place) -> None:
    """tensorflow-estimator of a later release."""
    place.install("tensorflow-estimator==2.15.0")


@fault("module-shadowed", symptom=r"tensorflow")
def a_folder_called_tensorflow(place: Place) -> None:
    """A clone of TensorFlow's sources, or a folder of that name, lies where the program is started."""
    place.write(place.work / "tensorflow" / "__init__.py", "")


@fault("module-shadowed", symptom=r"google", base="2.21")
def a_script_called_google(place: Place) -> None:
    """A script called google.py hides the namespace that protobuf lies in, where no ``.pth`` file of an older protobuf has made it before."""
    place.write(place.work / "google.py", "print('searching')\n")


@fault("dependency-incompatible", symptom=r"gast|flatbuffers", base="2.21")
def gast_that_does_not_go(place: Place) -> None:
    """Another package wanted a gast that TensorFlow leaves out by name."""
    place.install("gast==0.5.2")


@fault("keras-incompatible", "dependency-incompatible", symptom=r"keras", base="2.21")
def keras_2_beside_2_21(place: Place) -> None:
    """Keras of an old tutorial."""
    place.install("keras==2.15.0")


@fault("install-corrupt", "numpy-incompatible", symptom=r"numpy", base="2.21")
def numpy_damaged_by_an_upgrade(place: Place) -> None:
    """An upgrade of NumPy that was broken off: Python's half is the new one's, the compiled half is gone."""
    for path in place.site.glob("numpy/_core/_multiarray_umath*.pyd"):
        place.delete(path)


@fault("conflicting-tf-packages", symptom=r"nightly", base="2.21")
def a_nightly_build_over_it(place: Place) -> None:
    """Half of a nightly build's files were copied over the release, with its metadata: two write the same folder."""
    info = place.site / "tf_nightly-2.22.0.dev20260101.dist-info"
    own = next(place.site.glob("tensorflow*-2.21.0.dist-info"))
    metadata = (own / "METADATA").read_text(encoding="utf-8")
    place.write(
        info / "METADATA",
        re.sub(r"(?m)^(Name: ).*$", r"\1tf_nightly", re.sub(r"(?m)^(Version: ).*$", r"\g<1>2.22.0.dev20260101", metadata)),
    )
    place.write(info / "RECORD", (own / "RECORD").read_text(encoding="utf-8"))
    place.write(info / "WHEEL", (own / "WHEEL").read_text(encoding="utf-8"))
