"""uv as the resolver of a team's lock: any target from any machine, up to an upload date, each package from its one index."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from provisioner.engines import built_in, caps, uv
from provisioner.engines.allowed import expand
from provisioner.engines.resolving import (
    PROJECT,
    Job,
    NoSolutionError,
    Resolved,
    canonical,
    check_variables,
    credentials,
    plain,
    read_annotations,
)
from provisioner.engines.uv_failures import checked
from provisioner.engines.wheels import Wheel, major_minor, read_pylock
from provisioner.errors import OperationError
from provisioner.host import PRIVATE, Completed, Host
from provisioner.model.record import record
from provisioner.model.team import Index

# Packages that another index answered for are asked for by name in the next round; the chains of such packages are short.
ROUNDS = 6
_UNDATED = re.compile(r"warning: `([^`]+?)-[0-9][^`]*` is missing an upload date")


@record
class _Round:
    """What changes from round to round: packages that are asked for by name, because of their index; packages without a cut-off."""

    direct: frozenset[str] = frozenset()
    undated: frozenset[str] = frozenset()


def compile_job(host: Host, job: Job, *, origins: bool = True, watch: Callable[[int], None] | None = None) -> Resolved:
    """Resolve one target with uv; without ``origins`` it is not asked what came from where, which takes half of the time.

    ``watch`` is called while uv runs; what it raises ends uv.

    Raises ``NoSolutionError`` when its requirements cannot be met, ``OperationError`` for all else. No code of a package is run.

    uv takes a package from a named index only where it is asked for directly (uv's documentation, "Pinning a package to an index"), so what
    another index answered for is asked for in a second round.
    """
    return caps.within(lambda asked: _for_platforms(host, asked, origins=origins, watch=watch), host, job)


def _for_platforms(host: Host, job: Job, *, origins: bool, watch: Callable[[int], None] | None) -> Resolved:
    first, *others = _platforms(job)
    try:
        return _compile(host, job, first, origins=origins, watch=watch)
    except NoSolutionError:
        if not others:
            raise
        return _compile(host, job, others[0], origins=origins, watch=watch)


def _compile(host: Host, job: Job, platform: str, *, origins: bool, watch: Callable[[int], None] | None) -> Resolved:
    home = _home(job.indexes)
    run = partial(_run, host, job, platform, watch=watch)
    state = _Round()
    for _ in range(ROUNDS):
        done = run(state, ["--format", "pylock.toml", "--no-annotate"])
        following = _after_failure(job, state, home, done)
        if following is None:
            checked(done, f"the packages of {job.name} could not be resolved")
            if not origins and not home:
                return Resolved(offered=read_pylock(done.out, sources=job.sources), via={})
            versions, via, indexes = read_annotations(_notes(host, job, state, done.out, run))
            following = _astray(state, home, indexes)
            if following is None:
                return _answer(job, state, done.out, versions, via, indexes)
        state = following
    raise OperationError(f"the packages of {job.name} could not be brought to one index each", place=job.name)


def _answer(
    job: Job, state: _Round, pylock: str, versions: dict[str, str], via: dict[str, tuple[str, ...]], indexes: dict[str, str]
) -> Resolved:
    offered = read_pylock(pylock, sources=job.sources)
    for name, files in offered.items():
        if name not in versions or (versions[name] != files[0].version and not files[0].direct):
            raise OperationError(f"the index changed while {job.name} was resolved ({name})", hint="run the same command again")
    linked = {name: _linked(job, files, indexes.get(name, "")) for name, files in offered.items()}
    pages = {name for name, files in linked.items() if files != offered[name] and all(file.direct for file in files)}
    return Resolved(offered=linked, via=via, undated=tuple(sorted(state.undated | pages)))


def _linked(job: Job, files: list[Wheel], index: str) -> list[Wheel]:
    """Mark the files of a page of links as such that no index serves: uv says where the one comes from that it takes, and dates of indexes alone."""
    pages = {link.rstrip("/") for link in job.links if "://" in link}
    if not pages or not (index.rstrip("/") in pages or any(file.uploaded for file in files)):
        return files
    return [replace(file, direct=file.direct or (not file.uploaded and file.url.startswith("http"))) for file in files]


def _home(indexes: tuple[Index, ...]) -> dict[str, Index]:
    return {name: index for index in indexes for name in index.packages}


def _after_failure(job: Job, state: _Round, home: dict[str, Index], done: Completed) -> _Round | None:
    """Return the next round after one that failed for want of an index or of dates; None when there is nothing to change.

    Raises ``NoSolutionError`` where the failure is the requirements' own.
    """
    # uv passes over an index that refuses it or may not be asked, as if its packages were not there.
    if "No solution found" not in done.err or re.search(
        r"401 Unauthorized|403 Forbidden|network was disabled|Failed to (?:download and )?build `", done.err
    ):
        return None
    known = {normal for normal in home if normal not in state.direct and re.search(rf"\b{re.escape(normal)}\b", done.err)}
    if known:
        return _Round(direct=state.direct | known, undated=state.undated)
    undated = {canonical(found) for found in _UNDATED.findall(done.err)} - state.undated
    if undated and not job.offline:
        return _Round(direct=state.direct, undated=state.undated | undated)
    raise NoSolutionError(job, _said(done.err))


def _said(text: str) -> str:
    """Return uv's explanation without its warnings and its heading, after which older releases draw an arrow."""
    lines = [line for line in text.replace(f"{PROJECT} depends on", "you require").splitlines() if not line.startswith("warning:")]
    return re.split(r"cause:|\u2570\u2500\u25b6", "\n".join(lines), maxsplit=1)[-1].strip()


def _astray(state: _Round, home: dict[str, Index], origins: dict[str, str]) -> _Round | None:
    """Return the next round where packages came from another index than their own."""
    wrong = {name for name, index in home.items() if name in origins and plain(origins[name]).rstrip("/") != plain(index.url).rstrip("/")}
    return _Round(direct=state.direct | wrong, undated=state.undated) if wrong - state.direct else None


def _project(job: Job, state: _Round) -> str:
    """Return the pyproject.toml that asks uv; JSON's texts are TOML's, too."""
    asked = [*job.requirements, *sorted(state.direct)]
    lines = ["[project]", f'name = "{PROJECT}"', 'version = "0"', f"dependencies = {json.dumps(asked)}", "[tool.uv]"]
    lines += built_in.table(job.built_in) if job.built_in else []
    named = [index for index in job.indexes if index.packages]
    for number, index in enumerate(named):
        lines += ["[[tool.uv.index]]", f'name = "{_index_name(number)}"', f"url = {json.dumps(plain(index.url))}", "explicit = true"]
    direct = {canonical(re.split(r"[^A-Za-z0-9._-]", text.strip(), maxsplit=1)[0]) for text in asked}
    sources = [(name, number) for number, index in enumerate(named) for name in index.packages if name in direct]
    if sources:
        lines += ["[tool.uv.sources]", *(f'"{name}" = {{ index = "{_index_name(number)}" }}' for name, number in sorted(sources))]
    known = {canonical(item.name) for item in job.metadata if item.version}
    guessed = {canonical(item.name) for item in job.metadata if not item.version}
    addressed = {canonical(re.split(r"[^A-Za-z0-9._-]", text.strip(), maxsplit=1)[0]) for text in asked if " @ " in text}
    for name in job.sources:
        if name in addressed:
            # For an address uv takes only what names a version, and then whatever that is.
            lines += [] if name in known else ["[[tool.uv.dependency-metadata]]", f'name = "{name}"', 'version = "0"', "requires-dist = []"]
            continue
        # What a source distribution needs is in the set, or not known; said here, or its code would be run to find out.
        lines += [] if canonical(name) in guessed else ["[[tool.uv.dependency-metadata]]", f'name = "{name}"', "requires-dist = []"]
    for item in job.metadata:
        lines += ["[[tool.uv.dependency-metadata]]", f"name = {json.dumps(item.name)}"]
        lines += [f"version = {json.dumps(item.version)}"] if item.version else []
        lines += [f"requires-dist = {json.dumps(item.requires)}", f"provides-extra = {json.dumps(item.extras)}"]
        lines += [f"requires-python = {json.dumps(item.requires_python)}"] if item.requires_python else []
    return "\n".join(lines) + "\n"


def _index_name(number: int) -> str:
    return f"team{number}"


def _variables(host: Host, job: Job) -> dict[str, str]:
    """Return the variables that carry addresses and passwords: on a command line or in a file, others could read them."""
    found: dict[str, str] = {}
    named = [index for index in job.indexes if index.packages]
    for index in job.indexes:
        check_variables(index)
    for number, index in enumerate(named):
        _, user, password = credentials(expand(index.url, host, name=index.name))
        if user:
            found[f"UV_INDEX_{_index_name(number).upper()}_USERNAME"] = user
        if password:
            found[f"UV_INDEX_{_index_name(number).upper()}_PASSWORD"] = password
    default = next((index for index in job.indexes if not index.packages), None)
    if default is not None:
        found["UV_DEFAULT_INDEX"] = expand(default.url, host, name=default.name)
    if job.platform.startswith("macos"):
        # uv resolves for this macOS; without it for a newer one than old machines have.
        found["MACOSX_DEPLOYMENT_TARGET"] = job.floor
    return found


def _platforms(job: Job) -> tuple[str, ...]:
    """Return uv's names of the platform, the one to ask for first.

    uv knows few versions of glibc. With the newest that is no newer than the target's, all that is found fits; where that has no solution, a
    wheel for one between (glibc 2.27, as TensorFlow 2.21 has) may be needed: it is among those for the next newer, and of these
    ``wheels.pick`` refuses what does not fit.
    """
    newer = uv.platform_name(job.platform, job.floor)
    if not job.platform.startswith("linux"):
        return (newer,)
    major, minor = max((known for known in uv.GLIBC if known <= major_minor(job.floor)), default=uv.GLIBC[0])
    return tuple(dict.fromkeys((uv.platform_name(job.platform, f"{major}.{minor}"), newer)))


def _run(
    host: Host,
    job: Job,
    platform: str,
    state: _Round,
    form: list[str],
    *,
    offline: bool = False,
    watch: Callable[[int], None] | None = None,
) -> Completed:
    """Run `uv pip compile`; every option that could change an answer is given, so that no one's settings do."""
    project, limits = posixpath.join(job.folder, "pyproject.toml"), posixpath.join(job.folder, "constraints.txt")
    host.write(project, _project(job, state), mode=PRIVATE)
    if job.constraints:
        host.write(limits, "".join(f"{text}\n" for text in job.constraints), mode=PRIVATE)
    nowhere = posixpath.join(job.folder, "overrides.txt")
    if job.absent:
        host.write(nowhere, "".join(f"{name}; python_version < '0'\n" for name in job.absent), mode=PRIVATE)
    # uv takes the metadata of source distributions from the project that it runs for, not from the file that it compiles.
    argv = [uv.find_uv(host), "pip", "compile", project, "--project", job.folder, *form]
    argv += ["--constraints", limits] if job.constraints else []
    argv += ["--override", nowhere] if job.absent else []
    argv += _kept(host, job, form)
    argv += ["--python", job.interpreter] if job.interpreter else uv.for_machine(host, job.python, platform)
    argv += _links(host, job)
    argv.append("--no-header")
    argv += ["--only-binary", ":all:", *(part for name in job.sources for part in ("--no-binary", name))]
    argv += ["--resolution", "highest", "--index-strategy", "first-index"]
    argv += ["--no-python-downloads", "--exclude-newer", job.cutoff]
    dates = {**job.cutoffs, **dict.fromkeys((*state.undated, *job.exempt), "")}
    for name, date in sorted(dates.items()):
        argv += ["--exclude-newer-package", f"{name}={date or 'false'}"]
    if offline or job.offline:
        argv.append("--offline")
    elif job.alone:
        argv.append("--refresh")
    argv += ["--no-deps"] if job.alone else []
    return uv.run_uv(host, argv, uv.RESOLVE_TIMEOUT_SECONDS, watch, extra=_variables(host, job))


def _links(host: Host, job: Job) -> list[str]:
    """Return the options for the job's folders; beside them those of this person's own variable hold no more, unless they are named, too."""
    own = [item for item in host.env.get("UV_FIND_LINKS", "").split(",") if item]
    return [part for link in (*job.links, *own) for part in ("--find-links", link)] if job.links else []


def _kept(host: Host, job: Job, form: list[str]) -> list[str]:
    """Write the preferred pins where uv looks for those of an earlier run, the file that it writes to, and return the option for it."""
    if not job.preferred:
        return []
    pylock = "pylock.toml" in form
    path = posixpath.join(job.folder, "pylock.kept.toml" if pylock else "kept.txt")
    pins = [text.partition("==") for text in job.preferred]
    packages = "".join(f'[[packages]]\nname = "{name}"\nversion = "{version}"\n' for name, _, version in pins)
    text = f'lock-version = "1.0"\ncreated-by = "tfsetup"\n{packages}' if pylock else "".join(f"{text}\n" for text in job.preferred)
    host.write(path, text, mode=PRIVATE)
    return ["--output-file", path]


def _notes(host: Host, job: Job, state: _Round, pylock: str, run: Callable[..., Completed]) -> str:
    """Return the same answer as a requirements file, which says what came from where.

    uv's pylock.toml does not say it. The second run asks nobody: all it needs is in uv's cache since the first. Its text is kept by what it
    was made from, so that it is run once for each answer.
    """
    key = hashlib.sha256(
        "\0".join([pylock, _project(job, state), *job.constraints, *job.absent, job.python, job.platform, job.floor]).encode()
    ).hexdigest()
    kept = posixpath.join(job.cache, f"notes-{key}.txt") if job.cache else ""
    if kept and host.exists(kept):
        return host.read_text(kept, 1 << 24)
    # Told to be quiet, uv prints nothing of what it writes to a file.
    form = ["--annotate", "--annotation-style", "split", "--emit-index-annotation", *([] if job.preferred else ["--quiet"])]
    done = run(state, form, offline=True)
    if not done.ok:
        done = run(state, form)
    checked(done, f"the packages of {job.name} could not be resolved")
    if kept:
        host.write(kept, done.out, mode=PRIVATE)
    return done.out
