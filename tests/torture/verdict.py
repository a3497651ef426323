"""The verdict on what a run left: old or new exactly, or named truthfully with a command that brings one of both."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass, field

from tests.torture.fingerprint import Print, differences
from tests.torture.place import Ended

# What the words of the tool say of the environment.
_OLD = re.compile(r"(is as it was|are as they were)(?! before the change)|was removed again|nothing was changed")
# Of an undo this is what it was to bring; of a change it is what was there.
_BACK = re.compile(r"(is as it was|are as they were) before the change|is taken back")
_NEW = re.compile(r"is new and not proven|is new and proven|is changed as asked")
_AWAY = re.compile(r"was taken away; what is left of it")
_HALF = re.compile(r"is half changed|is on its way out")
_COMMAND = re.compile(r"(?:`|\$ |Next: )(tfsetup (?:undo|apply|fix)(?: --tensorflow \S+)? --env [^`\n]*)")
_AGAIN = re.compile(r"run the same command again")
# Written anew by each run, with its time.
_DATED = re.compile(r"/\.tfsetup/(receipt\.json|undo/\d+/(record|brought)\.json)$")


@dataclass
class Known:
    """What is known of a scenario: what is there before it, and after it when nobody hurts it; ``env`` is the environment's name in the place."""

    env: str
    old: Print
    new: Print

    def state(self, found: Print) -> str:
        """Return ``old`` or ``new`` where it is that exactly, ``old+lock`` with no more than locks of a killed run, or ""."""
        if found == self.old:
            return "old"
        if undated(found) == undated(self.new):
            return "new"
        for name, wanted in (("old+lock", self.old), ("new+lock", undated(self.new))):
            if self.without_locks(found if wanted is self.old else undated(found)) == self.without_locks(wanted):
                return name
        return ""

    def without_locks(self, found: Print) -> Print:
        """Leave the lock files out, and a folder that holds nothing but one."""
        top, name = posixpath.split(self.env)
        lock = posixpath.join(top, f".{name}.tfsetup-lock")
        state = f"{self.env}/.tfsetup"
        # The last is uv's own, in an environment that it made.
        left = {path: mark for path, mark in found.items() if path not in {lock, f"{state}/lock", f"{self.env}/.lock"}}
        # The folder for ``--keep-new`` with its mark, and folders above a new environment, are made before the journal can say so.
        for top, marks in (("kept", {"kept/.tfsetup-kept.json"}), ("work/a", set())):
            inside = {path: mark for path, mark in left.items() if path == top or path.startswith(f"{top}/")}
            if all(mark.startswith("folder") or path in marks for path, mark in inside.items()):
                left = {path: mark for path, mark in left.items() if path not in inside}
        if state in left and not any(path.startswith(f"{state}/") for path in left):
            del left[state]
        return left

    def files(self, found: Print) -> Print:
        """The environment itself, without the tool's own."""
        own = f"{self.env}/.tfsetup"
        return {
            path: mark
            for path, mark in found.items()
            if (path == self.env or path.startswith(f"{self.env}/")) and path != own and not path.startswith(f"{own}/")
        }


def undated(found: Print) -> Print:
    """Without the content of what each run writes with its own time."""
    return {path: mark.rsplit(" ", 1)[0] if _DATED.search(path) else mark for path, mark in found.items()}


@dataclass
class Verdict:
    """``faults`` is empty where the promise was kept; ``outcome`` says how."""

    outcome: str = ""
    faults: list[str] = field(default_factory=list)

    def expect(self, what: bool, fault: str) -> None:
        """Note a fault where it is not so."""
        if not what:
            self.faults.append(fault)


def check_words(verdict: Verdict, known: Known, ended: Ended, found: Print, *, undoing: bool) -> None:
    """What is said is true of what is there."""
    now = known.files(found)
    is_old, is_new = now == known.files(known.old), now == known.files(known.new)
    said = ended.said
    verdict.expect("Traceback" not in said and "a bug in tfsetup" not in said, "a traceback, or a bug by its own words")
    verdict.expect("TORTURE: it hung" not in said, "it hung")
    if ended.code in {0, -9}:
        return
    # An error ends with what it says of the state; what was said before may be of an earlier moment.
    words = said[said.rfind("error:") :] if "error:" in said else said
    verdict.expect(not _BACK.search(words) or (is_new if undoing else is_old), "says that the change is taken back, and it is not")
    verdict.expect(not _OLD.search(words) or is_old, "says that the environment is as it was, and it is not")
    verdict.expect(not _AWAY.search(words) or not now, "says that the environment was taken away, and it was not")
    # Of one whose proof fails the new state is never what a run ends with.
    verdict.expect(
        not _NEW.search(words) or is_new or (known.old == known.new and not is_old), "says that the environment is new, and it is not"
    )
    verdict.expect(not _HALF.search(words) or not (is_old or is_new), "says that the environment is half changed, and it is not")
    verdict.expect(
        is_old or bool(_NEW.search(words) or _HALF.search(words) or _AWAY.search(words) or _BACK.search(words)),
        "it is not as it was, and the last words do not say so",
    )


def check_same(verdict: Verdict, wanted: Print, found: Print, what: str) -> None:
    """Note what differs."""
    if wanted != found:
        verdict.faults.append(f"{what}: {'; '.join(differences(wanted, found))}")


def printed_command(ended: Ended, again: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the command that goes on, as it was printed, but for its first word; of several the one that undoes.

    ``again`` is what "the same command again" means.
    """
    found = _COMMAND.findall(ended.said)
    if found:
        return tuple(shlex.split(next((line for line in found if line.startswith("tfsetup undo ")), found[0]))[1:])
    return again if _AGAIN.search(ended.said) else None
