"""The machine: a processor without AVX, another architecture, files that may not be read, a disk that is full."""

from __future__ import annotations

import subprocess

from tests.faults.fault import fault
from tests.faults.place import Place

# Root may read everything; without these two rights it is held to the modes of its own files, as everybody is.
WITHOUT_OVERRIDE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")


@fault("1.15", "cpu-no-avx", symptom="AVX|died by signal 4", mend="hand", needs=("qemu-x86_64",))
def a_processor_without_avx(place: Place) -> None:
    """A processor of 2008, or a virtual machine that shows one."""
    place.wrap(f"qemu-x86_64 -cpu Nehalem {place.bin}/python")


@fault("2.8", "cpu-no-avx", symptom="AVX|[Ii]llegal instruction|died by signal|uncaught target signal", mend="hand", needs=("qemu-x86_64",))
def a_processor_without_avx_2_8(place: Place) -> None:
    """The same with a newer TensorFlow."""
    place.wrap(f"qemu-x86_64 -cpu Nehalem {place.bin}/python")


@fault("2.15", "permission-denied", symptom="Permission denied|PermissionError|No module named", needs=("setpriv",))
def a_folder_that_may_not_be_read(place: Place) -> None:
    """An install by ``sudo`` with a tight umask: a folder of TensorFlow may not be entered."""
    place.prefix = WITHOUT_OVERRIDE
    place.locked = True
    (place.site / "tensorflow" / "python").chmod(0)


@fault("2.8", "permission-denied", symptom="Permission denied|cannot open shared object", needs=("setpriv",))
def a_library_that_may_not_be_read(place: Place) -> None:
    """A library copied from another user's home with that user's rights."""
    path = place.path("tensorflow/libtensorflow_framework.so.2")
    place.prefix = WITHOUT_OVERRIDE
    place.locked = True
    place.write(path, path.read_bytes(), mode=0)


@fault("", "disk-full", "install-corrupt", symptom="file too short|Error|died by", mend="hand", needs=("mount",))
def a_full_disk(place: Place) -> None:
    """The volume was too small: the install ended in the middle, and nothing more can be written."""
    place.env.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(place.env)], check=True, capture_output=True)
    place.undo.append(("umount", "-l", str(place.env)))
    place.venv(place.env, "3.7", "--relocatable", "--allow-existing")
    copied = place.other("1.15") / "lib/python3.7/site-packages"
    # cp goes on after a file that found no room, and leaves its beginning.
    subprocess.run(["cp", "-a", f"{copied}/.", str(place.site)], check=False, capture_output=True)
