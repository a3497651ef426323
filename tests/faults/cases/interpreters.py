"""The interpreter: gone, another version, another place, another than meant."""

from __future__ import annotations

import json
import shutil

from tests.faults.bases import find_python
from tests.faults.fault import fault
from tests.faults.foreign import NEEDS, VERSION, foreign_python
from tests.faults.place import Place

WHERE = "import sys; print(sys.version_info[:2], sys.prefix)\nimport tensorflow"


@fault("", "install-corrupt", "wrong-environment", "python-unsupported", "tf-not-installed", symptom="No such file or directory|not found")
def the_python_below_is_gone(place: Place) -> None:
    """The Python that the environment was made from was uninstalled (``brew upgrade``, ``pyenv uninstall``, a new image)."""
    python = place.copy_python("3.11")
    place.venv(place.env, str(python / "bin/python3.11"), "--relocatable")
    place.copy(place.other("2.15") / "lib/python3.11/site-packages", place.site)
    shutil.rmtree(python)


@fault("", "install-corrupt", symptom="_ctypes")
def the_python_below_was_built_without_libffi(place: Place) -> None:
    """pyenv built the Python where libffi-dev was missing (a warning that nobody read), so that nothing with ctypes is imported."""
    python = place.copy_python("3.11")
    for path in (python / "lib/python3.11/lib-dynload").glob("_ctypes.*"):
        place.delete(path)
    place.venv(place.env, str(python / "bin/python3.11"), "--relocatable")
    place.copy(place.other("2.15") / "lib/python3.11/site-packages", place.site)


@fault(
    "2.8",
    "wrong-environment",
    "tf-not-installed",
    "python-unsupported",
    "install-corrupt",
    shown_by=WHERE,
    symptom=r"(?s)\(3, 11\).*No module named 'tensorflow'",
)
def python_of_another_version_linked(place: Place) -> None:
    """bin/python was linked to Python 3.11 by an upgrade, and the packages lie in lib/python3.10."""
    for name in ("python", "python3", "python3.10"):
        path = place.bin / name
        if path.is_symlink() or path.exists():
            place.delete(path)
        path.symlink_to(find_python("3.11"))


@fault(
    "",
    "install-corrupt",
    "wrong-environment",
    shown_by="import subprocess, sys; print(subprocess.getoutput(sys.prefix + '/bin/pip --version'))",
    symptom="[Nn]o such file|not found|bad interpreter|required file",
)
def an_environment_that_was_moved(place: Place) -> None:
    """``mv venv project/venv``: Python starts, and every script of bin/ names a Python that is no more."""
    first = place.root / "first"
    place.venv(first, "3.11")
    place.fill(first, "2.15")
    first.rename(place.env)


@fault(
    "",
    "wrong-environment",
    "install-corrupt",
    shown_by="import subprocess, sys; print(subprocess.getoutput(sys.prefix + '/bin/pip --version'))",
    symptom="first/lib",
)
def an_environment_that_was_copied(place: Place) -> None:
    """``cp -r venv venv2``: the copy's pip installs into the first."""
    first = place.root / "first"
    place.venv(first, "3.11")
    place.fill(first, "2.15")
    place.copy(first, place.env)


@fault("2.15", "wrong-environment", "tf-not-installed", symptom="No module named 'tensorflow'", mend="hand")
def another_interpreter_than_the_active_one(place: Place) -> None:
    """The environment is activated, and the editor runs another Python, without TensorFlow."""
    other = place.venv(place.root / "other", "3.11", "--relocatable")
    place.python = str(other / "bin/python")
    place.variables["VIRTUAL_ENV"] = str(place.env)
    place.variables["PATH"] = f"{place.bin}:/usr/bin:/bin"


@fault(
    "2.15",
    "wrong-environment",
    shown_by="import sys, json; print(json.load(open(sys.prefix + '/share/jupyter/kernels/python3/kernel.json'))['argv'][0])",
    symptom="other/bin/python",
)
def a_kernel_of_another_environment(place: Place) -> None:
    """The notebook's kernel in this environment starts the Python of another one, where TensorFlow is not."""
    other = place.venv(place.root / "other", "3.11", "--relocatable")
    place.install("ipykernel==6.29.5")
    kernel = {
        "argv": [str(other / "bin/python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    place.write(place.env / "share/jupyter/kernels/python3/kernel.json", json.dumps(kernel, indent=1))


@fault(
    "2.11", "install-corrupt", "wrong-environment", symptom="No module named 'tensorflow'|failed to locate pyvenv|No pyvenv", shown_by=WHERE
)
def pyvenv_cfg_is_gone(place: Place) -> None:
    """pyvenv.cfg was removed (a clean-up of *.cfg): Python takes itself for the one below and sees none of the packages."""
    place.delete(place.env / "pyvenv.cfg")


@fault("2.15", "install-corrupt", "wrong-environment", symptom="Permission denied|cannot execute|No such file|not found|Exec format")
def the_interpreter_is_an_empty_file(place: Place) -> None:
    """An archive that knows no links (a zip, a cloud drive) made an empty file of bin/python."""
    for name in ("python", "python3", "python3.11"):
        path = place.bin / name
        if path.is_symlink() or path.exists():
            place.delete(path)
            place.write(path, "", mode=0o644)


@fault(
    "",
    "python-32bit",
    "tf-not-installed",
    "platform-unsupported",
    shown_by="import struct; print('bits', 8 * struct.calcsize('P'))\nimport tensorflow",
    symptom="(?s)bits 32.*No module named 'tensorflow'",
    mend="hand",
    needs=NEEDS,
)
def a_32_bit_python(place: Place) -> None:
    """A 32-bit Python, for which pip finds no TensorFlow."""
    root = foreign_python("i386", place.bases)
    libraries = ":".join(str(root / name) for name in ("lib/i386-linux-gnu", "usr/lib/i386-linux-gnu"))
    place.wrap(f"{root}/lib/ld-linux.so.2 --library-path {libraries} {root}/usr/bin/python{VERSION}")


@fault(
    "",
    "wrong-arch-binary",
    "platform-unsupported",
    symptom="numpy|cannot open shared object|Error",
    mend="hand",
    needs=(*NEEDS, "qemu-aarch64"),
)
def a_python_for_another_processor(place: Place) -> None:
    """An environment that was copied from a PC to an ARM board: its Python is the board's, its libraries are the PC's."""
    root = foreign_python("arm64", place.bases)
    python = root / "usr/bin" / f"python{VERSION}"
    site = place.env / "lib" / f"python{VERSION}" / "site-packages"
    place.copy(place.other("2.15") / "lib/python3.11/site-packages", site)
    place.write(place.env / "pyvenv.cfg", f"home = {python.parent}\ninclude-system-site-packages = false\nversion = {VERSION}.2\n")
    place.bin.mkdir()
    for name in ("python", "python3", f"python{VERSION}"):
        (place.bin / name).symlink_to(python)
    place.wrap(f"qemu-aarch64 -L {root} {place.bin}/python")
