"""What of a lock comes from no index: which formats cannot hold it, and where an index's took its place, or would. Words for a person; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from provisioner.base.names import normalise
from provisioner.base.paths import spelt
from provisioner.choose.obstacles import listed
from provisioner.declared.direct import named_by
from provisioner.errors import OperationError
from provisioner.model.team import Declaration, LockedTarget, Target


def warnings(
    declaration: Declaration, targets: Sequence[LockedTarget], carried: Iterable[str], left_out: Iterable[str] = ()
) -> Iterator[str]:
    """Yield a sentence for each; ``carried`` are the paths of the files that the project carries, ``left_out`` those by which git keeps none."""
    yield from _not_held(declaration, targets)
    yield from _passed_over(targets, carried)
    for path in left_out:
        yield f"{spelt(path)} keeps the files beside it out of the repository, without which nobody else can install the lock: take it away"


def only_elsewhere(target: Target, names: Iterable[str], carried: Iterable[str]) -> OperationError | None:
    """Return the error for packages (``names``) that an index has as source alone, and the project as wheels for other machines; None for others.

    Nobody should be asked to build what may be a stranger's, of whom only the name is known.
    """
    there = _by_name(carried)
    own = {name: there[name] for name in names if name in there and all(path.endswith(".whl") for path in there[name])}
    if not own:
        return None
    files = [path for paths in own.values() for path in paths]
    where = f"{target.platform} with Python {target.python}"
    return OperationError(
        f"the project carries {listed(list(own))} for other machines alone ({', '.join(files)}), not for {where}",
        place=target.name,
        hint=f"put a wheel for it there; the index has source under {'this name' if len(own) == 1 else 'these names'}, which may be a stranger's: "
        f"where it is yours, allow it: `policy: {{source_builds: [{', '.join(own)}]}}`",
        cause="platform-unsupported",
    )


def _by_name(carried: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(carried):
        found.setdefault(normalise(named_by(path)), []).append(path)
    return found


def _not_held(declaration: Declaration, targets: Sequence[LockedTarget]) -> Iterator[str]:
    """Name what some of the formats have no form for: hashes of files are all that pip and conda-lock hold something by."""
    names = sorted({item.name for locked in targets for item in locked.checkouts})
    formats = [name for name in declaration.formats if name != "pylock"]
    if names and formats:
        yield (
            f"{listed(names)}: no index has {_it(names)}, and {' and '.join(formats)} cannot hold a commit or a folder; "
            "pylock and `tfsetup apply --locked` do, and the requirements file says what to install after it"
        )
    files = sorted({file.name for locked in targets for file in locked.files if not file.url})
    if files and "conda-lock" in declaration.formats:
        yield (
            f"{listed(files)}: no index has {_it(files)}, and conda-lock cannot hold a file by its path from the lock; "
            "requirements, pylock and `tfsetup apply --locked` do"
        )


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _passed_over(targets: Sequence[LockedTarget], carried: Iterable[str]) -> Iterator[str]:
    """Name what the project carries and an index has in a version that was taken in its place, as pip and uv do: it may be a stranger's."""
    there = _by_name(carried)
    taken = {(file.name, file.version) for locked in targets for file in locked.files if not file.path and not file.profile}
    for name, version in sorted(taken):
        if name in there:
            yield (
                f"{name} {version} comes from the index, though the project carries {listed(there[name])}: of all that goes with the rest "
                "the highest version is taken, wherever it is; name yours by its path, or its version, to have it"
            )
