"""``tfsetup verify``: proves that an environment computes."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from provisioner.base.paths import absolute
from provisioner.cli import options
from provisioner.cli.output import print_json, print_text
from provisioner.cli.trusting import trusting
from provisioner.commands import verify as stages
from provisioner.errors import UsageError
from provisioner.host.machine import this_machine
from provisioner.report.apply_text import verification_document
from provisioner.report.progress import progress_for
from provisioner.report.verify_text import verification_text
from provisioner.session import Session

VERIFICATION_FAILED = 14


def verify(
    env: options.Env = None,
    python: Annotated[
        str,
        typer.Option("--python", "-p", envvar="TFSETUP_INTERPRETER", metavar="PATH", help="An interpreter; its environment is verified."),
    ] = "",
    require: Annotated[str, typer.Option("--require", envvar="TFSETUP_REQUIRE", metavar="gpu", help="Fail unless a GPU computes.")] = "",
    timeout: Annotated[float, typer.Option("--timeout", envvar="TFSETUP_TIMEOUT", metavar="SECONDS", help="How long it may take.")] = 600.0,
    *,
    trust: options.Trust = False,
    quiet: options.Quiet = False,
    no_progress: options.NoProgress = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Prove that an environment computes: import, kernels, devices, libraries, integrity. Changes nothing."""
    if require not in {"", "gpu"}:
        raise UsageError(f"`{require}` is not known", place="--require", hint="--require gpu")
    if timeout <= 0:
        raise UsageError("the time limit must be above zero", place="--timeout")
    host = this_machine()
    interpreter = absolute(python, host, "--python") if python else ""
    _, request = options.named_environment(host, env, python)
    # An interpreter alone names the environment that it belongs to.
    place = "" if interpreter and not env else request.env
    if place:
        options.tell(place, request.origins["env"], silent=as_json or quiet)
    with closing(progress_for(as_json=as_json, host=host, quiet=quiet, plain=no_progress)) as progress:
        verification = stages.verify(
            Session(host, trusting(host, trust=trust)),
            env=place,
            python=interpreter,
            request=request,
            require_gpu=require == "gpu",
            timeout=timeout,
            progress=progress,
        )
    if as_json:
        print_json(verification_document(verification))
    elif not (quiet and verification.passed):
        print_text(verification_text(verification, verbose=verbose))
    return 0 if verification.passed else VERIFICATION_FAILED
