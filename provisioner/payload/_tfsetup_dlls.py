"""Lets Windows find the DLLs inside this environment, however its Python is started: NVIDIA's, and Microsoft's Visual C++ runtime.

Put into site-packages by tfsetup and imported by ``tfsetup_dlls.pth`` at every start of this Python, so it does next to nothing. TensorFlow opens
CUDA by name, for which Windows looks on PATH and not in the folders of ``os.add_dll_directory``; extension modules, and what TensorFlow looks for
before it is loaded, are the other way round (from Python 3.8 on). Windows takes these folders before its own. Python 3.6 and later.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Where the wheel `msvc-runtime` puts what it brings.
RUNTIME = os.path.join(sys.prefix, "Scripts")


def cuda() -> "list[str]":
    """The folders of NVIDIA's wheels that hold DLLs."""
    above = os.path.join(HERE, "nvidia")
    names = sorted(os.listdir(above)) if os.path.isdir(above) else []
    return [folder for folder in (os.path.join(above, name, "bin") for name in names) if os.path.isdir(folder)]


def show() -> None:
    """Put the folders first on PATH, in this process and what it starts, and let imports search that of the runtime."""
    folders = cuda()
    if os.path.isfile(os.path.join(RUNTIME, "msvcp140.dll")):
        if hasattr(os, "add_dll_directory"):
            os.add_dll_directory(RUNTIME)
        else:
            folders.append(RUNTIME)
    if folders:
        env = os.environ  # noqa: TID251 - this is the process that uses TensorFlow
        others = [entry for entry in env.get("PATH", "").split(os.pathsep) if entry and entry not in folders]
        env["PATH"] = os.pathsep.join([*folders, *others])


if os.name == "nt":
    show()
