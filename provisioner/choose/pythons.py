"""The Pythons of a machine that an environment can be made with, best first; or the one that an environment already has."""

from __future__ import annotations

import re
from dataclasses import replace

from provisioner.base.paths import is_absolute
from provisioner.base.versions import numbers
from provisioner.choose.obstacles import Obstacle, listed, span
from provisioner.choose.versions import matches, minor, newest_first, some_patch_matches, specifier
from provisioner.errors import CouldNotTellError, UsageError
from provisioner.model.facts import NEEDED, WIDTH, Facts, Interpreter, PythonDownload
from provisioner.model.plan import EnvState
from provisioner.model.record import record
from provisioner.model.request import Request

# The oldest Python that `uv python install` offers (uv 0.13).
OLDEST_OF_UV = (3, 8)
# What the facts call the origin of a Python of the Microsoft Store.
STORE = "store"


@record
class PythonOffer:
    """A Python that could be used: ``interpreter`` is None where only the version is known; ``where`` says what it is.

    With ``download`` it is not here: uv fetches it, and ``interpreter`` is what it will be.
    """

    minor: str
    version: str
    interpreter: Interpreter | None
    where: str
    download: PythonDownload | None = None


@record
class Pythons:
    """All offers, best first.

    ``assumed``: the facts do not tell the interpreters, so any Python that meets ``spec`` is taken for granted. ``asked``: that
    in the person's own words. ``supplied``: conda brings the Python, whichever it is. ``env``: the offer is that of an environment that is
    there already. ``trouble``: why no interpreter is fit. ``unfetched``: why uv fetches none ("" where
    it does; None where it was not asked). ``silent``: those that were left out because they did not answer in time; one of them may be fit.
    ``system`` is the machine's.
    """

    offers: tuple[PythonOffer, ...] = ()
    spec: str = ""
    asked: str = ""
    assumed: str = ""
    supplied: bool = False
    env: str = ""
    trouble: Obstacle | None = None
    unfetched: str | None = None
    silent: str = ""
    system: str = ""

    @property
    def here(self) -> tuple[PythonOffer, ...]:
        """The offers that are here."""
        return tuple(offer for offer in self.offers if offer.download is None)


def find_pythons(facts: Facts, request: Request, env: EnvState) -> Pythons:
    """Return the Pythons that the request allows on this machine.

    Raises ``UsageError`` for a ``--python`` that is no version and no interpreter of the facts, ``CouldNotTellError`` for an environment
    whose Python could not be read.
    """
    silent = "; ".join(re.findall(r"[^;]{1,300} was left out: it did not answer within [\d.]{1,9} seconds", facts.interpreters.why))
    return replace(_found(facts, request, env), system=facts.system.os.value or "", silent=silent.strip())


def _found(facts: Facts, request: Request, env: EnvState) -> Pythons:
    path = request.python if _is_path(request.python) else ""
    spec = "" if path else specifier(request.python, "--python")
    # A conda environment may have no Python yet.
    if env.exists and (env.kind != "conda" or env.python_version):
        return _of_environment(facts, request, env, spec, path)
    if request.kind == "conda":
        if path:
            raise UsageError(
                f"`--python {path}` names an interpreter, and a conda environment brings its own", hint="give a version instead"
            )
        return Pythons(spec=spec, asked=request.python, supplied=True)
    fact = facts.interpreters
    if fact.status == "unknown":
        if path:
            raise UsageError(
                f"`--python {path}` cannot be judged: {fact.why or 'the facts hold no interpreters'}", hint="give a version instead"
            )
        return Pythons(spec=spec, asked=request.python, assumed=fact.why or "the facts hold no interpreters")
    everything = fact.value or ()
    if path and path not in {interpreter.path for interpreter in everything}:
        hint = f"found are {listed([interpreter.path for interpreter in everything])}" if everything else "no Python was found"
        raise UsageError(f"`--python {path}` is no interpreter that was found on this machine", hint=hint)
    wanted = tuple(interpreter for interpreter in everything if (interpreter.path == path if path else matches(spec, interpreter.version)))
    found = _of_interpreters(facts, everything, wanted, path or spec, request.python)
    return found if path else _with_downloads(found, facts, spec)


def _with_downloads(found: Pythons, facts: Facts, spec: str) -> Pythons:
    """Add the Pythons that uv can fetch, after those that are here; it is only asked about them where none of these fits."""
    architecture = facts.system.architecture.value or facts.system.process_architecture.value or ""
    every = [item for item in facts.downloads.value or () if f"-{architecture}-" in item.key]
    # Of one whose patch is not known yet, it is seen when it is there.
    fetched = [item for item in every if (some_patch_matches if item.version == item.minor else matches)(spec, item.version)]
    if facts.downloads.status != "unknown":
        found = replace(found, unfetched=facts.downloads.why if facts.downloads.status == "absent" else "")
    if not fetched:
        return found
    offers = [_fetched(item, architecture) for item in sorted(fetched, key=lambda item: numbers(item.version), reverse=True)]
    return replace(found, offers=(*found.offers, *offers), trouble=None)


