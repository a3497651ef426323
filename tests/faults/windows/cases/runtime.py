"""The Visual C++ runtime: missing, too old, or another one that wins; and a processor whose failure looks the same."""

from __future__ import annotations

import shutil

from tests.faults.windows.fault import fault
from tests.faults.windows.place import Place


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
