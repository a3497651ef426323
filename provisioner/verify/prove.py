"""Proving that an environment is what a plan makes of it, or what can be expected of the TensorFlow that is in it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from provisioner.base.progress import Progress
from provisioner.environment.layout import CONDA, layout
from provisioner.environment.read import Site
from provisioner.environment.tensorflow import only_cpu, own_of
from provisioner.host import Reader
from provisioner.model.finding import Verification
from provisioner.model.plan import Plan
from provisioner.session import Session
from provisioner.verify import Expected, neighbours, verify

TIMEOUT_SECONDS = 600.0
# The word for all that may break.
ALL = "all"


def expected_of_plan(session: Session, made: Plan) -> Expected:
    """Say what an environment made by this plan must be able to do."""
    release = session.catalogue.release(made.choice.release)
    build = release.build(made.choice.platform) if release else None
    return Expected(
        tensorflow=made.choice.release,
        packages=made.expected,
        device=made.choice.device,
        # The catalogue knows TensorFlow's own wheels; a channel's build opens other libraries.
        cuda=build.cuda if build and made.choice.device == "cuda" and made.choice.road != "conda" else None,
    )


def expected_of_site(session: Session, site: Site) -> Expected:
    """Say what an environment that this tool did not make should be able to do, from the TensorFlow that is in it."""
    found = own_of(site.distributions)
    release = session.catalogue.release(found.version) if found else None
    build = release.build(session.platform) if release else None
    if any(name.startswith("tensorflow-") for name in site.conda):
        build = None
    cpu = found is not None and only_cpu(found.name, build)
    return Expected(
        tensorflow=found.version if found else "",
        packages={},
        device="cpu" if cpu else "",
        cuda=build.cuda if build and not cpu else None,
    )


def interpreter_of(reader: Reader, root: str) -> str:
    """Return where the interpreter of the environment at ``root`` is to be: conda has another place for it than venv on some systems."""
    shape = layout(reader.platform)
    return posixpath.join(root, shape.conda_python if reader.exists(posixpath.join(root, CONDA)) else shape.python)


def prove_plan(session: Session, root: str, made: Plan, progress: Progress) -> Verification:
    """Prove that the environment at ``root`` is what a plan makes of it."""
    return prove(session, root, interpreter_of(session.host, root), expected_of_plan(session, made), progress)


def prove_beside(session: Session, made: Plan, progress: Progress, broken: frozenset[str] = frozenset()) -> Callable[[str], Verification]:
    """Return what proves a plan and that the user's own packages are imported as they are now, before it is executed.

    What the plan says to break, and what ``broken`` names (``ALL`` for any), may be lost.
    """
    names = neighbours.names_of(made)
    agreed = frozenset(names) if ALL in broken else made.broken | broken
    before = _importable(session, made.env.path, names, progress)

    def run(root: str) -> Verification:
        verification = prove_plan(session, root, made, progress)
        if not before or (made.kind == "apply" and not verification.passed):
            return verification
        return neighbours.judged(verification, made, before, _importable(session, root, names, progress), agreed)

    return run


def _importable(session: Session, root: str, names: tuple[str, ...], progress: Progress) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    progress.start("neighbours", "Importing what else is installed")
    found = neighbours.importable(session.host, root, interpreter_of(session.host, root), names, progress)
    progress.finish()
    return found


def prove(
    session: Session,
    root: str,
    interpreter: str,
    expected: Expected,
    progress: Progress,
    *,
    require_gpu: bool = False,
    timeout: float = TIMEOUT_SECONDS,
) -> Verification:
    """Verify the environment at ``root`` with its ``interpreter``; ``timeout`` in seconds."""
    return verify(
        session.host,
        env=root,
        python=interpreter,
        expected=expected,
        require_gpu=require_gpu,
        timeout=timeout,
        messages=session.messages,
        progress=progress.note,
    )
