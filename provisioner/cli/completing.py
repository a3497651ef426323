"""What a command line that is being typed can go on with: commands, options, and the values of each."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from typer.main import get_command

from provisioner.cli import SUMMARIES, make_app, options
from provisioner.commands import status as environments
from provisioner.host import Host
from provisioner.model.record import record
from provisioner.session import Session

Word = tuple[str, str]
# What a metavar asks for; one that lists its values (``cpu|cuda``) is them.
_FILES, _FOLDERS = re.compile(r"FILE|.*\.json|PATH"), re.compile(r"FOLDER")


@record
class Answer:
    """``words`` with what each means, in the order of the offer; ``kind`` says what else is: ``files``, ``folders``, or ``words`` only."""

    kind: str
    words: tuple[Word, ...]


def complete(typed: Sequence[str], host: Host) -> Answer:
    """Return what the last of the words (which may be empty) can become; a word is offered where it begins like that one."""
    # Bash takes ``--env=x`` apart at the sign.
    *before, last = [*(word for word in typed if word != "="), *([""] if not typed or typed[-1] == "=" else [])]
    name = next((word for word in before if not word.startswith("-")), "")
    if name not in SUMMARIES:
        return _fitting(last, [] if name else [*_commands(), ("--help", "Show help."), ("--version", "Print the version.")])
    params = get_command(make_app(name)).commands[name].params  # type: ignore[attr-defined]
    rest = before[before.index(name) + 1 :]
    option, sign, _ = last.partition("=")
    asked = _asked(params, option if sign and option.startswith("--") else (rest or [""])[-1])
    if asked is not None:
        words = ((f"{option}={word}" if sign else word, meaning) for word, meaning in _values(asked, name, host))
        return _fitting(last, words, "words" if sign else _kind(asked))
    if last.startswith("-"):
        return _fitting(last, _options(params, rest))
    place = next((param for param in params if not param.opts[0].startswith("-")), None)
    return Answer(kind="words", words=()) if place is None else _fitting(last, _values(place, name, host), _kind(place))


def _fitting(last: str, words: Iterable[Word], kind: str = "words") -> Answer:
    return Answer(kind=kind, words=tuple((word, meaning) for word, meaning in words if word.startswith(last)))


def _commands() -> list[Word]:
    return [(name, _first(summary)) for name, summary in SUMMARIES.items()]


def _first(text: str) -> str:
    """Return the first sentence, without the variable that an option's help names."""
    return re.split(r"[.;] |\. *$| \[TFSETUP", text)[0]


def _asked(params: Sequence[Any], word: str) -> Any:
    """Return the option that waits for its value after ``word``, or None."""
    return next((param for param in params if word in param.opts and word.startswith("-") and not param.is_flag), None)


def _options(params: Sequence[Any], given: Sequence[str]) -> Iterator[Word]:
    for param in params:
        if param.opts[0].startswith("-") and (param.multiple or not set(param.opts) & set(given)):
            yield param.opts[0], _first(param.help or "")
    yield "--help", "Show help"


def _kind(param: Any) -> str:
    shape = (param.metavar or "").strip("[]")
    if param.name in {"plan", "log"} or (_FILES.fullmatch(shape) and param.name not in {"env", "cwd"}):
        return "files"
    return "folders" if _FOLDERS.fullmatch(shape) or param.name in {"env", "cwd"} else "words"


def _values(param: Any, command: str, host: Host) -> Iterable[Word]:
    """Return the values that can be told: those of its metavar, or what is known of that name."""
    shape = (param.metavar or "").strip("[]")
    if re.fullmatch(r"[a-z-]+(\|[a-z-]+)*", shape):
        return [(value, "") for value in shape.split("|")]
    known = {
        "tensorflow": _releases, "release": _releases, "env": _environments, "platform": _platforms, "log": _causes,
        "python": _pythons if shape != "PATH" else _none, "command": _of_commands, "name": _documents if command == "schema" else _none,
        "check": _checks if command == "doctor" else _none,
    }  # fmt: skip
    return known.get(param.name, _none)(host)


def _none(_host: Host) -> list[Word]:
    return []


def _of_commands(_host: Host) -> list[Word]:
    return _commands()


def _releases(host: Host) -> list[Word]:
    """Every release, the newest first."""
    return [(version, "TensorFlow") for version in Session(host).catalogue.versions()]


def _pythons(host: Host) -> list[Word]:
    """Every Python that a release has a set for here, the newest first."""
    session = Session(host)
    found = {python for release in session.catalogue.releases() for build in release.builds for python in build.pythons}
    return [(python, "Python") for python in sorted(found, key=lambda text: [int(part) for part in text.split(".")], reverse=True)]


def _platforms(host: Host) -> list[Word]:
    return [(platform, "") for platform in Session(host).catalogue.platforms()]


def _environments(host: Host) -> list[Word]:
    """The environments that are here or that tfsetup made, as one would type them here."""
    found = environments.status(Session(host), options.request(host), measured=False).environments
    return [(_near(item.path, host.cwd), f"TensorFlow {item.tensorflow}" if item.tensorflow else "no TensorFlow") for item in found]


def _near(path: str, cwd: str) -> str:
    return posixpath.relpath(path, cwd) if path.startswith(f"{cwd}/") else path


def _causes(host: Host) -> list[Word]:
    from provisioner.catalogue import find_profiles  # noqa: PLC0415 - only to complete `explain`

    names = [posixpath.basename(entry.path) for entry in host.list(posixpath.join(find_profiles(), "causes"))]
    return [(name.removesuffix(".yaml"), "a cause") for name in names if name.endswith(".yaml") and name != "order.yaml"]


def _documents(_host: Host) -> list[Word]:
    from provisioner.report.schemas import SCHEMAS  # noqa: PLC0415 - only to complete `schema`

    return [(name, "") for name in SCHEMAS]


def _checks(_host: Host) -> list[Word]:
    from provisioner.diagnose.doctor import all_checks  # noqa: PLC0415 - only to complete `doctor`

    return [(check.name, "") for check in all_checks()]
