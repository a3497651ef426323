"""Files that are missing, cut short, overwritten or of another machine; installs that did not end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.faults.bases import BASES, lock_of
from tests.faults.fault import fault
from tests.faults.place import Place


@fault("2.21", "install-corrupt", symptom="file too short|undefined symbol|died by|cannot open shared object")
def a_library_cut_short(place: Place) -> None:
    """The disk was full or the copy broke off: half of TensorFlow's library is there."""
    place.cut(place.path("tensorflow/libtensorflow_cc.so.2"), 0.5)


@fault("2.15", "install-corrupt", symptom="libtensorflow_framework.so.2: cannot open shared object file")
def a_library_is_gone(place: Place) -> None:
    """A clean-up script took a large file."""
    place.delete(place.path("tensorflow/libtensorflow_framework.so.2"))


@fault("2.8", "install-corrupt", symptom="No module named 'tensorflow.python.framework.dtypes'|cannot import name 'dtypes'")
def a_module_is_gone(place: Place) -> None:
    """One file of thousands was deleted, its byte code with it."""
    place.delete(place.path("tensorflow/python/framework/dtypes.py"))
    for cached in place.site.glob("tensorflow/python/framework/__pycache__/dtypes.*"):
        place.delete(cached)


@fault("2.11", "install-corrupt", symptom="Error", shown_by="import tensorflow as tf; tf.constant")
def init_overwritten(place: Place) -> None:
    """``touch`` and an editor: the package's own ``__init__.py`` is empty."""
    place.write(place.path("tensorflow/__init__.py"), "")


@fault("2.3", "install-corrupt", symptom="SyntaxError")
def a_module_that_is_a_web_page(place: Place) -> None:
    """A proxy's login page in the place of a file that somebody wanted to replace by a newer one."""
    place.write(place.path("tensorflow/python/ops/math_ops.py"), "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n")


@fault("2.17", "install-corrupt", symptom="Error")
def files_empty_after_a_power_cut(place: Place) -> None:
    """What was written last before the power went has its length in no block: files of 0 bytes."""
    for name in ("ops.py", "tensor.py", "tensor_shape.py", "constant_op.py"):
        place.write(place.path(f"tensorflow/python/framework/{name}"), "")


@fault("1.15", "install-corrupt", shown_by="import numpy", symptom="numpy")
def numpy_without_its_core(place: Place) -> None:
    """NumPy lost its compiled half."""
    for path in place.site.glob("numpy/core/_multiarray_umath*.so"):
        place.delete(path)


@fault(
    "2.15",
    "install-corrupt",
    shown_by="import importlib.metadata as m; print([str(f) for f in m.files('tensorflow-cpu') or ()][:1])",
    symptom=r"^\[\]",
)
def record_is_missing(place: Place) -> None:
    """TensorFlow's RECORD is gone, so no installer can take it out or tell what belongs to it."""
    place.delete(place.info("tensorflow-cpu") / "RECORD")


@fault(
    "2.8",
    "install-corrupt",
    shown_by="import importlib.metadata as m; print('version', m.version('tensorflow-cpu'))",
    symptom="version None|Error|[Vv]ersion",
)
def metadata_is_junk(place: Place) -> None:
    """METADATA was overwritten by something binary."""
    place.write(place.info("tensorflow-cpu") / "METADATA", bytes(range(256)) * 20)


@fault(
    "2.11", "install-corrupt", shown_by="import importlib.metadata as m; print(m.version('tensorflow-cpu'))", symptom="PackageNotFoundError"
)
def metadata_folder_is_gone(place: Place) -> None:
    """Somebody removed ``tensorflow_cpu-2.11.1.dist-info``: it can be imported, and pip says it is not installed."""
    shutil.rmtree(place.info("tensorflow-cpu"))


@fault(
    "2.17",
    "install-corrupt",
    "tf-not-installed",
    symptom="No module named 'tensorflow'|has no attribute",
    shown_by="import tensorflow as tf; tf.constant",
)
def only_the_metadata_is_left(place: Place) -> None:
    """``rm -r site-packages/tensorflow``: pip says it is installed, and nothing can be imported."""
    shutil.rmtree(place.site / "tensorflow")


@fault("2.21", "wrong-arch-binary", "platform-unsupported", symptom="numpy")
def numpy_for_another_processor(place: Place) -> None:
    """A wheel for ARM was forced, as ``pip install --platform`` or a copied folder does it."""
    version = next(file.version for file in lock_of(BASES["2.21"]).files if file.name == "numpy")
    place.uninstall("numpy")
    place.install_into(place.site, f"numpy=={version}", options=("--python-platform", "aarch64-manylinux_2_28", "--only-binary", ":all:"))


