"""uv: makes virtual environments and installs locked sets by hash."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from provisioner.base.paths import joined
from provisioner.base.text import mask
from provisioner.engines.index import index_addresses, installer_environment
from provisioner.engines.wheels import major_minor
from provisioner.errors import OperationError
from provisioner.host import PRIVATE, Completed, Host, Reader, user_folders
from provisioner.model.checkout import Checkout
from provisioner.model.plan import Package
from provisioner.model.team import Index

# One set is 3 GB at most; an hour is enough for the slowest line that anybody would wait for.
INSTALL_TIMEOUT_SECONDS = 3600.0
VENV_TIMEOUT_SECONDS = 120.0
RESOLVE_TIMEOUT_SECONDS = 600.0
# What --python-platform of `uv pip compile` knows (uv 0.13).
GLIBC = ((2, 17), (2, 28), (2, 31), (2, 32), (2, 33), (2, 34), (2, 35), (2, 36), (2, 37), (2, 38), (2, 39), (2, 40))


def find_uv(reader: Reader) -> str:
    """Return the path of the uv that came with the tool, or of the one on PATH."""
    import uv  # noqa: PLC0415 - only when something is installed

    try:
        return uv.find_uv_bin()
    except FileNotFoundError:
        found = reader.which("uv")
        if found is None:
            raise OperationError("uv, the installer, is missing", hint="install tfsetup again: uv comes with it") from None
        return found


def cache_folder(reader: Reader) -> str:
    """Return uv's cache folder (uv's documentation, "Caching": UV_CACHE_DIR, then the system's cache folder)."""
    given = reader.env.get("UV_CACHE_DIR")
    if given:
        return joined(reader.cwd, given)
    return posixpath.join(user_folders.cache(reader), "uv", *(["cache"] if reader.platform == "win32" else []))


def requirements_text(packages: Iterable[Package]) -> str:
    """Return a requirements file with exactly one hash for each package."""
    return "".join(f"{_named(package)} --hash=sha256:{package.sha256}\n" for package in packages)


def _named(package: Package) -> str:
    return f"{package.name} @ {package.url}" if package.url else f"{package.name}=={package.version}"


def create_environment(host: Host, *, path: str, python: str, prompt: str) -> None:
    """Make a virtual environment at ``path`` that may be moved: its scripts find their Python by their own place."""
    argv = [find_uv(host), "venv", "--no-project", "--relocatable", "--allow-existing", "--prompt", prompt, "--python", python, path]
    _check(run_uv(host, argv, VENV_TIMEOUT_SECONDS), "the virtual environment could not be made")


def install(  # noqa: PLR0913 - each is one option of the same run of uv
    host: Host,
    *,
    python: str,
    requirements: str,
    packages: Sequence[Package],
    prefix: str = "",
    builders: str = "",
    indexes: Sequence[Index] = (),
    offline: bool = False,
    watch: Callable[[int], None] | None = None,
) -> None:
    """Install exactly the locked files, each checked against its hash; nothing else, and nothing is resolved.

    ``requirements`` is the path of the file that ``requirements_text`` gave. With ``prefix`` the files go there in the layout of the
    environment that ``python`` belongs to, with scripts that name its Python. Only the source distributions that the lock names are built,
    each in an environment of its own with the packages of ``builders``, a file like ``requirements``; these too are checked by hash.
    ``indexes`` take the place of the one that the machine is configured with.
    """
    argv = [find_uv(host), "pip", "install", "--no-deps", "--require-hashes", "--python", python, "-r", requirements]
    argv += ["--only-binary", ":all:"]
    for package in packages:
        if package.source:
            argv += ["--no-binary", package.name]
    if builders:
        argv += ["--build-constraints", builders, "--require-build-hashes"]
    if prefix:
        argv += ["--prefix", prefix]
    if offline:
        argv.append("--offline")
    if indexes:
        # No stranger's package wins a name here: each file is held by its hash.
        argv += ["--index-strategy", "unsafe-best-match"]
    done = run_uv(host, argv, INSTALL_TIMEOUT_SECONDS, watch, _addresses(host, indexes))
    _check(done, "the packages could not be installed", index=_asked(host, indexes, offline=offline))


def forget(host: Host, names: Sequence[str]) -> None:
    """Take everything of these packages out of uv's cache; raises ``OperationError`` where that cannot be."""
    done = run_uv(host, [find_uv(host), "cache", "clean", "--quiet", *names], INSTALL_TIMEOUT_SECONDS)
    _check(done, "uv's cache could not be cleaned")


