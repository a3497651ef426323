"""The judgements that need more than one message: each looks at its hits together with what else is known.

``TOPICS`` maps the ``topic`` of a message (``profiles/causes/messages``) to its judgement, a function of the hits of that topic and the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from provisioner.explain.matches import Hit
from provisioner.explain.topics import (
    around,
    clashes,
    compilers,
    gpu,
    libraries,
    loader,
    modules,
    names,
    packages,
    resolvers,
    wheel_tags,
    wheels,
    windows,
)
from provisioner.explain.verdict import Case, Verdict

Judgement = Callable[[tuple[Hit, ...], Case], Iterable[Verdict]]

TOPICS: dict[str, Judgement] = {
    **around.JUDGEMENTS,
    **clashes.JUDGEMENTS,
    **compilers.JUDGEMENTS,
    **gpu.JUDGEMENTS,
    **libraries.JUDGEMENTS,
    **loader.JUDGEMENTS,
    **modules.JUDGEMENTS,
    **names.JUDGEMENTS,
    **packages.JUDGEMENTS,
    **resolvers.JUDGEMENTS,
    **wheel_tags.JUDGEMENTS,
    **wheels.JUDGEMENTS,
    **windows.JUDGEMENTS,
}

__all__ = ["TOPICS", "Judgement"]
