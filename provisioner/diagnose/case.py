"""The case that the checks of ``doctor`` look at: an environment, its interpreter and its machine, read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from provisioner.catalogue.fits import Fits
from provisioner.causes.findings import Findings
from provisioner.environment.distributions import Installed, Origin
from provisioner.environment.kernels import Notebook
from provisioner.environment.receipt import Receipt
from provisioner.host import Reader
from provisioner.judge.integrity import Integrity
from provisioner.model.catalogue import Build, Lock, Release
from provisioner.model.facts import Facts, Interpreter
from provisioner.model.keeper import Keeper
from provisioner.model.record import record
from provisioner.remedies import View
from provisioner.verify.raw import Child, Expected


@record
class PathEntry:
    """One entry of the interpreter's ``sys.path``, in its order: ``by`` names the variable or the ``.pth`` file that put it there."""

    path: str
    origin: Origin
    by: str = ""


@record
class Survey:
    """What the interpreter itself says (``in_process/_interpreter.py``), without importing TensorFlow.

    ``markers`` is its environment of PEP 508; ``modules`` maps the top-level names that matter (``fits.modules``, ``fits.standard_library``) to
    the file from which ``importlib`` would load each: "built-in" for what has no file, a folder with a slash at the end for a namespace
    package, "" for none. ``flags``: ``stdlib`` is its folder, ``start`` what the interpreter said when it did not start with the user's variables.
    ``dlls``: on Windows, the file that each DLL of the Visual C++ runtime is for this process, "" for one that it does not find,
    and ``refused`` says why those that it finds cannot be loaded.
    """

    executable: str
    version: str
    bits: int
    machine: str
    implementation: str
    prefix: str
    base_prefix: str
    user_site: str
    user_site_enabled: bool
    markers: dict[str, str]
    path: tuple[PathEntry, ...]
    modules: dict[str, str]
    flags: dict[str, str] = field(default_factory=dict)
    dlls: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


@record
class Case:
    """Everything a check may look at. Nothing here is changed, and a check changes nothing.

    ``env``: the environment's root ("" where there is none). ``python``: the interpreter in question, whether or not it is there. ``cwd``: the
    folder that a program would be started in. ``config``: the keys of ``pyvenv.cfg``. ``survey`` is None when the interpreter does not answer,
    and ``no_survey`` then says why. ``distributions`` come in the order of the module path. ``release``, ``build`` and ``lock`` are the
    catalogue's for the TensorFlow that is there (None where it is not known); ``releases`` answers for any other version. ``child`` is the
    run that imported TensorFlow, ``libraries`` the one that opened the GPU libraries (None when they were not to be made, and ``no_import``
    says why). ``expected`` is as ``verify`` takes it. ``deep`` asks for the hashes of large files. With ``static`` no check
    starts anything of the environment. ``catalogue`` names GPU families and the commands that install a driver, and remedies ask it.
    ``fits`` says what goes with which release beyond what metadata says.
    ``notebook`` is one that was named. ``keeper`` is the tool of a project that keeps the environment.
    """

    env: str
    python: str
    cwd: str
    reader: Reader
    facts: Facts
    config: dict[str, str]
    survey: Survey | None
    no_survey: str
    distributions: tuple[Installed, ...]
    integrity: Integrity
    receipt: Receipt | None
    expected: Expected
    release: Release | None
    build: Build | None
    lock: Lock | None
    releases: Callable[[str], Release | None]
    catalogue: View
    interpreters: tuple[Interpreter, ...]
    child: Child | None = None
    libraries: Child | None = None
    no_import: str = ""
    deep: bool = False
    static: bool = False
    fits: Fits = field(default_factory=Fits)
    notebook: Notebook | None = None
    keeper: Keeper | None = None

    @property
    def windows(self) -> bool:
        """Whether what is said here is typed on Windows itself."""
        return self.facts.system.os.value == "windows"

    @property
    def unanswered(self) -> str:
        """Why the interpreter has told nothing, for checks that rest on what it tells."""
        return f"the interpreter tells nothing: {self.no_survey}" if self.static else "the interpreter does not answer"

    def first(self, name: str) -> Installed | None:
        """The distribution of a normalised name that the interpreter would use."""
        return next((item for item in self.distributions if item.name == name), None)


@record
class CheckSpec:
    """One named check.

    ``look`` adds what it finds to the collector and returns a line on what was looked at; it raises ``CouldNotTell`` where nothing can be
    said, ``Skipped`` where there is nothing to say. ``seconds`` is its time limit. ``slow`` checks announce themselves. Those that look at the
    ``installed`` TensorFlow have nothing to tell where there is none.
    """

    name: str
    title: str
    look: Callable[[Case, Findings], str]
    seconds: float = 5.0
    slow: bool = False
    installed: bool = False


class CouldNotTell(Exception):  # noqa: N818 - an answer, not an error
    """A check that can say nothing, and why."""


class Skipped(Exception):  # noqa: N818 - an answer, not an error
    """A check that does not apply, or was not asked for, and why."""