def install_checkouts(
    host: Host,
    *,
    python: str,
    checkouts: Sequence[Checkout],
    builders: str,
    prefix: str = "",
    indexes: Sequence[Index] = (),
    offline: bool = False,
    watch: Callable[[int], None] | None = None,
) -> None:
    """Install commits of repositories, whose names are the hashes of what is in them, and projects from their folders; nothing is resolved.

    They are built with the packages of ``builders`` (a file, which may be empty) and nothing else, each checked by its hash: all of them are
    wheels, so nothing more is built. The other arguments are those of ``install``.
    """
    argv = [find_uv(host), "pip", "install", "--no-deps", "--python", python]
    argv += ["--build-constraints", builders, "--require-build-hashes"]
    for item in checkouts:
        argv += ["--reinstall-package", item.name]
    argv += ["--prefix", prefix] if prefix else []
    argv += ["--offline"] if offline else []
    argv += ["--index-strategy", "unsafe-best-match"] if indexes else []
    for item in checkouts:
        argv += ["--editable", item.folder] if item.editable else [item.line]
    env = {**_addresses(host, indexes), "GIT_TERMINAL_PROMPT": "0"}
    done = run_uv(host, argv, INSTALL_TIMEOUT_SECONDS, watch, env)
    _check(done, f"{', '.join(item.name for item in checkouts)} could not be installed", index=_asked(host, indexes, offline=offline))


def _check(done: Completed, what: str, index: str = "") -> None:
    if not done.ok:
        from provisioner.engines.uv_failures import checked  # noqa: PLC0415 - only where something fails

        checked(done, what, index=index)


def _asked(host: Host, indexes: Sequence[Index], *, offline: bool) -> str:
    """Name the hosts that are asked, for a person; "" where files may come from a folder."""
    if offline or "UV_OFFLINE" in host.env or "UV_FIND_LINKS" in host.env:
        return ""
    from provisioner.engines.said import hosts_of  # noqa: PLC0415 - as above

    return hosts_of([index.url for index in indexes] or list(index_addresses(host)))


def _addresses(host: Host, indexes: Sequence[Index]) -> dict[str, str]:
    """Return the variables that name indexes to uv: on a command line, others could read a password."""
    from provisioner.engines.allowed import expand  # noqa: PLC0415 - only where a lock names indexes
    from provisioner.engines.resolving import check_variables  # noqa: PLC0415 - only where a lock names indexes

    found: dict[str, str] = {}
    for index in indexes:
        check_variables(index)
        name = "UV_INDEX" if index.packages else "UV_DEFAULT_INDEX"
        found[name] = f"{found.get(name, '')} {expand(index.url, host, name=index.name)}".strip()
    return found


def platform_name(platform: str, glibc: str) -> str:
    """Return uv's ``--python-platform`` for a platform (``linux-x86_64`` with glibc ``2.27`` -> ``x86_64-manylinux_2_28``).

    uv knows few glibc versions, so the next newer one is taken; ``wheels.pick`` then checks each wheel against the exact one. For macOS it
    takes the oldest version from MACOSX_DEPLOYMENT_TARGET.
    """
    system, _, machine = platform.partition("-")
    if system != "linux":
        return f"{machine}-{'apple-darwin' if system == 'macos' else 'pc-windows-msvc'}"
    return f"{machine}-manylinux_{next_glibc(glibc).replace('.', '_')}"


def for_machine(reader: Reader, python: str, platform: str) -> list[str]:
    """Return the options to resolve for a Python (``3.12``) on a platform of uv's.

    The interpreter that is here anyway is named: otherwise uv looks for one of that version, and asks each shim of pyenv's anew, for half a second.
    Nothing of it is in the answer.
    """
    return ["--python", reader.python, "--python-version", python, "--python-platform", platform]


def next_glibc(glibc: str) -> str:
    """Return the oldest glibc that uv knows and that is no older than this one, else the newest that it knows (``2.27`` -> ``2.28``)."""
    wanted = major_minor(glibc)
    major, minor = next((known for known in GLIBC if known >= wanted), GLIBC[-1])
    return f"{major}.{minor}"