@fault("2.15", "install-corrupt", "wrong-arch-binary", symptom="wrong ELF class|cannot open shared object|invalid ELF header|Exec format")
def one_library_for_another_processor(place: Place) -> None:
    """One library of TensorFlow was replaced by that of an ARM machine."""
    path = place.path("tensorflow/python/_pywrap_tensorflow_internal.so")
    with path.open("rb") as stream:
        content = bytearray(stream.read())
    # e_machine of the ELF header: EM_AARCH64 (183).
    content[18:20] = (183).to_bytes(2, "little")
    place.write(path, bytes(content))


@fault("2.15", "install-corrupt", "python-unsupported", "numpy-incompatible", symptom="numpy")
def numpy_for_another_python(place: Place) -> None:
    """The folder was copied from an environment of Python 3.10: NumPy's compiled half is for that."""
    version = next(file.version for file in lock_of(BASES["2.15"]).files if file.name == "numpy")
    place.uninstall("numpy")
    place.install_into(place.site, f"numpy=={version}", options=("--python-version", "3.10", "--only-binary", ":all:"))


@fault("2.3", "install-corrupt", symptom="Error|died by")
def two_releases_mixed(place: Place) -> None:
    """Files of another release were copied over these, to ``patch`` something."""
    source = place.other("2.8") / "lib/python3.10/site-packages/tensorflow/python/framework"
    target = place.site / "tensorflow/python/framework"
    shutil.rmtree(target)
    place.copy(source, target)


@fault("2.8", "install-corrupt", shown_by="import os, sysconfig; print(os.listdir(sysconfig.get_path('purelib')))", symptom="'~ensorflow'")
def leftovers_of_a_broken_upgrade(place: Place) -> None:
    """pip's name for what it was about to remove, left by an upgrade that was stopped; pip warns at every call."""
    place.copy(place.site / "tensorflow" / "python" / "framework", place.site / "~ensorflow" / "python" / "framework")
    place.copy(place.info("tensorflow-cpu"), place.site / "~ensorflow_cpu-2.8.0.dist-info")


@fault("2.17", "install-corrupt", symptom="Error|died by")
def uv_killed_in_the_middle(place: Place) -> None:
    """``kill -9`` of uv while it copies TensorFlow's files."""
    import uv

    place.uninstall("tensorflow-cpu")
    argv = [
        uv.find_uv_bin(),
        "pip",
        "install",
        "--no-deps",
        "--python",
        str(place.bin / "python"),
        "--link-mode",
        "copy",
        "tensorflow-cpu==2.17.1",
    ]
    environment = {**os.environ, "UV_CONCURRENT_INSTALLS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    _kill_at(argv, environment, place.site / "tensorflow" / "python")


@fault("1.15", "install-corrupt", symptom="Error|died by", shown_by="import tensorflow as tf; tf.constant")
def pip_killed_in_the_middle(place: Place) -> None:
    """``kill -9`` of pip while it replaces TensorFlow."""
    version = lock_of(BASES["1.15"]).release
    place.pip("uninstall", "--yes", "tensorflow")
    argv = [str(place.bin / "python"), "-m", "pip", "install", "--no-deps", f"tensorflow=={version}"]
    environment = {**place.environment(), "PIP_CACHE_DIR": str(place.root.parent / "pip-cache")}
    _kill_at(argv, environment, place.site / "tensorflow_core" / "python")


@fault(
    "1.15",
    "install-corrupt",
    "conflicting-tf-packages",
    symptom="Error|died by|~ensor",
    shown_by="import os, sysconfig; print(os.listdir(sysconfig.get_path('purelib')))\nimport tensorflow as tf; tf.constant",
)
def pip_killed_while_it_upgrades(place: Place) -> None:
    """``kill -9`` of pip between taking the old release out and putting the new one in: ``~ensorflow`` stays."""
    argv = [str(place.bin / "python"), "-m", "pip", "install", "--no-deps", "tensorflow==1.15.4"]
    environment = {**place.environment(), "PIP_CACHE_DIR": str(place.root.parent / "pip-cache")}
    with subprocess.Popen(argv, env=environment, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and process.poll() is None:
            if (
                any(place.site.glob("~*"))
                and (place.site / "tensorflow_core").exists()
                and not (place.site / "tensorflow_core/_api").exists()
            ):
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)


def _kill_at(argv: list[str], environment: dict[str, str], first: Path) -> None:
    """Start an installer and kill it a moment after ``first`` has appeared."""
    with subprocess.Popen(argv, env=environment, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and process.poll() is None and not first.exists():
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
