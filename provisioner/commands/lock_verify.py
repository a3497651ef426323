"""The stages of `tfsetup lock --verify`: each target that fits this machine installed aside, proven, and the proof written into the lock."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import replace

from provisioner.base.progress import Progress
from provisioner.commands import named
from provisioner.commands.apply import execute_planned
from provisioner.commands.lock import Outcome
from provisioner.commands.lock_declared import read_declared
from provisioner.commands.plan_locked import plan_locked
from provisioner.errors import NoProfileError, VerificationError
from provisioner.lock import dates, render, sidecar, store
from provisioner.model.facts import machine_words
from provisioner.model.finding import Verification
from provisioner.model.request import Request
from provisioner.model.team import LockedTarget
from provisioner.session import Session


def verify_lock(session: Session, project: str, outcome: Outcome, *, progress: Progress) -> Outcome:
    """Install what was locked for this machine into a folder of the tool's own, prove it, and write the proof into the sidecar.

    Raises ``NoProfileError`` where no target fits this machine, ``VerificationError`` where a proof fails; the lock itself stays written.
    """
    declaration = read_declared(session, project).declaration
    session.trust.need(named.of_verify(Request(verify=declaration.verify), posixpath.basename(declaration.file)))
    proofs: dict[str, str] = {}
    refusals: list[NoProfileError] = []
    for locked in outcome.lock.targets:
        if locked.target.platform == session.platform:
            proofs |= _proven(session, locked, outcome.folder, declaration.verify, refusals, progress)
    if not proofs:
        hint = "run the same command on a machine of one of its targets"
        why = refusals[0].message if refusals else f"this machine is {session.platform or 'of no platform that is known'}"
        raise NoProfileError(f"the lock is written, and nothing of it can be proven here: {why}", hint=hint)
    targets = tuple(replace(item, own_proof=proofs.get(item.target.name, item.own_proof)) for item in outcome.lock.targets)
    lock = replace(outcome.lock, targets=targets)
    files = render.texts(session.host, declaration, lock, cache=session.folder("lock", made=True))
    changed = store.write_lock(session.host, outcome.folder, lock, files)
    left = [name for name in (item.target.name for item in targets) if name not in proofs]
    warnings = (*outcome.warnings, *_not_here(left))
    both = tuple(dict.fromkeys((*outcome.changed, *changed)))
    return replace(outcome, lock=sidecar.with_written(lock, files), changed=both, warnings=warnings)


def _not_here(names: Iterable[str]) -> tuple[str, ...]:
    listed = ", ".join(names)
    return (f"{listed}: not for this machine, so not proven here",) if listed else ()


def _proven(
    session: Session, locked: LockedTarget, folder: str, wanted: tuple[str, ...], refusals: list[NoProfileError], progress: Progress
) -> dict[str, str]:
    """Return the proof of a target by its name; nothing where it does not fit, which ``refusals`` tells."""
    target = locked.target
    with session.scratch("lock") as scratch:
        env = posixpath.join(scratch, "env")
        request = Request(env=env, device="auto", kind=target.kind, verify=wanted, origins={"env": "option"})
        try:
            planned = plan_locked(session, request, folder, target.name)
        except NoProfileError as error:
            refusals.append(error)
            return {}
        done, _ = execute_planned(session, planned, progress=progress, wait=0.0)
        if not done.kept:
            raise _failed(target.name, done.verification)
        return {target.name: _words(done.verification, machine_words(planned.facts), dates.first(session.host.now(), 0)[:10], wanted)}


def _words(verification: Verification, machine: str, date: str, wanted: tuple[str, ...]) -> str:
    checks = sum(check.status == "passed" for check in verification.checks)
    own = f", with {', '.join(wanted)}" if wanted else ""
    return f"run on {date} ({machine}): {checks} checks{own}"


def _failed(name: str, verification: Verification) -> VerificationError:
    failed = [check for check in verification.checks if check.status == "failed"]
    faults = tuple(f"{check.name}: {check.detail}" for check in failed)
    told = [finding for finding in verification.findings if finding.evidence and finding.severity != "info"]
    titles = tuple(f"{finding.title}: {finding.evidence[0].seen.splitlines()[-1]}" for finding in told)
    hint = "change the requirements, then run the same command again; the lock is written, without a proof"
    return VerificationError("what is locked does not work here", place=name, hint=hint, faults=(*faults, *titles[:5]))
