"""pip-tools as the resolver of a team's lock: `pip-compile` in the target's own Python, and pip's report for the files it means."""

from __future__ import annotations

import json
import os
import posixpath
import re
import shlex
from urllib.parse import unquote

from provisioner.engines.index import installer_environment, pip_options
from provisioner.engines.resolving import Job, NoSolutionError, Resolved, check_variables, expand, read_annotations
from provisioner.engines.uv import checked, find_uv, run_uv
from provisioner.engines.wheels import Wheel, numbers, platform_tags
from provisioner.errors import OperationError, UsageError
from provisioner.host import Completed, Host
from provisioner.site import normalise

TIMEOUT_SECONDS = 1800.0
FIND_TIMEOUT_SECONDS = 60.0
# pip-compile knows only the machine it runs on; a version without a wheel for an older one is passed over in the next round.
ROUNDS = 12
# Variables of pip that say how the network is reached; all others change what an answer means.
_KEPT = r"PIP_(CERT|CLIENT_CERT|PROXY|TIMEOUT|DEFAULT_TIMEOUT|RETRIES|TRUSTED_HOST|CACHE_DIR|NO_CACHE_DIR|KEYRING_PROVIDER|FIND_LINKS)"
_UNFIT = re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)==(\S+)")
_IMPOSSIBLE = r"ResolutionImpossible|No matching distribution found|Could not find a version|conflicting dependencies"


def compile_job(host: Host, job: Job, *, platform: str) -> Resolved:
    """Resolve one target with pip-compile; ``platform`` is that of this machine.

    Raises ``UsageError`` for a target that pip-tools cannot do, ``NoSolutionError``, or ``OperationError``.
    """
    _check(job, platform)
    python = [*_python(host, job)]
    limits = list(job.constraints)
    for _ in range(ROUNDS):
        text = _compile(host, job, python, limits)
        versions, via, _ = read_annotations(text)
        done = _report(host, job, python, versions)
        if done.ok:
            return Resolved(offered=_offered(done.out), via=via)
        unfit = {name: version for name, version in _UNFIT.findall(done.err) if f"{name}!={version}" not in limits}
        if not unfit:
            checked(done, f"the files of {job.name} could not be found", "pip")
        limits += [f"{name}!={version}" for name, version in unfit.items()]
    raise OperationError(f"pip-tools found no versions with wheels for {job.name}", place=job.name, hint="try the engine uv")


def _check(job: Job, platform: str) -> None:
    """Refuse what pip-compile has no way to do, each with the reason."""
    hint = "lock with the engine uv, which is the default"
    if job.platform != platform:
        raise UsageError(
            f"pip-tools resolves only for the platform it runs on ({platform}), not for {job.platform}", place=job.name, hint=hint
        )
    if job.sources:
        what = ", ".join(job.sources)
        raise UsageError(f"pip-tools would run the code of source distributions to resolve ({what})", place=job.name, hint=hint)
    if any(index.packages for index in job.indexes):
        raise UsageError("pip mixes its indexes, so packages cannot have one each", place=job.name, hint=hint)
    if any(job.cutoffs.values()):
        raise UsageError("pip knows one upload date for all packages, not one for each", place=job.name, hint=hint)
    for index in job.indexes:
        check_variables(index)


def _python(host: Host, job: Job) -> list[str]:
    """Return the command line of an interpreter of the target's Python that has pip-tools and a pip with cut-off dates.

    That of the tool where it is one; otherwise one that uv puts together in its cache, around an interpreter of this machine.
    """
    own = host.run([host.python, "-c", "import sys, piptools, pip; print('%d.%d' % sys.version_info[:2], pip.__version__)"], cwd="/")
    if own.ok and own.out.split()[0] == job.python and numbers(f"{own.out.split()[1]}.0") >= (26, 0):
        return [host.python]
    found = run_uv(host, [find_uv(host), "python", "find", "--no-project", "--system", job.python], FIND_TIMEOUT_SECONDS)
    if not found.ok:
        hint = "install it, or lock with the engine uv"
        raise UsageError(
            f"pip-tools runs in the target's Python, and there is no Python {job.python} on this machine", place=job.name, hint=hint
        )
    argv = [find_uv(host), "run", "--no-project", "--no-config", "--quiet", "--python", found.out.strip()]
    return [*argv, "--with", "pip-tools>=7.4", "--with", "pip>=26", "python"]


def _variables(host: Host, job: Job) -> dict[str, str]:
    """Return the environment for pip: one index, no configuration of anybody's but how the network is reached."""
    env = dict(installer_environment(host))
    options = pip_options(host)
    index = next((expand(item.url, host.env) for item in job.indexes), "") or env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL", "")
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


def _compile(host: Host, job: Job, python: list[str], limits: list[str]) -> str:
    asked, constraints = posixpath.join(job.folder, "requirements.in"), posixpath.join(job.folder, "constraints.txt")
    host.write(asked, "".join(f"{text}\n" for text in job.requirements))
    host.write(constraints, "".join(f"{text}\n" for text in limits))
    passed = ["--only-binary", ":all:", *(["--no-index"] if job.offline else ["--uploaded-prior-to", job.cutoff])]
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
    done = host.run(argv, env=_variables(host, job), cwd="/", timeout=TIMEOUT_SECONDS)
    if not done.ok and re.search(_IMPOSSIBLE, done.err):
        raise NoSolutionError(job, done.err)
    checked(done, f"the packages of {job.name} could not be resolved", "pip-compile")
    return done.out


def _report(host: Host, job: Job, python: list[str], versions: dict[str, str]) -> Completed:
    """Ask pip which file of each version it would install on the target's oldest machine; nothing is installed."""
    pins = posixpath.join(job.folder, "pins.txt")
    host.write(pins, "".join(f"{name}=={version}\n" for name, version in versions.items()))
    argv = [*python, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--only-binary", ":all:"]
    argv += ["--report", "-", "--python-version", job.python, "--implementation", "cp", "-r", pins]
    for tag in platform_tags(job.platform, numbers(job.floor)):
        argv += ["--platform", tag]
    return host.run(argv, env=_variables(host, job), cwd="/", timeout=TIMEOUT_SECONDS)


def _offered(text: str) -> dict[str, list[Wheel]]:
    """Read pip's installation report (pip's documentation, "Installation Report", version 1)."""
    found: dict[str, list[Wheel]] = {}
    for item in json.loads(text)["install"]:
        name, where = normalise(item["metadata"]["name"]), item["download_info"]
        sha256 = where.get("archive_info", {}).get("hashes", {}).get("sha256", "")
        if not sha256:
            raise OperationError(f"the index tells no SHA-256 of {name}", hint="lock with the engine uv, which downloads such files")
        url = where["url"].partition("#")[0]
        filename = unquote(posixpath.basename(url))
        found[name] = [Wheel(package=name, url=url, filename=filename, sha256=sha256, version=item["metadata"]["version"])]
    return found
