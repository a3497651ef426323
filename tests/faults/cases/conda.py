"""Conda environments: files and records of conda's packages, pip over conda, links and activation files, channels, protection."""

from __future__ import annotations

import json

from tests.faults.conda import FORGE, MAIN, as_conda, change, meta, record
from tests.faults.fault import fault, healthy
from tests.faults.place import Place

BASE = "2.4-conda"
OPEN = "import ctypes, sysconfig; ctypes.CDLL(sysconfig.get_path('purelib') + '/tensorflow/{name}')"
RECORDS = (
    "import glob, json, sys; "
    "print([json.load(open(path))['version'] for path in sorted(glob.glob(sys.prefix + '/conda-meta/{name}-[0-9]*.json'))])"
)
THERE = "import os, sys; print([os.path.exists(sys.prefix + '/' + path) for path in {paths!r}])"
INSTALLERS = (
    "import glob, os, sys, sysconfig; print([open(path).read().strip() for path in glob.glob(sysconfig.get_path('purelib') + '/{name}-*/INSTALLER')],"
    " [os.path.basename(path) for path in glob.glob(sys.prefix + '/conda-meta/{package}-*')])"
)


def library(place: Place, name: str):
    """Return the file behind a library of conda's."""
    return (place.env / "lib" / name).resolve()


@fault(
    BASE,
    "install-corrupt",
    shown_by=OPEN.format(name="libcublas.so.11"),
    symptom="file too short|invalid ELF|cannot read file data|died by",
)
def library_of_cudatoolkit_cut_off(place: Place) -> None:
    """The disk ran full while conda linked cudatoolkit."""
    place.cut(library(place, "libcublas.so.11"), 0.3)


@fault(BASE, "install-corrupt", "cudnn-missing", shown_by=OPEN.format(name="libcudnn.so.8"), symptom="cannot open shared object file")
def library_of_cudnn_deleted(place: Place) -> None:
    """Somebody has taken the library out of ``lib``; the links to it are still there."""
    place.delete(library(place, "libcudnn.so.8"))


@fault(BASE, "install-corrupt", symptom="SyntaxError|Error", shown_by="import json")
def module_of_python_changed(place: Place) -> None:
    """A module of the standard library was edited, and the edit is not Python."""
    place.write(place.env / "lib/python3.8/json/decoder.py", "def broken(:\n")


@fault(BASE, "install-corrupt", symptom="No module named|Fatal|died by|Error", shown_by="import encodings")
def standard_library_half_deleted(place: Place) -> None:
    """A clean-up took what Python needs to start."""
    place.delete(place.env / "lib/python3.8/encodings")


@fault(BASE, "install-corrupt", symptom="No such file")
def python_itself_deleted(place: Place) -> None:
    """An interrupted ``conda update python`` has unlinked the old one."""
    for path in place.bin.glob("python*"):
        place.delete(path)


@fault(BASE, "install-corrupt", shown_by=RECORDS.format(name="cudnn"), symptom="JSONDecodeError|Unterminated")
def record_broken_off(place: Place) -> None:
    """``conda-meta`` was copied while the disk was full."""
    place.cut(meta(place, "cudnn"), 0.5)


@fault(BASE, "install-corrupt", shown_by=RECORDS.format(name="cudatoolkit"), symptom=r"11\.0\.2.*11\.0\.3")
def package_recorded_twice(place: Place) -> None:
    """An interrupted update has left the old record."""
    data = json.loads(meta(place, "cudatoolkit").read_text())
    for item in data["paths_data"]["paths"]:
        item["sha256"], item["size_in_bytes"] = "0" * 64, 1
    name = "cudatoolkit-11.0.2-h88f8997_11"
    changed = {**data, "version": "11.0.2", "fn": f"{name}.conda", "url": data["url"].replace("11.0.3", "11.0.2")}
    place.write(place.env / "conda-meta" / f"{name}.json", json.dumps(changed))


@fault(
    BASE,
    "install-corrupt",
    "dependency-incompatible",
    shown_by=INSTALLERS.format(name="six", package="six"),
    symptom=r"'uv'.*'six-1\.15\.0-py38_0\.json'",
)
def pip_over_a_package_of_conda(place: Place) -> None:
    """``pip install six`` where conda's was: conda still lists files that are not there."""
    as_conda(place, "six")
    place.install("six==1.16.0")


