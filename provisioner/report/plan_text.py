"""A plan as text for a person."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from provisioner.base.text import mask, size_words
from provisioner.choose.nearest import break_options
from provisioner.model.plan import Interrupted, Package, Plan, StepKind
from provisioner.model.preflight import Preflight
from provisioner.model.request import Request
from provisioner.report.choice_text import choice_lines
from provisioner.report.plan_brief import brief, brief_repair

if TYPE_CHECKING:
    from provisioner.model.mark import Mark

_INTERRUPTED = {
    "old": "its environment is as it was before",
    "moving": "its environment is half changed",
    "new": "its environment is complete, but was not proven",
}
LEFT_SHOWN = 8
# What a step that is not needed would have done.
NOT_NEEDED: dict[StepKind, str] = {
    "fetch": "Fetch a Python",
    "create": "Make an environment",
    "conda": "Link conda packages",
    "remove": "Move things out",
    "install": "Install packages",
    "link": "Link libraries",
    "write": "Write files",
    "move": "Move things aside",
    "kernel": "Register a notebook kernel",
    "verify": "Verify",
    "receipt": "Write the receipt",
}


def interrupted_words(left: Interrupted, root: str) -> str:
    """Say what an interrupted run left of the environment at ``root``, and what becomes of it."""
    from provisioner.change.standing import undo_command  # noqa: PLC0415 - only where a run was interrupted

    when = f" (begun {left.started})" if left.started else ""
    undo, again = f"`{undo_command(root)}`", "and `tfsetup apply` does so and begins anew"
    if left.undoing:
        return f"an undo was interrupted (of the change of {left.started}); {undo} finishes it, {again}"
    return f"an earlier run was interrupted{when}: {_INTERRUPTED[left.state]}; {undo} takes it back, {again}"


def plan_text(plan: Plan, *, interrupted: Interrupted | None, verbose: bool) -> str:
    """Return the plan as text: on a screen, or with every step, hash and reason (``verbose``)."""
    ends = _ends(plan, interrupted)
    if not verbose:
        # Those that stay whole are in the one line.
        others = _neighbours(plan) if plan.conflicts or plan.moved or any(item.fate != "whole" for item in plan.neighbours) else []
        sections = [*_repairs(plan), *others]
        if plan.kind == "apply":
            return brief(plan, sections=sections, ends=[*(f"warning: {text}" for text in plan.choice.warnings), *ends])
        return brief_repair(plan, head=_mended(plan)[:2], sections=sections, ends=ends)
    lines = [
        *(_made(plan, verbose=verbose) if plan.kind == "apply" else _mended(plan)),
        "",
        f"Proof: {plan.proof}",
        "",
        "Steps",
    ]
    number = 0
    for step in plan.steps:
        number += step.needed
        mark = f"{number}." if step.needed else "-"
        title = step.title if step.needed else NOT_NEEDED[step.kind]
        lines.append(f"  {mark:<3} {title}")
        lines.append(f"      {'because ' if step.needed else 'not needed: '}{step.reason}")
    lines += ["", *_conda(plan, verbose=verbose), *_packages(plan, verbose=verbose), *_removals(plan), *_repairs(plan), *_neighbours(plan)]
    sizes = [item.size for item in plan.packages] + [item.size for item in (plan.conda.packages if plan.conda else ())]
    if sizes:
        unknown = sizes.count(0)
        more = f" and {unknown} files whose size the index does not tell" if unknown else ""
        lines.append(
            f"Download: at most {size_words(plan.download)}{more} (nothing for what is in the cache). On disk: {size_words(plan.disk)}{more}"
        )
    if plan.indexes:
        lines.append(f"Index: {', '.join(index.url for index in plan.indexes)} (as the team's lock says)")
    outside = "; ".join(plan.outside) if plan.outside else "nothing is changed"
    lines.append(f"Outside the environment: {outside}")
    lines += _room(plan.preflight)
    return "\n".join([*lines, *ends])


def _ends(plan: Plan, interrupted: Interrupted | None) -> list[str]:
    """Say what to be warned of, and what is in the way."""
    warnings = [*plan.warnings, *plan.preflight.warnings, *([interrupted_words(interrupted, plan.env.path)] if interrupted else [])]
    lines = [f"warning: {text}" for text in warnings]
    for item in plan.preflight.obstacles:
        lines += [f"in the way: {item.place}: {item.message}", f"  {item.hint}"]
    return lines


def _room(preflight: Preflight) -> list[str]:
    """Say what is needed and what is free, by file system."""
    lines = ["Room"] if preflight.rooms else []
    for room in preflight.rooms:
        files = f"; about {room.files} files, {room.free_files} free" if room.free_files >= 0 else ""
        lines.append(f"  where {room.folder} lies: at most {size_words(room.size)}, {size_words(room.free)} free{files}")
        lines += [f"    {size_words(need.size) if need.size else 'nothing'} for {need.purpose}, in {need.folder}" for need in room.needs]
    return lines


def _made(plan: Plan, *, verbose: bool) -> list[str]:
    kind = {"absent": "new", "empty": "an empty folder now"}.get(plan.env.kind, "there already")
    headline, *reasons = choice_lines(plan.choice, verbose=verbose)
    return [headline, f"  in {plan.env.path} ({kind})", *reasons]


def _mended(plan: Plan) -> list[str]:
    """Say how much a repair changes."""
    release = f"TensorFlow {plan.choice.release} on Python {plan.choice.python}"
    what = {
        "repair": "Put right what was found, and nothing else",
        "set": f"Put back the whole known-good set of {release}",
        "rebuild": f"Make the environment anew, with {release}",
    }[plan.kind]
    return [what, f"  in {plan.env.path}", *(f"  why: {reason}" for reason in dict.fromkeys(item.reason for item in plan.repairs))]


def _repairs(plan: Plan) -> list[str]:
    """Say what a repair renames and writes."""
    lines = ["Renamed, not deleted (undo renames it back)"] if plan.moves else []
    lines += [f"  {item.path} -> {item.target}: {item.reason}" for item in plan.moves]
    if not plan.edits:
        return lines
    lines.append("Written (undo brings the old one back)")
    if len({item.reason for item in plan.edits}) == 1 and len(plan.edits) > 1:
        # One reason is said once.
        return [*lines, f"  {', '.join(item.path for item in plan.edits)}: {plan.edits[0].reason}"]
    return lines + [f"  {item.path}{f' -> {item.target}' if item.target else ''}: {item.reason}" for item in plan.edits]


def _neighbours(plan: Plan) -> list[str]:
    """Say what else is installed and what becomes of it; those that stay whole are counted."""
    lines = []
    for item in plan.neighbours:
        if item.fate == "resolved":
            lines.append(f"  {item.name} {item.version} -> {item.becomes}, resolved along")
        elif item.fate == "breaks":
            lines.append(f"  {item.name} {item.version} BREAKS: {'; '.join(item.why)}")
        elif item.fate == "was broken":
            lines.append(f"  {item.name} {item.version} is as it was: {'; '.join(item.why)}")
    # Of a package that breaks, the same is said above.
    told = tuple(f"{item.name} {item.version} " for item in plan.neighbours if item.fate in {"breaks", "was broken"})
    lines += [f"  {text}" for text in plan.conflicts if not text.startswith(told)]
    whole = sum(item.fate == "whole" for item in plan.neighbours)
    if whole:
        lines.append(f"  {whole} {'package stays' if whole == 1 else 'packages stay'} whole" + (" besides" if lines else ""))
    return [*_moved(plan), *(["What else you have installed, and what becomes of it", *lines] if lines else []), *_ways(plan)]


def _moved(plan: Plan) -> list[str]:
    """Say which packages are not the set's own, and for whom."""
    if not plan.moved:
        return []
    lines = [f"  {item.name} {item.version} in place of {item.pin}, for {', '.join(item.keeps) or 'what is there'}" for item in plan.moved]
    return ["Not as in the known-good set, so this very set was not run", *lines]


