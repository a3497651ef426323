"""The interpreter: gone, foreign, incomplete, moved."""

from __future__ import annotations

from tests.faults.windows.fault import fault
from tests.faults.windows.place import Place


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
