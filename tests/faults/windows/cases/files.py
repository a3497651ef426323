"""Files of packages: taken by antivirus, cut, damaged, foreign, removed by hand."""

from __future__ import annotations

import shutil

from tests.faults.windows.fault import fault
from tests.faults.windows.place import Place

NATIVE = "tensorflow/python/_pywrap_tensorflow_internal.pyd"


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


@fault("install-corrupt", symptom=r"_pywrap_tensorflow_internal")
def a_pyd_of_no_bytes(place: Place) -> None:
    """The power went while it was written: the file is there and empty."""
    place.write(place.site / NATIVE, b"")


@fault("install-corrupt", symptom=r"cp39")
def a_pyd_of_another_python(place: Place) -> None:
    """NumPy's wheel for Python 3.9 was unpacked into the folder of 3.10."""
    version = place.info("numpy").name.removesuffix(".dist-info").partition("-")[2]
    folder = place.folder("other")
    place.install_into(folder, f"numpy=={version}", python="3.9")
    for name in ("numpy", place.info("numpy").name):
        place.delete(place.site / name)
        shutil.move(folder / name, place.site / name)


@fault("install-corrupt", "extension-abi-mismatch", symptom=r"h5py|wrapt|_wrappers")
def a_package_for_32_bits(place: Place) -> None:
    """A compiled file of a 32-bit Python lies in the folder: a stick that was shared with an older machine."""
    path = next(place.site.glob("wrapt/_wrappers*.pyd"))
    data = bytearray(path.read_bytes())
    offset = int.from_bytes(data[0x3C:0x40], "little") + 4
    # IMAGE_FILE_MACHINE_I386 in the place of IMAGE_FILE_MACHINE_AMD64.
    data[offset : offset + 2] = (0x014C).to_bytes(2, "little")
    place.write(path, bytes(data))


@fault("install-corrupt", symptom=r"math_ops\.py")
def a_module_that_is_a_web_page(place: Place) -> None:
    """A proxy's login page in the place of a file that somebody wanted to replace by a newer one."""
    place.write(place.site / "tensorflow/python/ops/math_ops.py", "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n")


@fault("install-corrupt", symptom=r"_pywrap_tensorflow_internal")
def a_damaged_file_that_is_read_only(place: Place) -> None:
    """The environment came from a disk of files that are read-only, and was damaged on the way."""
    place.cut(place.site / NATIVE, 0.5)
    for path in (place.site / "tensorflow" / "python").iterdir():
        if path.is_file():
            place.write(path, path.read_bytes(), mode=0o444)


@fault("install-corrupt", "dependency-incompatible", symptom=r"wrapt")
def a_package_removed_by_hand(place: Place) -> None:
    """A folder of the packages was deleted in the Explorer."""
    place.delete(place.site / "wrapt")


@fault("install-corrupt", symptom=r"numpy")
def stale_metadata(place: Place) -> None:
    """An upgrade that could not remove the old one's metadata: a file of it was in use."""
    old = place.site / "numpy-1.21.0.dist-info"
    for path in place.info("numpy").iterdir():
        if path.is_file():
            place.write(old / path.name, path.read_bytes().replace(b"Version: 1.23.5", b"Version: 1.21.0"))
    place.write(old / "RECORD", "numpy-1.21.0.dist-info/METADATA,,\nnumpy-1.21.0.dist-info/RECORD,,\nnumpy/old.py,sha256=x,1\n")


@fault("install-corrupt", "numpy-incompatible", symptom=r"numpy")
def metadata_of_numpy_removed(place: Place) -> None:
    """Somebody removed NumPy's .dist-info: it can be imported, and pip says it is not installed."""
    for folder in place.site.glob("numpy-*.dist-info"):
        shutil.rmtree(folder)


@fault("install-corrupt", "tf-not-installed", "wrong-environment", symptom=r"ensorflow")
def a_removal_that_met_a_file_in_use(place: Place) -> None:
    """`pip uninstall` renamed the folder and was stopped by a DLL in use."""
    (place.site / "tensorflow").rename(place.site / "~ensorflow")
    place.info("tensorflow-intel").rename(place.site / "~ensorflow_intel-2.10.1.dist-info")


@fault("install-corrupt", "numpy-incompatible", symptom=r"numpy", base="2.21")
def numpy_damaged_by_an_upgrade(place: Place) -> None:
    """An upgrade of NumPy that was broken off: Python's half is the new one's, the compiled half is gone."""
    for path in place.site.glob("numpy/_core/_multiarray_umath*.pyd"):
        place.delete(path)