def _ways(plan: Plan) -> list[str]:
    """Say what could be done instead, and which word agrees."""
    if not plan.breaking:
        return []
    lines = ["Instead of breaking them"]
    for way in plan.ways:
        lines += [f"  {way.words}:", f"    $ {way.command}"]
    return [*lines, f"  to agree to what breaks: the same command with `{break_options(plan.breaking)}`"]


def _conda(plan: Plan, *, verbose: bool) -> list[str]:
    """List the conda packages: those that come, and those that leave."""
    if plan.conda is None or not plan.conda.changes:
        return []
    part = plan.conda
    lines = []
    if part.packages:
        there = f", {len(part.unchanged)} are there already" if part.unchanged else ""
        lines.append(f"Conda packages to link ({len(part.packages)}{there}), from {' and '.join(part.channels)}")
        if verbose:
            lines += [f"  {item.identity}  {size_words(item.size)}  sha256:{item.sha256}  {item.url}" for item in part.packages]
            lines.append(f"  solved for {', '.join(part.virtual)}")
        else:
            lines += _columns([f"{item.name} {item.version}" for item in part.packages])
    if part.removals:
        lines.append("Conda packages moved out (undo brings them back)")
        lines += [f"  {item.identity}: {item.reason}" for item in part.removals]
    return lines