@fault(
    BASE,
    "install-corrupt",
    "numpy-incompatible",
    shown_by=INSTALLERS.format(name="numpy", package="numpy"),
    symptom=r"(?s)'numpy-1\.19\.\d-py38_0\.json'.*Error|'uv'",
)
def pip_put_a_numpy_over_condas_that_does_not_fit(place: Place) -> None:
    """The pip that was used knew nothing of conda's limits."""
    as_conda(place, "numpy")
    place.install("numpy==1.24.4")


@fault(
    BASE,
    "conflicting-tf-packages",
    shown_by=INSTALLERS.format(name="tensorflow", package="tensorflow-base"),
    symptom=r"'uv'.*'tensorflow-base-",
)
def tensorflow_of_conda_and_of_pip(place: Place) -> None:
    """``pip install tensorflow`` where conda's tensorflow-base was: the files are pip's, and conda's next update takes them away."""
    as_conda(place, "tensorflow", "tensorflow-base")
    record(place, "tensorflow", "2.4.4", "py38_0", depends=("tensorflow-base 2.4.4 py38_0",))
    place.install("tensorflow==2.4.4", options=("--reinstall",))


@fault(BASE, "cuda-libs-missing", shown_by=OPEN.format(name="libcudart.so.11.0"), symptom="cannot open shared object file")
def link_to_cuda_leads_nowhere(place: Place) -> None:
    """The link beside TensorFlow was copied from another environment."""
    path = place.site / "tensorflow/libcudart.so.11.0"
    place.delete(path)
    path.symlink_to("../../../../old/lib/libcudart.so.11.0")


@fault(BASE, "cudnn-missing", "cuda-libs-missing", shown_by=OPEN.format(name="libcudnn.so.8"), symptom="cannot open shared object file")
def links_to_cuda_removed(place: Place) -> None:
    """A synchronising program does not copy links."""
    for path in (place.site / "tensorflow").glob("lib*.so.*"):
        if path.is_symlink():
            place.delete(path)


@fault(
    BASE,
    "install-corrupt",
    shown_by=THERE.format(paths=["etc/conda/activate.d/tfsetup.sh", "bin/activate"]),
    symptom=r"\[False, True\]",
)
def activation_script_removed(place: Place) -> None:
    """The activation files were cleaned up."""
    place.delete(place.env / "etc/conda/activate.d/tfsetup.sh")


@fault(BASE, "dependency-incompatible", shown_by=RECORDS.format(name="libgcc"), symptom=r"\[\]")
def package_that_others_depend_on_removed(place: Place) -> None:
    """``conda remove --force``."""
    place.delete(meta(place, "libgcc"))


@fault(BASE, "install-corrupt", symptom="Error", shown_by="import numpy")
def file_of_a_wheel_deleted(place: Place) -> None:
    """A module of a wheel beside conda's packages is gone."""
    place.delete(place.site / "numpy/core/multiarray.py")


@fault(
    BASE,
    "numpy-incompatible",
    symptom="AttributeError|Error|np.bool",
    shown_by="import tensorflow.python.framework.dtypes; import numpy; numpy.bool",
)
def numpy_too_new_beside_conda(place: Place) -> None:
    """The wheel of NumPy was upgraded."""
    place.install("numpy==1.24.4")


@fault(BASE, "install-corrupt", shown_by="import os, sysconfig; print(os.listdir(sysconfig.get_path('purelib')))", symptom="~ensorflow")
def leftover_of_pip_in_conda(place: Place) -> None:
    """pip was interrupted when it removed TensorFlow's old metadata."""
    place.copy(place.info("tensorflow"), place.site / "~ensorflow-2.4.4.dist-info")


@fault(BASE, "install-corrupt", "tf-not-installed", symptom="Error|Fatal|No module named|died by")
def the_whole_library_folder_deleted(place: Place) -> None:
    """``rm -r lib/python3.8``: Python's modules and all that was installed."""
    place.delete(place.env / "lib/python3.8")


