"""Where things lie in an environment: the shapes of POSIX systems and of Windows, for virtual environments and for conda's.

Every path here is relative to the environment's root and spelt with ``/``. Sources: PEP 405 and ``venv``, the schemes ``posix_prefix`` and ``nt`` of
``sysconfig``, virtualenv's ``create/describe.py``; conda puts ``python.exe`` at the root on Windows and is like ``venv`` elsewhere.
"""

from __future__ import annotations

import re

from provisioner.base.paths import separator
from provisioner.model.record import record

# What makes a folder a virtual environment (PEP 405), on every system.
CONFIG = "pyvenv.cfg"
# What makes it one of conda's.
CONDA = "conda-meta"

_MAKERS = r"pip[0-9.]*|wheel[0-9.]*|easy_install[-0-9.]*"


@record
class Layout:
    """One shape. ``pythons`` are the interpreters, venv's first; ``conda_python`` is conda's; ``scripts`` is the folder of programs.

    ``conda_path`` are the folders that conda puts on PATH, "" the root itself (its ``activate.py``, ``_get_path_dirs``); ``library`` is the folder
    with the standard library and the packages, a pattern where it names Python's version; ``standard`` are patterns of what an installation has of
    that library, and no virtual environment; ``made`` is what the makers of environments write at the root, and ``interpreter``, ``activation`` and
    ``tool`` are patterns of what they write among the programs; ``separator`` stands between the folders of PATH.
    """

    pythons: tuple[str, ...]
    conda_python: str
    conda_path: tuple[str, ...]
    scripts: str
    library: str
    standard: tuple[str, ...]
    made: tuple[str, ...]
    interpreter: str
    activation: str
    tool: str
    separator: str

    @property
    def python(self) -> str:
        """The interpreter of a virtual environment."""
        return self.pythons[0]

    @property
    def activate(self) -> str:
        """The script by which a shell enters a virtual environment; every maker writes it."""
        return f"{self.scripts}/activate"

    @property
    def packages(self) -> str:
        """Shell pattern of the folders of packages, whatever Python they are for."""
        return f"{self.library}/site-packages"

    def site_packages(self, version: str) -> str:
        """Return the folder of packages for a Python: ``lib/python3.11/site-packages`` for ``3.11`` or ``3.11.7``."""
        return self.packages.replace("3.*", ".".join(version.split(".")[:2]))

    def is_interpreter(self, path: str) -> bool:
        """True for the path of an interpreter of the environment, whatever version its name tells."""
        return path in self.pythons or path == self.conda_python or re.fullmatch(f"{self.scripts}/({self.interpreter})", path) is not None

    def makes_environment(self, path: str) -> bool:
        """True for a file without which the folder is no environment, so that no distribution can own it."""
        return path == CONFIG or self.is_interpreter(path) or re.fullmatch(f"{self.scripts}/({self.activation})", path) is not None

    def is_made(self, name: str) -> bool:
        """True for the name of a program that makers of environments put into ``scripts``: interpreters, ways to enter and leave, installers."""
        return re.fullmatch(f"{self.interpreter}|{self.tool}|(de)?{self.activation}|Activate\\.ps1|pydoc\\.bat", name) is not None


POSIX = Layout(
    pythons=("bin/python", "bin/python3"),
    conda_python="bin/python",
    conda_path=("bin",),
    scripts="bin",
    library="lib/python3.*",
    standard=("lib/python3.*/os.py",),
    made=(CONFIG, "lib", "lib64", "include"),
    interpreter=r"python[0-9.]*",
    activation=r"activate[^/]*",
    tool=_MAKERS,
    separator=separator("linux"),
)
WINDOWS = Layout(
    pythons=("Scripts/python.exe",),
    conda_python="python.exe",
    conda_path=("", "Library/mingw-w64/bin", "Library/usr/bin", "Library/bin", "Scripts", "bin"),
    scripts="Scripts",
    library="Lib",
    # The archive is that of the embeddable package, which many programs bring ("Using Python on Windows", 4.4).
    standard=("Lib/os.py", "Lib/os.pyc", "python3*.zip"),
    made=(CONFIG, "Lib", "Include"),
    interpreter=r"pythonw?[0-9.]*\.exe",
    activation=r"activate[^/]*",
    tool=rf"({_MAKERS})\.exe",
    separator=separator("win32"),
)
# For what may be of either: an environment seen from another system, a record of one.
SHAPES = (POSIX, WINDOWS)


def layout(platform: str) -> Layout:
    """Return the shape on ``platform``: ``sys.platform`` of the machine (``win32``), or the platform of a set (``windows-x86_64``)."""
    return WINDOWS if platform.startswith("win") else POSIX


def version_of(site_packages: str) -> str:
    """Return the Python (``3.11``) that a folder of packages is for, as its path tells; "" where it does not (Windows). Free-threaded ones count."""
    found = re.search(r"(?:^|/)lib(?:64)?/python(\d+\.\d+)t?/site-packages$", site_packages)
    return found[1] if found else ""


def is_site_packages(path: str) -> bool:
    """True for the relative path of a folder of packages, in the shape of either system."""
    return re.fullmatch(r"lib/python3\.\d+/site-packages", path) is not None or path == WINDOWS.packages