def _packages(plan: Plan, *, verbose: bool) -> list[str]:
    if not plan.packages:
        return []
    lines = [f"Packages to install ({len(plan.packages)}" + (f", {len(plan.unchanged)} are there already)" if plan.unchanged else ")")]
    if verbose:
        rows = (f"  {item.name} {item.version}  {size_words(item.size)}  sha256:{item.sha256}  {_from(item)}" for item in plan.packages)
        return [*lines, *rows]
    names = [f"{item.name} {item.version}" for item in plan.packages]
    return lines + _columns(names)


def _from(item: Package) -> str:
    return f"from {mask(item.url)}" if item.url else item.filename


def _columns(items: list[str], width: int = 100) -> list[str]:
    """Lay short texts out in as many columns as fit."""
    cell = max(len(item) for item in items) + 2
    count = max(1, (width - 2) // cell)
    rows = [items[start : start + count] for start in range(0, len(items), count)]
    return ["  " + "".join(item.ljust(cell) for item in row).rstrip() for row in rows]


def _removals(plan: Plan) -> list[str]:
    if not plan.removals:
        return []
    lines = ["Moved out (undo brings it back)"]
    for item in plan.removals:
        name = f"{item.name} {item.version}".strip()
        paths = f" ({', '.join(item.paths)})" if item.paths else ""
        lines.append(f"  {name}{paths}: {item.reason}")
    return lines


def left_text(left: Sequence[Mark]) -> str:
    """Say what is wrong in the environment that the plan does not mend; "" where nothing is."""
    if not left:
        return ""
    lines = [f"  - {_marked(mark)}" for mark in left[:LEFT_SHOWN]]
    lines += [f"  - and {len(left) - LEFT_SHOWN} more" for _ in left[LEFT_SHOWN : LEFT_SHOWN + 1]]
    return "\n".join(["Wrong in the environment, and not mended by this plan:", *lines]) + "\n\n"


def _marked(mark: Mark) -> str:
    return f"{mark.where}: {mark.words}" if mark.where else mark.words


def next_text(plan: Plan, *, elsewhere: bool, saved: str, whole: bool = True) -> str:
    """Say what to run next; ``elsewhere`` when the plan is for another machine, ``saved`` the file it was written to.

    ``whole`` is false where something is wrong in the environment that the plan does not mend.
    """
    if elsewhere:
        return "This plan is for another machine: run the same command there, without --facts"
    if not plan.changes and not whole:
        return f"The set is there; what is wrong beside it a repair mends\nNext: tfsetup fix --env {shlex.quote(plan.request.env)}"
    if not plan.changes:
        return f"Nothing to do: the environment is as planned\nNext: tfsetup verify --env {shlex.quote(plan.request.env)}"
    if plan.preflight.obstacles:
        return "Next: what is in the way (named above) first, then plan again"
    undo = "moves the old files back, which stay on the disk" if plan.env.exists else "removes it again"
    # A saved plan's own word for a channel does not do.
    named = plan.request.channels if plan.conda is not None and plan.request.origins.get("channel") == "option" else ()
    word = f"TFSETUP_CHANNEL={shlex.quote(' '.join(named))} " if named else ""
    command = f"{word}tfsetup apply {shlex.quote(saved)}" if saved else f"tfsetup apply{_options(plan.request)}"
    return f"To take it back: `tfsetup undo --env {shlex.quote(plan.env.path)}` {undo}\nNext: {command}"


def _options(request: Request) -> str:
    """Return the options that were given, to be given again; what came from variables or the file comes from there again."""
    given = {
        name: getattr(request, name)
        for name in ("tensorflow", "python", "device", "kind", "source", "env")
        if request.origins.get(name) == "option"
    }
    words = [f" --{name} {shlex.quote(value)}" for name, value in given.items()]
    if request.origins.get("channel") == "option":
        words += [f" --channel {shlex.quote(channel)}" for channel in request.channels]
    if request.origins.get("with") == "option":
        words += [f" --with {shlex.quote(text)}" for text in request.extra]
    words += [f" --{name}" for name in ("keep", "upgrade") if request.origins.get(name) == "option" and getattr(request, name)]
    if request.origins.get("offline") == "option":
        words.append(" --offline")
    return "".join(words)
