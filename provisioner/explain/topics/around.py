"""What stands around an environment: modules of a cluster that were not loaded, programs that were bundled without their parts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.causes.grades import GUESSES, PROVES
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict, plain, says

# Exceptions that a module of the cluster which was not loaded leads to; others are raised by a program that runs.
_OF_LOADING = frozenset({"ImportError", "ModuleNotFoundError", "OSError", "NotFoundError"})
# What fails where a process has the old half of a package and the new one.
_OF_A_MIXTURE = frozenset({"ImportError", "AttributeError", "ModuleNotFoundError", "ValueError", "RuntimeError"})
# What an exception of a bundled program is called where a part of it was not taken along.
_OF_PARTS = frozenset({"ImportError", "ModuleNotFoundError", "FileNotFoundError", "NotFoundError", "OSError", "PackageNotFoundError"})
# The frame of every error of a function that TensorFlow compiled.
_WHERE = re.compile(r"Graph execution error:? ?(?:$|Detected at node|No DNN|DNN library|No algorithm)")
_OF_THE_LIST = re.compile(r"\b(?:gpus?|physical_devices|devices|gpu_devices|logical_gpus)\[\d\]")


def modules(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A module of the cluster that was not loaded: what is missing below it follows from it, a program's own error does not."""
    end = case.ending
    if end.kind == "exception" and end.line > hits[-1].line and end.name not in _OF_LOADING:
        return
    yield plain(hits[0])


def bundle(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A program that PyInstaller bundled: what it cannot import was not taken along, whatever is installed."""
    if case.ending.kind == "exception" and case.ending.name in _OF_PARTS:
        why = f"the program was bundled by PyInstaller without a part that it needs: {case.ending.seen[:160]}"
        yield says(hits[-1], "install-corrupt", grade=PROVES, why=why)


def value(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """What a program gave TensorFlow; `Graph execution error` alone says where it failed, and a line on the GPU beside it says why."""
    of_gpu = any(hit.message.about == "gpu" and hit.message.kind == "fault" for hit in case.hits)
    # A list of GPUs of which the first is taken, where the lines above say that there is none.
    if of_gpu and "list index out of range" in hits[-1].seen and _OF_THE_LIST.search(case.log.text):
        return
    named = [hit for hit in hits if not _WHERE.search(hit.seen)]
    if named or not of_gpu:
        yield plain((named or hits)[0])
    else:
        yield says(hits[0], "user-code", "possible", grade=GUESSES)


def restart(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Packages that were changed under a running session: what a name or a form lacks after that is the mixture of both."""
    mixed = case.ending.kind == "exception" and case.ending.name in _OF_A_MIXTURE and case.ending.line > hits[0].line
    yield says(hits[0], "wrong-environment", grade=PROVES) if mixed else plain(hits[0])


def wants_text(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A package that asks for tensorflow-text, which Windows has none of since 2.11 (PyPI)."""
    if case.circumstances.native_windows:
        yield says(hits[0], "addon-without-build", grade=PROVES, why="tensorflow-text has no wheel for Windows since 2.11")
    else:
        yield plain(hits[0])


def by_sudo(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Root's Python in place of the environment's: what is missing then is there, for whoever leaves sudo out."""
    active = re.search(r"^\([\w.-]{1,40}\) ", case.log.text, re.MULTILINE)
    if active and active[0] != "(base) " and case.has("tf-missing"):
        yield says(hits[0], "wrong-environment", grade=PROVES, why="an environment is active, and sudo starts the Python of the system")


JUDGEMENTS = {"bysudo": by_sudo, "wantstext": wants_text, "restart": restart, "uservalue": value, "modulesystem": modules, "bundle": bundle}