def _fetched(download: PythonDownload, architecture: str) -> PythonOffer:
    interpreter = Interpreter(
        path=download.path,
        version=download.version,
        bits=WIDTH,
        architecture=architecture,
        implementation="cpython",
        origin="uv",
    )
    where = f"is fetched by uv from {download.source}, because no Python here fits"
    return PythonOffer(minor=download.minor, version=download.version, interpreter=interpreter, where=where, download=download)


def _is_path(text: str) -> bool:
    return is_absolute(text)


def _of_environment(facts: Facts, request: Request, env: EnvState, spec: str, path: str) -> Pythons:
    if not env.python_version:
        raise CouldNotTellError(f"the Python of the environment {env.path} could not be read", hint="name another environment with `--env`")
    known = {interpreter.path: interpreter for interpreter in facts.interpreters.value or ()}
    own = known.get(env.python)
    if own is not None and not own.carries:
        return Pythons(env=env.path, trouble=_trouble((own,), (own,), own.architecture, ""))
    # An environment that was made with the interpreter that is asked for has its version.
    same = path == env.python or (path in known and known[path].version == env.python_version)
    if same if path else matches(spec, env.python_version):
        where = f"of the environment {env.path}"
        return Pythons(
            offers=(PythonOffer(minor=minor(env.python_version), version=env.python_version, interpreter=own, where=where),), env=env.path
        )
    why = f"was asked for with `--python {request.python}`, and the environment {env.path} has Python {env.python_version}"
    trouble = Obstacle(code="python-unsupported", why=why, remedy="name another environment with `--env`, or leave `--python` out")
    return Pythons(spec=spec, asked=request.python, env=env.path, trouble=trouble)


def _of_interpreters(facts: Facts, everything: tuple[Interpreter, ...], wanted: tuple[Interpreter, ...], spec: str, asked: str) -> Pythons:
    architecture = facts.system.architecture.value or facts.system.process_architecture.value or ""
    fit = [one for one in wanted if one.architecture in {"", architecture} and one.carries]
    if not fit:
        return Pythons(spec=spec, asked=asked, trouble=_trouble(everything, wanted, architecture, asked))
    return Pythons(offers=tuple(_offer(one) for one in sorted(fit, key=_preference)), spec=spec, asked=asked)


def _preference(interpreter: Interpreter) -> tuple[bool, bool, bool, tuple[int, ...], bool]:
    """Real ones before those of virtual environments, before the Microsoft Store's and those that lack something, then the newest, conda's last."""
    return (
        interpreter.virtual,
        interpreter.origin == STORE,
        bool(interpreter.lacks),
        tuple(-number for number in numbers(interpreter.version)),
        interpreter.origin == "conda",
    )


def _offer(interpreter: Interpreter) -> PythonOffer:
    return PythonOffer(
        minor=minor(interpreter.version), version=interpreter.version, interpreter=interpreter, where=f"at {interpreter.path}"
    )


def _trouble(everything: tuple[Interpreter, ...], wanted: tuple[Interpreter, ...], architecture: str, asked: str) -> Obstacle:
    if not everything:
        return Obstacle(code="python-unsupported", why="needs a Python, and none was found here")
    versions = newest_first({minor(one.version) for one in everything})
    if not wanted:
        why = f"was asked for with `--python {asked}`, and here {'are' if len(versions) > 1 else 'is'} only {listed(versions)}"
        return Obstacle(code="python-unsupported", why=why)
    native = [one for one in wanted if one.architecture in {"", architecture} and one.bits == WIDTH]
    if native:
        kinds = listed(sorted({_kind(one) for one in native}), "or")
        return Obstacle(code="python-unsupported", why=f"has wheels for the usual CPython only, and every 64-bit Python here is {kinds}")
    if all(one.bits != WIDTH for one in wanted):
        return Obstacle(
            code="python-32bit", why="needs a 64-bit Python, and every Python here has 32 bits", remedy="install a 64-bit Python"
        )
    others = listed(sorted({one.architecture for one in wanted if one.architecture != architecture}))
    return Obstacle(
        code="wrong-arch-binary",
        why=f"needs a Python for this machine's {architecture}, and every Python here is for {others}",
        remedy=f"install a Python for {architecture}; one for {others} runs translated, without the processor features TensorFlow needs",
    )


