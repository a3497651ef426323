"""What to do where the case names requirements that are not met: packages missing, or of versions that do not go with the rest."""

from __future__ import annotations

import posixpath
import re

from provisioner.model.finding import Remedy
from provisioner.remedies import kept
from provisioner.remedies.addons import addon_of
from provisioner.remedies.knowledge import NO_ADDON, View, narrowed, release_of, specifier
from provisioner.remedies.names import restarted
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import ONE_PACKAGE, either, install

_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?P<extras>\[[^\]]*\])?\s*\(?(?P<spec>[^)]*)\)?")
# Of many packages the first are named in words; the command has all.
_NAMED = 3


def met(subject: Subject, view: View) -> Remedy:
    """All that is wanted in one command, so that pip sees it together; of a name alone the versions that go with this release."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    found: dict[str, str] = {}
    for text in subject.wants:
        parts = _REQUIREMENT.match(text)
        if parts is None:
            continue
        name, spec = parts["name"], re.sub(r"\s", "", parts["spec"])
        known = "" if spec else specifier(view, release, name, platform=subject.platform, python=subject.python)
        if known == NO_ADDON:
            return addon_of(subject, view, name)
        both = ",".join(part for part in (found.get(name, ""), spec or known) if part)
        found[name] = both
    wanted = [f"{name}{_shortened(subject, name, narrowed(spec))}" for name, spec in found.items()]
    loose = [name for name, spec in found.items() if not spec]
    named = f"{', '.join(wanted[:-1])} and {wanted[-1]}" if 1 < len(wanted) <= _NAMED else ", ".join(wanted[:_NAMED])
    there = subject.keeper is not None and all(kept.holds(subject.keeper, item) for item in wanted)
    locked = f", as {posixpath.basename(subject.keeper.lock)} has it" if there and subject.keeper is not None else ""
    more = f" and {len(wanted) - _NAMED} more" if len(wanted) > _NAMED else ""
    return Remedy(
        words=f"Install {named}{more}" + (": the newest that goes with the rest" if loose and len(loose) == len(wanted) else locked),
        steps=(install(subject, *wanted, options="--upgrade" if loose else ""),),
        why=_why(subject, tuple(found)),
        cost=restarted(subject, ONE_PACKAGE if len(wanted) == 1 else "changes these packages and what they ask for"),
        others=either(subject, view),
    )


def _shortened(subject: Subject, name: str, spec: str) -> str:
    """Without single versions that are left out, but for one that is there: pip takes the newest within the bounds, and leaves what is there."""
    parts = [part for part in spec.split(",") if not part.startswith("!=") or f"but {name} {part[2:]} is installed" in subject.seen]
    return re.sub(r"(<\d[\d.]*?)\.?dev\d*", r"\1", ",".join(parts))


def _why(subject: Subject, names: tuple[str, ...]) -> str:
    asking = dict.fromkeys(re.findall(r"(?<![\w.-])([\w.-]{1,100} \d[\w.]{0,40}) requires ", subject.seen))
    if asking:
        told = f"{' and '.join(list(asking)[:_NAMED])} {'asks' if len(asking) == 1 else 'ask'} for"
        anew = any(text.partition(" ")[0] in names for text in asking)
        return f"{told} what does not go with TensorFlow {subject.tensorflow}".rstrip() if anew else f"{told} that"
    if "which tfsetup has installed" in subject.seen or "the plan" in subject.seen:
        return "it belongs to the set that tfsetup has installed and proven"
    what = names[0] if len(names) == 1 else "packages"
    return f"it is the {what} that TensorFlow {subject.tensorflow} goes with" if subject.tensorflow else ""
