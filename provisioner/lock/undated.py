"""Packages whose date nobody tells: said as a warning, and refused where packages must have cooled down."""

from __future__ import annotations

from collections.abc import Sequence

from provisioner.errors import UsageError
from provisioner.model.team import Declaration, LockedTarget


def warnings(declaration: Declaration, undated: Sequence[str]) -> tuple[str, ...]:
    """Say which packages of the index have no date."""
    if not undated:
        return ()
    names = ", ".join(undated)
    if declaration.policy.cool_down:
        hint = "leave `cool_down` out, or take these packages from an index that tells the dates"
        raise UsageError(
            f"the index, or page of links, tells no upload dates of {names}, so nobody can say whether they have cooled down", hint=hint
        )
    return (f"the index, or page of links, tells no upload dates of {names}: no date holds for them, and their newest versions were taken",)


def conda_warnings(declaration: Declaration, targets: Sequence[LockedTarget], *, by_conda: bool) -> tuple[str, ...]:
    """Say which conda packages have no date; ``by_conda``: conda-lock has solved, which asks for none."""
    packages = [package for locked in targets if locked.conda for package in locked.conda.packages]
    undated = sorted({package.name for package in packages if not package.timestamp})
    if not undated and not by_conda:
        return ()
    why = "conda-lock knows no dates" if by_conda else f"the channels tell no dates of {', '.join(undated)}"
    if declaration.policy.cool_down and packages:
        hint = "leave `cool_down` out, or the engine" if by_conda else "leave `cool_down` out, or take another channel"
        raise UsageError(f"{why}, so nobody can say whether the conda packages have cooled down", hint=hint)
    return (
        f"{why}: no date holds for {'the conda packages' if by_conda else 'them'}, and the newest versions that go together were taken",
    )
