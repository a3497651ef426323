"""What the installer's cache has damaged: it comes into every environment, until it is taken out of the cache and fetched anew.

uv makes hard links where it can (its documentation, "Caching"): whoever writes into a file of an environment, a failing disk for one, writes into the
cache's copy, too. What a wheel should hold is known by its hashes, and uv looks at these when it downloads, not when it links.
"""

from __future__ import annotations

from collections.abc import Callable

from provisioner.base.progress import Progress
from provisioner.change.execute import Executed
from provisioner.engines import uv
from provisioner.host import Host
from provisioner.model.plan import Plan


def brought_damaged(plan: Plan, damaged: frozenset[str]) -> tuple[str, ...]:
    """Return the packages that the plan has just brought and whose files are not what their records say. Pure."""
    return tuple(sorted({package.name for package in plan.packages if not package.source} & damaged))


def once_more(plan: Plan, host: Host, progress: Progress, run: Callable[[], Executed], damaged: Callable[[], frozenset[str]]) -> Executed:
    """Execute by ``run``; where it was taken back and what it brought was damaged, take that out of uv's cache, and execute once more.

    ``damaged`` are the distributions whose files the proof found damaged. Without the network nothing is taken out, for it would not come back.
    """
    done = run()
    names = () if done.kept else brought_damaged(plan, damaged())
    if not names:
        return done
    held = f"uv's cache holds damaged files of {', '.join(names)}"
    if plan.request.offline or "UV_OFFLINE" in host.env:
        progress.note(f"{held}; with the network they would be fetched anew")
        return done
    progress.note(f"{held}: they are taken out of it and fetched anew")
    uv.forget(host, names)
    return run()
