"""What makes Windows find the DLLs inside an environment: two small files, in the place of the links that Linux is given.

Sources: Microsoft, "Dynamic-link library search order"; measured under wine with TensorFlow 2.10.1 (docs/windows.md): with the folders on PATH it
opens every DLL of CUDA, with ``os.add_dll_directory`` none, and neither beside Python nor beside its own files.
"""

from __future__ import annotations

from provisioner import payload
from provisioner.model.catalogue import Link

SCRIPT = "_tfsetup_dlls.py"
CUDA = "TensorFlow looks for the DLLs of CUDA on PATH alone, and those of the environment are in its packages"
RUNTIME = "Windows looks for the Visual C++ runtime in its own folders, and that of the environment is in it"


def dll_files(reason: str) -> tuple[Link, ...]:
    """Return the files, relative to site-packages."""
    return (
        Link(path=SCRIPT, target="", text=payload.text(SCRIPT), reason=reason),
        Link(path="tfsetup_dlls.pth", target="", text=f"import {SCRIPT.removesuffix('.py')}\n", reason=reason),
    )
