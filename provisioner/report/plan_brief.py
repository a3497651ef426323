"""A plan that fits a screen: what changes in one line, first and last; the big movers, the rest counted; warnings right above the question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provisioner.base.names import is_rival
from provisioner.base.text import mask, size_words
from provisioner.base.versions import numbers
from provisioner.model.plan import Plan
from provisioner.model.record import record
from provisioner.plan.make import LEFTOVERS
from provisioner.report.wrapping import COLUMNS, wrapped

# What other packages are built against or written for: a change of these is what people notice.
WATCHED = ("keras", "numpy", "protobuf", "h5py")
# What a terminal shows at least, and what is enough where nothing changes, less the lines in which `plan` says what to type next.
ROWS, ROWS_OF_NEW, NEXT_ROWS = 24, 20, 4
# However much else there is to say, as many rows of movers.
MOVERS_AT_LEAST = 3
# Of what comes into an environment that has nothing to change.
NEW_ROWS = 3
# A disk is told of by itself where less is free than so many times what is needed.
TIGHT = 2
_REST = "-v shows each step, hash and reason"


@record
class Mover:
    """A package that changes (both versions), comes (no ``before``) or goes (no ``after``); ``size`` in bytes of what comes.

    ``renamed`` is the name under which it comes, where that is another.
    """

    name: str
    before: str
    after: str
    size: int = 0
    renamed: str = ""

    @property
    def words(self) -> str:
        """As it is told: ``numpy 1.24.4 -> 1.26.4``."""
        if self.before == self.after and not self.renamed:
            return f"{self.name} {self.after} anew"
        if not self.before or not self.after:
            return f"{self.name} {self.before or self.after}"
        return f"{self.name} {self.before} -> {self.renamed and self.renamed + ' '}{self.after}"


@record
class Moves:
    """Everything that a plan does to packages, the biggest moves first: TensorFlow, ``WATCHED``, then new major versions, then by size."""

    change: tuple[Mover, ...]
    come: tuple[Mover, ...]
    go: tuple[Mover, ...]
    stay: int
    leftovers: int


def moves(plan: Plan) -> Moves:
    """Join what is moved out and what comes in. Pure."""
    leaving: dict[str, tuple[str, str]] = {}
    rivals: list[Mover] = []
    going = [*((item.name, item.version) for item in plan.removals), *_conda_going(plan)]
    for name, version in going:
        if version and _key(name) in leaving:
            # A second TensorFlow, of which one alone can be what the new one replaces.
            rivals.append(Mover(name=name, before=version, after=""))
        elif version:
            leaving[_key(name)] = (name, version)
    change: list[Mover] = []
    come: list[Mover] = []
    for name, version, size in _coming(plan):
        old, before = leaving.pop(_key(name), ("", ""))
        made = Mover(name=old or name, before=before, after=version, size=size, renamed=name if old not in {"", name} else "")
        (change if before else come).append(made)
    go = [Mover(name=name, before=version, after="") for name, version in leaving.values()] + rivals
    stay = len(plan.unchanged) + (len(plan.conda.unchanged) if plan.conda else 0)
    # A removal without a version is none of a distribution; one path of it for each uninstall that broke off.
    leftovers = sum(len(item.paths) for item in plan.removals if not item.version and item.name == LEFTOVERS)
    return Moves(change=_sorted(change), come=_sorted(come), go=_sorted(go), stay=stay, leftovers=leftovers)


def _conda_going(plan: Plan) -> list[tuple[str, str]]:
    parts = [item.identity.rsplit("-", 2) for item in (plan.conda.removals if plan.conda else ())]
    return [(part[0], part[1]) for part in parts if len(part) > 1]


def _coming(plan: Plan) -> list[tuple[str, str, int]]:
    found = [(item.name, item.version, item.size) for item in plan.packages]
    return found + [(item.name, item.version, item.size) for item in (plan.conda.packages if plan.conda else ())]


def _key(name: str) -> str:
    return "tensorflow" if is_rival(name) else name


def _sorted(movers: Iterable[Mover]) -> tuple[Mover, ...]:
    def rank(item: Mover) -> tuple[bool, bool, bool, int, str]:
        leap = bool(item.before and item.after) and numbers(item.before)[:1] != numbers(item.after)[:1]
        return not is_rival(item.name), item.name not in WATCHED, not leap, -item.size, item.name

    return tuple(sorted(movers, key=rank))


def summary(plan: Plan) -> str:
    """Return the one line: what becomes of TensorFlow, how many packages move, what it costs, and that it can be undone."""
    found = moves(plan)
    before = next((item.before for item in (*found.change, *found.go) if is_rival(item.name)), "")
    release = plan.choice.release
    what = f"{before} -> {release}" if before not in {"", release} else release
    counts = [
        f"{count} {word if count > 1 else f'{word}s'}"
        for count, word in ((len(found.change), "change"), (len(found.come), "come"), (len(found.go), "go"), (found.stay, "stay"))
        if count
    ]
    counts = [text.replace("gos", "goes") for text in counts]
    yours = sum(item.fate == "whole" for item in plan.neighbours)
    if yours and plan.changes:
        # What stays of the set matters to nobody beside what stays of one's own.
        counts = [*counts[: len(counts) - bool(found.stay)], f"{yours} of yours stay{'' if yours > 1 else 's'}"]
    costs = [f"{size_words(plan.download)} to download"] if plan.download else []
    costs += [f"{size_words(plan.disk)} on disk"] if plan.disk else []
    parts = [f"TensorFlow {what} ({plan.choice.device}): {', '.join(counts) or 'nothing moves'}", ", ".join(costs)]
    return "; ".join([*filter(None, parts), *(["undoable"] if plan.changes else [])])


def brief(plan: Plan, *, sections: Sequence[str], ends: Sequence[str]) -> str:
    """Return the plan on one screen where it can be; ``sections`` are told in full, ``ends`` are warnings, right above the last line."""
    line = summary(plan)
    top = [line, *_where(plan), *_why(plan), f"Proof: {plan.proof}"]
    bottom = [*sections, *_besides(plan), *ends, *([line] if plan.changes else [])]
    room = (ROWS if plan.env.exists else ROWS_OF_NEW) - NEXT_ROWS - _rows([*top, *bottom])
    return "\n".join(wrapped([*top, *_movers(moves(plan), max(room, MOVERS_AT_LEAST if plan.env.exists else 1)), *bottom]))


def brief_repair(plan: Plan, *, head: Sequence[str], sections: Sequence[str], ends: Sequence[str]) -> str:
    """Return a repair on one screen: what is wrong stands above it, and why each thing moves with ``-v``."""
    costs = [f"{size_words(plan.download)} to download at most"] if plan.download else []
    costs += [f"{size_words(plan.disk)} on disk"] if plan.disk else []
    last = [f"{head[0]}; {', '.join(costs) or 'nothing to download'}; undoable"]
    bottom = [*sections, *_besides(plan), *ends, *last]
    top = [*head, f"Proof: {plan.proof}"]
    room = ROWS - NEXT_ROWS - _rows([*top, *bottom])
    return "\n".join(wrapped([*top, *_movers(moves(plan), max(room, MOVERS_AT_LEAST)), *bottom]))


def _where(plan: Plan) -> list[str]:
    kind = {"absent": "new", "empty": "an empty folder now"}.get(plan.env.kind, "there already")
    python = plan.choice.interpreter.version if plan.choice.interpreter is not None else plan.choice.python
    free = [room.free for room in plan.preflight.rooms]
    return [f"  in {plan.env.path} ({kind}), Python {python}" + (f"; {size_words(min(free))} free" if free else "")]


def _why(plan: Plan) -> list[str]:
    """Say why this release and this device, and why the best that was not taken was not; the other reasons are counted."""
    choice = plan.choice
    reasons = list(dict.fromkeys((*choice.reasons[:1], *choice.reasons[-1:])))
    lines = [f"  why: {reason}" for reason in reasons]
    lines += [f"  GPU {gpu.index}: {gpu.name}: {gpu.why}" for gpu in choice.gpus[:1]]
    lines += [f"  why not {item.candidate}: {item.why} [{item.code}]" for item in choice.refusals[:1]]
    more = len(choice.refusals[1:]) + len(choice.gpus[1:])
    return [*lines, f"  and {more} more of these"] if more else lines


def _movers(found: Moves, rows: int) -> list[str]:
    """Return what fits: those that change first, two a row, then those that come and go by name; the rest is counted."""
    lines: list[str] = []
    for title, movers in (("changes", found.change), ("goes", found.go), ("comes", found.come)):
        if not movers:
            continue
        # A row is kept for each kind that follows.
        shown = max(1, rows - len(lines) - 3) if title == "changes" else 1 if found.change else min(NEW_ROWS, rows)
        cells = [item.words for item in movers]
        laid = _cells(cells, shown)
        lines += [f"  {title}: {row}" if number == 0 else f"  {' ' * len(title)}  {row}" for number, row in enumerate(laid.rows)]
        if laid.left:
            lines[-1] += f", and {laid.left} more"
    if found.leftovers:
        lines.append(f"  moved out: what {found.leftovers} broken uninstall{'s' if found.leftovers > 1 else ''} left")
    return lines


@record
class _Laid:
    """Rows of texts, and how many found no room."""

    rows: tuple[str, ...]
    left: int


def _cells(texts: Sequence[str], rows: int, width: int = COLUMNS - 28) -> _Laid:
    """Lay texts into rows, one after the other."""
    laid: list[str] = []
    for number, text in enumerate(texts):
        if laid and len(laid[-1]) + len(text) + 2 <= width:
            laid[-1] += f", {text}"
        elif len(laid) < rows:
            laid.append(text)
        else:
            return _Laid(rows=tuple(laid), left=len(texts) - number)
    return _Laid(rows=tuple(laid), left=0)


def _besides(plan: Plan) -> list[str]:
    """Say what is done besides moving packages, and what lies outside."""
    done = [step.title for step in plan.steps if step.needed and step.kind in {"link", "write", "move", "kernel"}]
    lines = [f"Also: {'; '.join(done)}"] if done else []
    built = [f"{item.name} {item.version}" for item in plan.packages if item.source]
    if built:
        lines.append(f"Built from source, because there is no wheel that would do: {', '.join(built)}")
    if plan.checkouts:
        places = [f"{item.name} ({mask(item.place)})" for item in plan.checkouts]
        lines.append(f"From no index, built by code of their own: {', '.join(places)}")
    if plan.conda is not None and plan.conda.packages:
        lines.append(f"Conda packages from {' and '.join(plan.conda.channels)}")
    if plan.indexes:
        lines.append(f"Index: {', '.join(index.url for index in plan.indexes)} (as the team's lock says)")
    lines.append(f"Outside the environment: {'; '.join(plan.outside) if plan.outside else 'nothing is changed'}")
    tight = [room for room in plan.preflight.rooms if room.free < TIGHT * room.size]
    rooms = [f"at most {size_words(room.size)} of {size_words(room.free)} free, where {room.folder} lies" for room in tight]
    lines += [f"Room: {'; '.join(rooms)}"] if rooms else []
    if plan.changes:
        lines.append(f"Then it is verified, or taken back; {_REST}")
    return lines


def _rows(lines: Iterable[str]) -> int:
    """Return how many rows of a terminal the lines take."""
    return sum(-(-len(line) // COLUMNS) for line in wrapped(lines))
