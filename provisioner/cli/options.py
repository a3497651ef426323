"""The options that several commands share, each said once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from provisioner.base.names import normalise
from provisioner.base.paths import Place
from provisioner.cli import settings
from provisioner.cli.output import say
from provisioner.environment import active
from provisioner.errors import UsageError
from provisioner.host import Host
from provisioner.host.machine import this_machine
from provisioner.host.patient import patient as patiently
from provisioner.model.request import SETTINGS, Request

TensorFlow = Annotated[
    str | None,
    typer.Option("--tensorflow", "-t", metavar="SPEC", help="The release: 2.15 means 2.15.*, also >=2.16,<2.19. [TFSETUP_TENSORFLOW]"),
]
Python = Annotated[str | None, typer.Option("--python", "-p", metavar="SPEC", help="The Python: 3.12, or a path. [TFSETUP_PYTHON]")]
Device = Annotated[str | None, typer.Option("--device", metavar="auto|cpu|cuda", help="What it shall compute on. [TFSETUP_DEVICE]")]
Gpu = Annotated[bool, typer.Option("--gpu", help="The same as --device cuda. [TFSETUP_DEVICE]")]
Cpu = Annotated[bool, typer.Option("--cpu", help="The same as --device cpu. [TFSETUP_DEVICE]")]
Kind = Annotated[str | None, typer.Option("--kind", metavar="venv|conda", help="The kind of environment. [TFSETUP_KIND]")]
Source = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="wheels|conda",
        help="Where the TensorFlow of a conda environment comes from: its own wheels, which are proven, or the channel. [TFSETUP_SOURCE]",
    ),
]
Channel = Annotated[
    list[str] | None,
    typer.Option(
        "--channel",
        metavar="CHANNEL",
        help="A conda channel, the most important first; those of conda's configuration if none. [TFSETUP_CHANNEL]",
    ),
]
Env = Annotated[
    str | None,
    typer.Option("--env", "-e", metavar="PATH", help="The environment; the active one if not given, else ./tf-env. [TFSETUP_ENV]"),
]
ActiveEnv = Annotated[
    str | None,
    typer.Option("--env", "-e", metavar="PATH", help="The environment; the active one if not given, else ./tf-env. [TFSETUP_ENV]"),
]
AnyEnv = Annotated[
    str | None, typer.Option("--env", "-e", metavar="PATH", help="Only this environment; all of them if not given. [TFSETUP_ENV]")
]
Cwd = Annotated[
    str,
    typer.Option("--cwd", envvar="TFSETUP_CWD", metavar="PATH", help="Where programs are started; the working directory if not given."),
]
With = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="REQUIREMENT", help="A package to have beside TensorFlow; can be repeated. [TFSETUP_WITH]"),
]
Keep = Annotated[bool, typer.Option("--keep", help="Resolve what else is installed anew around TensorFlow; asks the index. [TFSETUP_KEEP]")]
Upgrade = Annotated[
    bool, typer.Option("--upgrade", help="Take the newest TensorFlow, where an environment keeps its own otherwise. [TFSETUP_UPGRADE]")
]
Break = Annotated[
    list[str] | None,
    typer.Option(
        "--break", metavar="NAME", help="Agree that this package of yours stops working (all: any); can be repeated. [TFSETUP_BREAK]"
    ),
]
Offline = Annotated[bool, typer.Option("--offline", help="Forbid the network. [TFSETUP_OFFLINE]")]
FactsFile = Annotated[
    str,
    typer.Option("--facts", envvar="TFSETUP_FACTS", metavar="FILE", help="Plan for the machine that `tfsetup detect --json` described."),
]
Json = Annotated[bool, typer.Option("--json", envvar="TFSETUP_JSON", help="Print one JSON document to stdout.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", envvar="TFSETUP_VERBOSE", help="Show sources and details.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", envvar="TFSETUP_QUIET", help="Say nothing where all is well: no progress, and no report of it.")
]
NoProgress = Annotated[
    bool, typer.Option("--no-progress", envvar="TFSETUP_NO_PROGRESS", help="Plain lines in place of what moves on a terminal.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", envvar="TFSETUP_DRY_RUN", help="Show what would be done, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree in advance. [TFSETUP_YES]")]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Agree to what only a file of the folder, a plan or a lock names, or another user owns. [TFSETUP_TRUST]"),
]
Wait = Annotated[
    float,
    typer.Option("--wait", envvar="TFSETUP_WAIT", metavar="SECONDS", help="How long to wait for another tfsetup on the same environment."),
]


def patient(*, silent: bool) -> Host:
    """Return the machine that is asked for its facts: a person is told what takes long, unless they are ``silent``."""
    return this_machine() if silent else patiently(this_machine(), say)


def request(host: Host, there: Place | None = None, /, **options: Any) -> Request:
    """Return the request of the options, the variables and tfsetup.yaml; ``there`` is the machine that is planned for, where it is another one."""
    for name in ("with", "channel"):
        if isinstance(options.get(name), list):
            options[name] = tuple(options[name])
    for setting in SETTINGS:
        given = options.get(setting.name)
        if setting.kind == "choice" and given is not None and given not in setting.choices:
            hint = "--gpu, which is --device cuda" if given == "gpu" else ""
            raise UsageError(f"`{given}` is not one of {', '.join(setting.choices)}", place=f"--{setting.name}", hint=hint)
    return settings.request(options, host, there)


def device(named: str | None, *, gpu: bool, cpu: bool) -> str | None:
    """Return what is to be computed on, said in one of three ways; raises ``UsageError`` where they contradict each other."""
    said = {
        word: value for word, value in (("--device", named), ("--gpu", "cuda" if gpu else None), ("--cpu", "cpu" if cpu else None)) if value
    }
    if len(set(said.values())) > 1:
        raise UsageError(f"{' and '.join(said)} cannot be asked for together", hint="give one of them")
    return next(iter(said.values()), None)


def environment(host: Host, env: str | None, *, silent: bool) -> str:
    """Return the absolute path of the environment that a command is about, and say which it is."""
    request = settings.request({"env": env}, host)
    tell(request.env, request.origins["env"], silent=silent)
    return request.env


def named_environment(host: Host, env: str | None, python: str) -> tuple[str, Request]:
    """Return the environment that a person named by option, variable or file, and the request that says which of them.

    It is "" where an interpreter, the active one or the default is meant. An interpreter that is named by option names its environment, too.
    """
    request = settings.request({"env": env}, host)
    if python and not env:
        return "", replace(request, origins={**request.origins, "env": "option"})
    unnamed = request.origins["env"] == "default" or request.origins["env"].startswith(active.ACTIVE)
    return ("" if unnamed else request.env), request


def tell(env: str, origin: str, *, silent: bool, instead: bool = False) -> None:
    """Say which environment a command is about, and what names it: the first line of every command.

    ``instead`` is for one that looks at the Python on PATH where there is no environment.
    """
    if instead and not silent:
        say("Environment: none is named or active, and here is no tf-env; the Python on PATH is looked at")
    elif not silent:
        say(f"Environment: {env} ({active.words(origin)})")


def broken(host: Host, names: Sequence[str] | None) -> frozenset[str]:
    """Return the names of the packages that may stop working, as they are compared."""
    return frozenset(normalise(name) for name in names or host.env.get("TFSETUP_BREAK", "").split())


def wants_json(argv: Sequence[str]) -> bool:
    """True when errors are to be told as a document; Typer, which reads the option itself, may be what fails."""
    return "--json" in argv or this_machine().env.get("TFSETUP_JSON", "").strip().lower() in settings.TRUE


def agreed(host: Host, *, yes: bool) -> bool:
    """True when consent was given in advance, by option or variable."""
    return yes or settings.parse_flag(host.env.get("TFSETUP_YES", ""), "variable TFSETUP_YES")
