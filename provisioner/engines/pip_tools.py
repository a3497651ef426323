"""pip-tools as the resolver of a team's lock: `pip-compile` in the target's own Python, and pip's report for the files it means."""

from __future__ import annotations

import json
import os
import posixpath
import re
import shlex
from collections.abc import Callable, Mapping, Sequence

from provisioner.engines.allowed import expand
from provisioner.engines.index import installer_environment, pip_options
from provisioner.engines.resolving import Job, NoSolutionError, Resolved, check_variables, read_annotations
from provisioner.engines.uv import find_uv
from provisioner.engines.uv_failures import checked
from provisioner.engines.wheels import Wheel, major_minor, pick, supported_tags
from provisioner.errors import OperationError, UsageError
from provisioner.host import PRIVATE, Host

TIMEOUT_SECONDS = 1800.0
# pip-compile knows neither older machines nor upload dates; versions that do not fit are ruled out for the next round.
ROUNDS = 12
# Variables of pip that say how the network is reached; all others change what an answer means.
_KEPT = r"PIP_(CERT|CLIENT_CERT|PROXY|TIMEOUT|DEFAULT_TIMEOUT|RETRIES|TRUSTED_HOST|CACHE_DIR|NO_CACHE_DIR|KEYRING_PROVIDER|FIND_LINKS)"
_IMPOSSIBLE = r"ResolutionImpossible|No matching distribution found|Could not find a version|conflicting dependencies"

# The wheels that the index offers, by package and version.
Offered = dict[str, dict[str, list[Wheel]]]


def compile_job(host: Host, job: Job, *, platform: str, pythons: Mapping[str, str], watch: Callable[[int], None] | None = None) -> Resolved:
    """Resolve one target with pip-compile.

    ``platform`` is that of this machine, ``pythons`` its interpreters by their minor version; ``watch`` as in ``Host.run``.

    pip-compile looks for the machine and the time it runs in. So the files of each answer are asked for, versions that are too new, or have
    no wheel for the target's oldest machine, are ruled out by constraints, and it is asked again until its answer holds none of them.
    Raises ``UsageError`` for a target that pip-tools cannot do, ``NoSolutionError``, or ``OperationError``.
    """
    check(job, platform)
    python = _python(host, job, pythons)
    limits = list(job.constraints)
    offered: Offered = {}
    for _ in range(ROUNDS):
        versions, via, _ = read_annotations(_compile(host, job, python, limits, watch))
        offered |= _files(host, job, python, sorted(set(versions) - set(offered)), watch)
        ruled_out = [limit for name, version in versions.items() for limit in _ruled_out(job, name, version, offered[name])]
        if not ruled_out:
            chosen = {name: _in_time(job, name, offered[name].get(version, [])) for name, version in versions.items()}
            return Resolved(offered=chosen, via=via, undated=_undated(job, chosen))
        if set(ruled_out) <= set(limits):
            break
        limits += ruled_out
    raise OperationError(f"pip-tools came to no end for {job.name}", place=job.name, hint="lock with the engine uv, which is the default")


def _cutoff(job: Job, name: str) -> str:
    """Return the date that holds for a package, "" for none."""
    return "" if name in job.exempt else job.cutoffs.get(name, job.cutoff)


def _in_time(job: Job, name: str, wheels: Sequence[Wheel]) -> list[Wheel]:
    """Return the wheels that were uploaded before the date that holds; ISO dates in UTC sort as they follow each other."""
    cutoff = _cutoff(job, name)
    return [wheel for wheel in wheels if not (cutoff and wheel.uploaded) or wheel.uploaded < cutoff]


def _undated(job: Job, chosen: Mapping[str, Sequence[Wheel]]) -> tuple[str, ...]:
    return tuple(sorted(name for name, files in chosen.items() if _cutoff(job, name) and not any(file.uploaded for file in files)))


def _ruled_out(job: Job, name: str, version: str, offered: Mapping[str, Sequence[Wheel]]) -> list[str]:
    """Return constraints for a package of an answer whose version is not to be had, and for all of its others that are not, either."""
    if name in job.exempt or _fits(job, _in_time(job, name, offered.get(version, []))):
        return []
    return [f"{name}!={other}" for other, wheels in sorted(offered.items()) if not _fits(job, _in_time(job, name, wheels))]


def _fits(job: Job, wheels: Sequence[Wheel]) -> bool:
    try:
        pick(wheels, supported_tags(job.python, job.platform, major_minor(job.floor)))
    except (OperationError, ValueError):
        return False
    return True


