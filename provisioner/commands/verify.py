"""The stages of ``tfsetup verify``: the environment and its Python, what is expected of it, the proof."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from provisioner.base.progress import Progress
from provisioner.commands import named
from provisioner.commands.interruption import interruption as find_interruption
from provisioner.commands.interruption import looked, refuse_at_work
from provisioner.diagnose.judgement import judge_environment, with_imports
from provisioner.environment import active
from provisioner.environment import receipt as receipts
from provisioner.environment.active import Subject
from provisioner.environment.installation import installation_of
from provisioner.environment.read import site_or_nothing
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError
from provisioner.model.finding import Check, Verification
from provisioner.model.request import Request
from provisioner.session import Session
from provisioner.verify import Expected, project
from provisioner.verify.prove import expected_of


def verify(
    session: Session, *, env: str, python: str, request: Request, require_gpu: bool, timeout: float, progress: Progress
) -> Verification:
    """Prove that an environment computes: ``env``, or the one that ``python`` belongs to; with both it is that environment's interpreter.

    ``request`` says who named them. Raises ``InputError`` where there is no environment, ``AtWorkError`` where another run is changing it, and
    ``ConsentError`` where its Python should not be started without a word (``named.of_environment``), and nobody gave it.
    """
    subject = looked(session.host, env, partial(active.choose, session.host, env=env, python=python))
    root = subject.env or installation_of(session.host, subject.python)
    if not root:
        raise InputError("it belongs to no environment", place=python, hint="name the folder of the environment with --env")
    session.work_on(root)
    prove = partial(_verified, session, replace(subject, env=root), request, progress, require_gpu=require_gpu, timeout=timeout)
    verification = looked(session.host, root, prove)
    progress.finish()
    return verification


def _verified(
    session: Session, subject: Subject, request: Request, progress: Progress, *, require_gpu: bool, timeout: float
) -> Verification:
    host, root = session.host, subject.env
    interruption = find_interruption(host, root)
    if interruption is not None and interruption.severity == "error":
        refuse_at_work(host, Workspace(root=root))
        checks = (Check(name="interrupted run", status="failed", detail=interruption.title),)
        return Verification(
            env=root, python=subject.python, tensorflow="", device="", checks=checks, libraries=(), findings=(interruption,)
        )
    expected = _expected(session, request, subject)
    progress.start("verify", "Verifying: importing TensorFlow and computing with it")
    judged = judge_environment(session, root, subject.python, expected, progress, require_gpu=require_gpu, timeout=timeout)
    judged = with_imports(judged, project.prove(host, root, request.verify, progress, folder=host.cwd))
    verification = judged.verification
    return verification if interruption is None else replace(verification, findings=(interruption, *verification.findings))


def _expected(session: Session, request: Request, subject: Subject) -> Expected:
    """Return what is expected of it; raises as ``verify`` does."""
    host, root = session.host, subject.env
    if not host.exists(subject.python):
        raise InputError("there is no Python in it", place=subject.python, hint="name the interpreter with --python")
    session.trust.need([*named.of_environment(session, request, root), *named.of_verify(request, "the declaration")])
    receipt = receipts.believed(host, Workspace(root=root))
    return expected_of(session, site_or_nothing(host, root), receipt)
