"""Finds the requests nearest to one that cannot be met: the fewest options changed, each tried before it is offered."""

from __future__ import annotations

import dataclasses
import itertools
import re
import shlex
from collections.abc import Callable, Iterable, Iterator

from provisioner.base.versions import numbers
from provisioner.choose.versions import minor
from provisioner.model.catalogue import Release
from provisioner.model.catalogue_view import CatalogueView
from provisioner.model.plan import Choice, EnvState
from provisioner.model.request import Kind, Request

# What a person gives up most easily comes first. More than three lines nobody reads.
_FIELDS = ("kind", "tensorflow", "env", "python", "device")
_MOST = 3

# Tries a request with certain releases in a certain order (None: those that its own specifiers allow).
Attempt = Callable[[Request, EnvState, "Iterable[Release] | None"], "Choice | None"]


def nearest(request: Request, env: EnvState, catalogue: CatalogueView, attempt: Attempt) -> tuple[str, ...]:
    """Return complete option strings, nearest first, each of which ``attempt`` could meet."""
    fields = [field for field in _FIELDS if _changeable(field, request, env)]
    met: list[frozenset[str]] = []
    lines: list[str] = []
    for size in range(1, len(fields) + 1):
        for chosen in itertools.combinations(fields, size):
            changed = frozenset(chosen)
            if len(lines) == _MOST or any(smaller <= changed for smaller in met):
                continue
            line = _relaxed(request, env, changed, catalogue, attempt)
            if line:
                met.append(changed)
                lines.append(line)
    return tuple(dict.fromkeys(lines))


def _changeable(field: str, request: Request, env: EnvState) -> bool:
    """An option can be given up when it restricts anything; another kind of environment brings other Pythons, or other libraries."""
    return {
        "kind": True,
        "tensorflow": request.tensorflow not in {"", "latest"},
        "env": env.exists,
        "python": request.python != "",
        "device": request.device != "cpu",
    }[field]


def _relaxed(request: Request, env: EnvState, changed: frozenset[str], catalogue: CatalogueView, attempt: Attempt) -> str:
    """Return the options with some given up and put to what can be met, or nothing."""
    freed = dataclasses.replace(
        request,
        tensorflow="" if "tensorflow" in changed else request.tensorflow,
        python="" if "python" in changed else request.python,
        device="cpu" if "device" in changed else request.device,
        kind=_other_kind(request) if "kind" in changed else request.kind,
    )
    place = EnvState(path=env.path, kind="absent", digest="") if "env" in changed else env
    choice = attempt(freed, place, None)
    if choice is not None and "tensorflow" in changed:
        choice = attempt(freed, place, by_distance(request.tensorflow, catalogue)) or choice
    if choice is None:
        return ""
    exact = dataclasses.replace(
        freed,
        tensorflow=choice.release if "tensorflow" in changed else freed.tensorflow,
        python=choice.python if "python" in changed else freed.python,
    )
    if "env" in changed:
        place = dataclasses.replace(place, path=f"{env.path}-{choice.python}")
        exact = dataclasses.replace(exact, env=place.path)
    short = dataclasses.replace(exact, tensorflow=minor(exact.tensorflow)) if "tensorflow" in changed else exact
    for candidate in (short, exact):
        again = attempt(candidate, place, None)
        if again is not None and (minor(again.release), again.python) == (minor(choice.release), choice.python):
            return options(candidate, changed)
    return ""


def _other_kind(request: Request) -> Kind:
    return "conda" if request.kind == "venv" else "venv"


def prerelease(request: Request, env: EnvState, catalogue: CatalogueView, attempt: Attempt) -> tuple[str, ...]:
    """Return the options for a pre-release that meets a Python which no release has a set for yet; pre-releases are only taken by name."""
    if not request.python or request.tensorflow not in {"", "latest"}:
        return ()
    for version in catalogue.versions():
        release = catalogue.release(version)
        asked = dataclasses.replace(request, tensorflow=version)
        if release is not None and release.prerelease and attempt(asked, env, None) is not None:
            return (options(asked, frozenset({"tensorflow"})),)
    return ()


def by_distance(spec: str, catalogue: CatalogueView) -> Iterator[Release]:
    """Yield stable releases, those that stand nearest to what was asked for first (``2.15`` and Python 3.12: 2.16, not the newest)."""
    versions = catalogue.versions()
    named = numbers((re.findall(r"\d+(?:\.\d+)*", spec) or ["0"])[0])
    place = next((index for index, version in enumerate(versions) if numbers(version)[: len(named)] <= named), len(versions))
    for version in sorted(versions, key=lambda version: abs(versions.index(version) - place)):
        release = catalogue.release(version)
        if release is not None and not release.prerelease:
            yield release


def instead(release: str, catalogue: CatalogueView) -> Iterator[Release]:
    """Yield what may be taken in the place of a release: its own minor's other patches, then of each other minor the newest, the nearest first.

    Patches may ask for other packages: 2.12.1 has a bound for typing-extensions that 2.12.0 has not.
    """
    near = list(by_distance(release, catalogue))
    minors: dict[str, list[Release]] = {}
    for item in sorted(near, key=lambda item: numbers(item.version), reverse=True):
        minors.setdefault(minor(item.version), []).append(item)
    own = minor(release)
    yield from (item for item in minors.get(own, ()) if item.version != release)
    yield from (minors[name][0] for name in dict.fromkeys(minor(item.version) for item in near) if name != own)


def options(request: Request, changed: frozenset[str]) -> str:
    """Write a request as the options a person would type; what is at its default and was not ``changed`` is left out."""
    env_named = "env" in changed or request.origins.get("env", "default") != "default"
    words = []
    for option, value, default in (
        ("--tensorflow", _as_named(request.tensorflow), ""),
        ("--python", _as_named(request.python), ""),
        ("--device", request.device, "auto"),
        ("--kind", request.kind, "" if "kind" in changed else "venv"),
        ("--env", request.env if env_named else "", ""),
    ):
        if value != default:
            words += [option, shlex.quote(value)]
    for requirement in request.extra:
        words += ["--with", shlex.quote(requirement)]
    words += ["--keep"] if request.keep else []
    return " ".join([*words, "--offline"] if request.offline else words)


def _as_named(spec: str) -> str:
    """Return one exact version as a person names it, ``2.21.0`` or ``2.15``: zsh looks for a program where a word begins with ``=``."""
    exact = re.fullmatch(r"==\s*(\d+\.\d+\.\d\w*|(?P<minor>\d+\.\d+)\.\*)", spec.strip())
    return (exact["minor"] or exact[1]) if exact else spec


def break_options(names: tuple[str, ...]) -> str:
    """Return the words that agree to what breaks, as they are typed."""
    return " ".join(f"--break {shlex.quote(name)}" for name in names)