def _files(host: Host, job: Job, python: list[str], names: Sequence[str], watch: Callable[[int], None] | None) -> Offered:
    """Ask which wheels the index offers."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename  # noqa: PLC0415 - start-up

    script = posixpath.join(posixpath.dirname(os.path.abspath(__file__)), "_pip_files.py")
    done = host.run(
        [*python, script], env=variables(host, job), cwd="/", stdin=json.dumps(list(names)), timeout=TIMEOUT_SECONDS, watch=watch
    )
    checked(done, f"the files for {job.name} could not be read", "pip")
    found: Offered = {name: {} for name in names}
    for name, items in json.loads(done.out).items():
        for item in items:
            try:
                version = str(parse_wheel_filename(item["filename"])[1])
            except InvalidWheelFilename:
                continue
            if not item["sha256"]:
                raise OperationError(f"the index tells no SHA-256 of {name}", hint="lock with the engine uv, which downloads such files")
            uploaded = f"{item['uploaded'][:19]}Z" if item["uploaded"] else ""
            wheel = Wheel(
                package=name,
                url=item["url"],
                filename=item["filename"],
                sha256=item["sha256"],
                size=item["size"],
                version=version,
                uploaded=uploaded,
            )
            found[name].setdefault(version, []).append(wheel)
    return found


def check(job: Job, platform: str) -> None:
    """Refuse what pip-compile has no way to do, each with the reason; raises ``UsageError``."""
    hint = "lock with the engine uv, which is the default"
    if job.platform != platform:
        raise UsageError(
            f"pip-tools resolves only for the platform it runs on ({platform}), not for {job.platform}", place=job.name, hint=hint
        )
    if job.sources:
        what = ", ".join(job.sources)
        raise UsageError(f"pip-tools would run the code of source distributions to resolve ({what})", place=job.name, hint=hint)
    if any(" @ " in text for text in job.requirements):
        raise UsageError("pip-tools would run the code of what has an address of its own to resolve", place=job.name, hint=hint)
    if job.links:
        raise UsageError("pip tells no hash of a file that --find-links finds", place=job.name, hint=hint)
    if any(index.packages for index in job.indexes):
        raise UsageError("pip mixes its indexes, so packages cannot have one each", place=job.name, hint=hint)
    for index in job.indexes:
        check_variables(index)


def _python(host: Host, job: Job, pythons: Mapping[str, str]) -> list[str]:
    """Return the command line of an interpreter of the target's Python that has pip-tools.

    That of the tool where it is one; otherwise one that uv puts together in its cache, around an interpreter of this machine.
    """
    own = host.run([host.python, "-c", "import sys, piptools, pip; print('%d.%d' % sys.version_info[:2])"], cwd="/")
    if own.ok and own.out.strip() == job.python:
        return [host.python]
    if job.python not in pythons:
        hint = "install it, or lock with the engine uv"
        raise UsageError(
            f"pip-tools runs in the target's Python, and there is no Python {job.python} on this machine", place=job.name, hint=hint
        )
    argv = [find_uv(host), "run", "--no-project", "--no-config", "--quiet", "--python", pythons[job.python]]
    return [*argv, "--with", "pip-tools>=7", "--with", "pip", "python"]


def variables(host: Host, job: Job) -> dict[str, str]:
    """Return the environment for pip: one index, no configuration of anybody's but how the network is reached."""
    env = dict(installer_environment(host))
    options = pip_options(host)
    index = (
        next((expand(item.url, host, name=item.name) for item in job.indexes), "")
        or env.get("UV_DEFAULT_INDEX")
        or env.get("UV_INDEX_URL", "")
    )
    kept = {name: value for name, value in env.items() if not name.startswith("PIP_") or re.fullmatch(_KEPT, name)}
    kept["PIP_CONFIG_FILE"] = os.devnull
    kept["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    if index:
        kept["PIP_INDEX_URL"] = index
    if env.get("UV_FIND_LINKS"):
        kept["PIP_FIND_LINKS"] = env["UV_FIND_LINKS"]
    for name in ("cert", "proxy"):
        if name in options:
            kept.setdefault(f"PIP_{name.upper()}", options[name])
    return kept


def _compile(host: Host, job: Job, python: list[str], limits: list[str], watch: Callable[[int], None] | None) -> str:
    asked, constraints = posixpath.join(job.folder, "requirements.in"), posixpath.join(job.folder, "constraints.txt")
    host.write(asked, "".join(f"{text}\n" for text in job.requirements), mode=PRIVATE)
    host.write(constraints, "".join(f"{text}\n" for text in limits), mode=PRIVATE)
    passed = ["--only-binary", ":all:", *(["--no-index"] if job.offline else [])]
    argv = [*python, "-m", "piptools", "compile", asked, "--constraint", constraints, "--output-file", "-", "--quiet", "--no-header"]
    argv += ["--annotate", "--annotation-style", "split", "--strip-extras", "--allow-unsafe", "--no-emit-index-url", "--no-emit-options"]
    argv += [
        "--no-emit-trusted-host",
        "--no-emit-find-links",
        "--resolver",
        "backtracking",
        "--no-config",
        "--pip-args",
        shlex.join(passed),
    ]
    done = host.run(argv, env=variables(host, job), cwd="/", timeout=TIMEOUT_SECONDS, watch=watch)
    if not done.ok and re.search(_IMPOSSIBLE, done.err):
        raise NoSolutionError(job, done.err)
    checked(done, f"the packages of {job.name} could not be resolved", "pip-compile")
    return done.out
