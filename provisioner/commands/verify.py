"""The stages of ``tfsetup verify``: the environment and its Python, what is expected of it, the proof."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from provisioner.base.progress import Progress
from provisioner.commands import named
from provisioner.commands.interruption import interruption as find_interruption
from provisioner.commands.interruption import looked, refuse_at_work
from provisioner.diagnose.judgement import judge_environment, with_imports
from provisioner.environment import receipt as receipts
from provisioner.environment.read import site_or_nothing
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError
from provisioner.model.finding import Check, Verification
from provisioner.model.request import Request
from provisioner.session import Session
from provisioner.verify import Expected, project
from provisioner.verify.prove import expected_of_plan, expected_of_site, interpreter_of


def verify(session: Session, *, request: Request, python: str, require_gpu: bool, timeout: float, progress: Progress) -> Verification:
    """Prove that the request's environment computes; ``python`` names its interpreter where it is not ``bin/python``.

    Raises ``AtWorkError`` where another run is changing it, ``ConsentError`` where its Python should not be started without a word
    (``named.of_environment``), and nobody gave it.
    """
    session.work_on(request.env)
    prove = partial(_verified, session, request, python, progress, require_gpu=require_gpu, timeout=timeout)
    verification = looked(session.host, request.env, prove)
    progress.finish()
    return verification


def _verified(session: Session, request: Request, python: str, progress: Progress, *, require_gpu: bool, timeout: float) -> Verification:
    host, root = session.host, session.host.real(request.env)
    if not host.exists(root):
        raise InputError("there is no environment", place=request.env, hint="make one with `tfsetup apply`, or name another with --env")
    interruption = find_interruption(host, root)
    if interruption is not None and interruption.severity == "error":
        refuse_at_work(host, Workspace(root=root))
        checks = (Check(name="interrupted run", status="failed", detail=interruption.title),)
        return Verification(env=root, python=python, tensorflow="", device="", checks=checks, libraries=(), findings=(interruption,))
    interpreter, expected = _asked(session, request, python)
    progress.start("verify", "Verifying: importing TensorFlow and computing with it")
    judged = judge_environment(session, root, interpreter, expected, progress, require_gpu=require_gpu, timeout=timeout)
    judged = with_imports(judged, project.prove(host, root, request.verify, progress, folder=host.cwd))
    verification = judged.verification
    return verification if interruption is None else replace(verification, findings=(interruption, *verification.findings))


def _asked(session: Session, request: Request, python: str) -> tuple[str, Expected]:
    """Return the Python that is asked, and what is expected of it; raises as ``verify`` does."""
    host, root = session.host, session.host.real(request.env)
    interpreter = python or interpreter_of(host, root)
    if not host.exists(interpreter):
        raise InputError("there is no Python in it", place=interpreter, hint="name the interpreter with --python")
    session.trust.need([*named.of_environment(session, request, root), *named.of_verify(request, "the declaration")])
    receipt = receipts.believed(host, Workspace(root=root))
    return interpreter, expected_of_plan(session, receipt.plan) if receipt else expected_of_site(session, site_or_nothing(host, root))