@fault(
    BASE,
    "openmp-duplicate",
    shown_by=THERE.format(paths=["lib/libiomp5.so", "lib/python3.8/site-packages/scikit_learn.libs"]),
    symptom="True, True",
    mend="hand",
)
def two_openmp_runtimes(place: Place) -> None:
    """conda's llvm-openmp, and a wheel with Intel's own."""
    place.write(place.env / "lib/libomp.so", b"\x7fELF-llvm")
    (place.env / "lib/libiomp5.so").symlink_to("libomp.so")
    record(place, "llvm-openmp", "15.0.7", "h0cdce71_0", files=("lib/libomp.so", "lib/libiomp5.so"))
    place.write(place.site / "scikit_learn.libs/libiomp5-1a2b3c4d.so", b"\x7fELF-intel")


@fault(BASE, "dependency-incompatible", shown_by=RECORDS.format(name="libprotobuf"), symptom=r"3\.14", mend="hand")
def channels_mixed(place: Place) -> None:
    """Python of conda-forge, libraries of defaults."""
    change(place, "python", channel=FORGE)
    record(place, "libprotobuf", "3.14.0", "h8c45485_0", channel=MAIN)
    record(place, "openssl", "1.1.1k", "h27cfd23_0", channel=MAIN)


@fault(
    BASE,
    "install-corrupt",
    shown_by=OPEN.format(name="libcublas.so.11"),
    symptom="file too short|invalid ELF|cannot read file data|died by",
    mend="hand",
)
def frozen_and_broken(place: Place) -> None:
    """An administrator has frozen the environment (CEP 22)."""
    place.write(place.env / "conda-meta/frozen", '{"message": "ask the cluster team"}')
    place.cut(library(place, "libcublas.so.11"), 0.3)


@fault(
    BASE,
    "install-corrupt",
    shown_by=OPEN.format(name="libcublas.so.11"),
    symptom="file too short|invalid ELF|cannot read file data|died by",
    mend="hand",
)
def base_and_broken(place: Place) -> None:
    """The environment of conda itself."""
    place.write(place.env / "condabin/conda", "#!/bin/sh\n", mode=0o755)
    place.write(place.env / "pkgs/urls.txt", "")
    place.cut(library(place, "libcublas.so.11"), 0.3)


@fault(
    BASE,
    "install-corrupt",
    shown_by=OPEN.format(name="libcublas.so.11"),
    symptom="file too short|invalid ELF|cannot read file data|died by",
    mend="hand",
)
def managed_by_others_and_broken(place: Place) -> None:
    """A distribution of an image has marked its Python (PEP 668)."""
    place.write(place.env / "lib/python3.8/EXTERNALLY-MANAGED", "[externally-managed]\nError=ask the image's owner\n")
    place.cut(library(place, "libcublas.so.11"), 0.3)


@healthy(BASE)
def as_made_2_4_conda(place: Place) -> None:
    """Nothing was done."""


@healthy(BASE)
def an_active_conda_environment(place: Place) -> None:
    """Activated, as it should be."""
    place.variables.update(CONDA_PREFIX=str(place.env), CONDA_DEFAULT_ENV="env", PATH=f"{place.bin}:/usr/bin:/bin")


@healthy(BASE)
def conda_thinned_out(place: Place) -> None:
    """Images leave out headers, what C programs are built with, and byte code."""
    place.delete(place.env / "include")
    place.delete(next((place.env / "lib/python3.8").glob("config-3*")))
    for path in (place.env / "lib/python3.8").glob("__pycache__"):
        place.delete(path)


@healthy(BASE)
def packages_by_conda_beside_wheels(place: Place) -> None:
    """pip, setuptools and pandas are conda's, and pip has upgraded one that TensorFlow does not need."""
    as_conda(place, "pip")
    as_conda(place, "setuptools")
    place.install("tabulate==0.8.9")
    as_conda(place, "tabulate")
    place.install("tabulate==0.9.0")


@healthy(BASE)
def openmp_of_gnu_and_of_wheels(place: Place) -> None:
    """GNU's runtime of conda, and the copies that wheels bring: they get along."""
    place.write(place.env / "lib/libgomp.so.1.0.0", b"\x7fELF-gnu")
    (place.env / "lib/libgomp.so.1").symlink_to("libgomp.so.1.0.0")
    place.write(place.site / "scikit_learn.libs/libgomp-a34b3233.so.1.0.0", b"\x7fELF-gnu")
    place.write(place.site / "torch/lib/libgomp-a34b3233.so.1", b"\x7fELF-gnu")