def _kind(one: Interpreter) -> str:
    if one.free_threaded:
        return "free-threaded"
    lost = sorted(NEEDED.intersection(one.lacks))
    return f"one without its own {listed(lost)}" if lost and one.implementation.lower() == "cpython" else one.implementation


def offers_for(pythons: Pythons, supported: tuple[str, ...]) -> tuple[PythonOffer, ...]:
    """Return the offers whose version is among ``supported``, best first."""
    if not pythons.assumed and not pythons.supplied:
        return tuple(offer for offer in pythons.offers if offer.minor in supported)
    allowed = [python for python in newest_first(set(supported)) if some_patch_matches(pythons.spec, python)]
    return tuple(PythonOffer(minor=python, version=python, interpreter=None, where="") for python in allowed)


def no_python(pythons: Pythons, supported: tuple[str, ...], device: str) -> Obstacle:
    """Say that none of the offers is among the Pythons a release has a set for, and how to get one that is."""
    if not supported:
        return Obstacle(code="python-unsupported", why=f"has no known-good set for {device} yet")
    told = _none_of(pythons, supported)
    return replace(told, remedy=f"{told.remedy}; {pythons.silent}") if pythons.silent and not pythons.env else told


def _none_of(pythons: Pythons, supported: tuple[str, ...]) -> Obstacle:
    if pythons.trouble is not None:
        if pythons.asked and not _of_those(pythons, supported):
            # Which Pythons are here makes no difference. Said alike of every release, so that it is told once.
            why = f"has no known-good set for the Python that was asked for (`--python {pythons.asked}`)"
            return Obstacle(code="python-unsupported", why=why, remedy=f"ask for another Python than `{pythons.asked}`")
        trouble = pythons.trouble
        return trouble if trouble.remedy else Obstacle(code=trouble.code, why=trouble.why, remedy=_get(pythons, supported))
    if pythons.supplied:
        why = f"has known-good sets for Python {span(supported)}, and `--python {pythons.asked}` was asked for"
        return Obstacle(
            code="python-unsupported", why=why, remedy=f"ask for one of them, such as `--python {newest_first(set(supported))[0]}`"
        )
    versions = listed(newest_first({offer.minor for offer in pythons.here}))
    remedy = _get(pythons, supported)
    if pythons.env:
        here = f"the environment {pythons.env} has {versions}"
        remedy = "name another environment with `--env`, or a release that fits this one with `--tensorflow`"
    elif pythons.asked:
        here = f"`--python {pythons.asked}` was asked for"
    else:
        here = f"here {'are' if ' and ' in versions else 'is only'} {versions}"
    return Obstacle(code="python-unsupported", why=f"has known-good sets for Python {span(supported)}, and {here}", remedy=remedy)


def _of_those(pythons: Pythons, supported: tuple[str, ...]) -> list[str]:
    """Return the Pythons of a release that are asked for, newest first."""
    return [python for python in newest_first(set(supported)) if is_absolute(pythons.spec) or some_patch_matches(pythons.spec, python)]


def _get(pythons: Pythons, supported: tuple[str, ...]) -> str:
    """Say how to get a Python; uv comes with this tool, so its way works on every distribution, for those that it has (from 3.8 on)."""
    wanted = _of_those(pythons, supported)
    if not wanted:
        return f"ask for another Python than `{pythons.asked}`"
    from provisioner.base import by_hand  # noqa: PLC0415 - only where none is fit

    # Where uv was asked, it cannot fetch it.
    ways = [f"`uv python install {wanted[0]}`"] if pythons.unfetched is None and numbers(wanted[0]) >= OLDEST_OF_UV else []
    why = f"{pythons.unfetched}; so " if pythons.unfetched else ""
    return f"{why}install Python {wanted[0]}: {', '.join([*ways, by_hand.ways(pythons.system, wanted[0])])}"


def python_warnings(offer: PythonOffer, pythons: Pythons) -> tuple[str, ...]:
    """Say what a person should know of the Python that was taken."""
    if pythons.assumed:
        return (f"Could not tell which Pythons this machine has ({pythons.assumed}); Python {offer.minor} must be there",)
    interpreter = offer.interpreter
    if interpreter is None or pythons.env:
        return ()
    if interpreter.virtual:
        return (f"{interpreter.path} belongs to another virtual environment: the new one is made with the Python behind it",)
    if interpreter.origin == STORE:
        return (
            f"{interpreter.path} is the Microsoft Store's, which updates it unasked; one of python.org, or of `uv python install`, stays",
        )
    if interpreter.origin == "conda":
        return (f"{interpreter.path} is conda's: the environment must be made anew when conda updates or removes it",)
    return ()