def resolve(  # noqa: PLR0913 - each is one part of the same question
    host: Host,
    *,
    requirements: str,
    constraints: str,
    folder: str,
    python: str,
    platform: str,
    offline: bool,
    without: Iterable[str] = (),
    preferred: Mapping[str, str] | None = None,
    alone: bool = False,
) -> str:
    """Resolve requirements to wheels for a Python (``3.12``) and platform, and return the pylock.toml (PEP 751).

    ``folder`` is one of the tool's own, for the input files. ``without`` names packages that are there anyway and have no wheel: whatever
    asks for them is taken as met (uv's documentation, "Dependency overrides": a marker that never holds). ``preferred`` are versions that
    are kept where they go with the rest (as those of an existing output file are). ``alone``: whatever they require is not looked at.
    Raises ``OperationError``, with cause ``resolver-conflict`` when they cannot be met together. Nothing is built and no code of a package is
    run.
    """
    given, limits = posixpath.join(folder, "requirements.in"), posixpath.join(folder, "constraints.txt")
    host.write(given, requirements, mode=PRIVATE)
    host.write(limits, constraints, mode=PRIVATE)
    overrides = posixpath.join(folder, "overrides.txt")
    host.write(overrides, "".join(f"{name}; sys_platform == 'never'\n" for name in without))
    argv = [find_uv(host), "pip", "compile", given, "--constraints", limits, "--overrides", overrides, "--quiet", "--no-header"]
    argv += [*for_machine(host, python, platform), "--only-binary", ":all:", "--no-sources", "--no-annotate"]
    argv += [*(["--offline"] if offline else []), *(["--no-deps"] if alone else [])]
    if preferred is not None:
        kept = posixpath.join(folder, "preferred.txt")
        host.write(kept, "".join(f"{name}=={version}\n" for name, version in sorted(preferred.items())), mode=PRIVATE)
        _resolved(host, run_uv(host, [*argv, "--output-file", kept], RESOLVE_TIMEOUT_SECONDS), offline=offline)
        # The files of that answer are asked for in a second run: this form of uv's output tells no addresses.
        host.write(limits, f"{constraints}{host.read_text(kept, 1 << 24)}", mode=PRIVATE)
    return _resolved(host, run_uv(host, [*argv, "--format", "pylock.toml"], RESOLVE_TIMEOUT_SECONDS), offline=offline).out


def _resolved(host: Host, done: Completed, *, offline: bool) -> Completed:
    """Return a run that found an answer; raises ``OperationError`` for any other."""
    # Where the network is forbidden, uv takes what is not in its cache for something that there is not.
    if "No solution found" in done.err and "network was disabled" not in done.err:
        raise OperationError(
            "the packages asked for cannot be installed beside this TensorFlow",
            place="--with",
            hint=" ".join(mask(done.err).split()),
            cause="resolver-conflict",
        )
    _check(done, "the packages asked for could not be resolved", index=_asked(host, (), offline=offline))
    return done


def run_uv(
    host: Reader,
    argv: Sequence[str],
    timeout: float,
    watch: Callable[[int], None] | None = None,
    extra: Mapping[str, str] | None = None,
    *,
    pythons: bool = False,
) -> Completed:
    """Run uv, with ``extra`` variables; once more with the system's certificates when its own do not know who signed the index's.

    ``pythons`` is true where it is about Pythons that uv fetches: then its settings for these count.

    uv trusts the certificates that it brings, so that it works where a system has none; behind an organisation's proxy only the system's
    do. The working folder is the root, where no project's settings are found.
    """
    env = {**installer_environment(host, pythons=pythons), **_credentials(host), **(extra or {})}
    done = host.run(argv, env=env, cwd="/", timeout=timeout, watch=watch)
    if done.ok or not re.search("UnknownIssuer|invalid peer certificate", done.err):
        return done
    return host.run(argv, env={**env, "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}, cwd="/", timeout=timeout, watch=watch)


def _credentials(reader: Reader) -> dict[str, str]:
    """Keep uv from making its folder of credentials in the home folder, which it does as soon as an index wants any.

    Where a person has one (`uv auth login`), or names one, it is used (uv's documentation, "The uv auth CLI": UV_CREDENTIALS_DIR).
    """
    windows = reader.platform == "win32"
    if windows or "UV_CREDENTIALS_DIR" in reader.env or reader.exists(posixpath.join(user_folders.data(reader), "uv", "credentials")):
        return {}
    return {"UV_CREDENTIALS_DIR": posixpath.join(cache_folder(reader), "tfsetup-credentials")}
