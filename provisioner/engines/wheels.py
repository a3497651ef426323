"""Which wheel of those that an index offers an installer takes: pylock.toml as uv writes it, and PEP 425's tags in their order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from provisioner.base.toml_text import parse_toml
from provisioner.errors import InputError, OperationError
from provisioner.model.record import record

if TYPE_CHECKING:
    from packaging.tags import Tag

# https://peps.python.org/pep-0600/#legacy-manylinux-tags
LEGACY = {(2, 5): "manylinux1", (2, 12): "manylinux2010", (2, 17): "manylinux2014"}


@record
class Wheel:
    """One wheel that the resolver offers for a package, or its source distribution; or a commit of a repository.

    What is ``direct`` no index offers: an archive, the folder ``url``, or with a ``commit`` the repository at ``url`` (both without a hash), with the
    ``folder`` in it and the revision that was ``asked`` for. ``url`` may be a path, ``size`` is in bytes, 0 where the index does not tell;
    ``uploaded`` is ISO, UTC, "" where it does not tell.
    """

    package: str
    url: str
    filename: str
    sha256: str
    size: int = 0
    version: str = ""
    uploaded: str = ""
    direct: bool = False
    commit: str = ""
    folder: str = ""
    asked: str = ""

    @property
    def identity(self) -> str:
        """What it is known by: its SHA-256, its commit, or its folder."""
        return self.sha256 or self.commit or self.url


def read_pylock(text: str, *, sources: Collection[str] = ()) -> dict[str, list[Wheel]]:
    """Return the wheels of each package out of a pylock.toml (PEP 751), and for those named in ``sources`` the source distribution.

    Raises ``OperationError`` for a package without what is asked for.
    """
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - start-up

    try:
        packages = parse_toml(text, file="", name="pylock.toml").get("packages", [])
        return _wheels(packages, sources, canonicalize_name)
    except InputError as error:
        raise OperationError(f"the resolver's answer is no pylock.toml: {'; '.join(error.faults)}") from None
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise OperationError(f"the resolver's answer is no pylock.toml: {type(error).__name__}: {error}") from None


def _wheels(packages: Any, sources: Collection[str], canonicalize_name: Callable[[str], str]) -> dict[str, list[Wheel]]:
    found: dict[str, list[Wheel]] = {}
    for package in packages:
        name = canonicalize_name(package["name"])
        if {"vcs", "archive", "directory"} & set(package):
            found[name] = [_direct(name, str(package.get("version", "")), package)]
            continue
        files = [package["sdist"]] if name in sources and "sdist" in package else [] if name in sources else package.get("wheels")
        if name in found or not files:
            what = "its source distribution" if name in sources else "wheels"
            raise OperationError(f"{name}: expected one version with {what}", cause="resolver-conflict")
        found[name] = [_wheel(name, str(package.get("version", "")), item) for item in files]
    return found


def _direct(name: str, version: str, package: dict[str, Any]) -> Wheel:
    """Return what has an address of its own (PEP 751, ``packages.vcs``, ``.archive`` and ``.directory``)."""
    if "archive" in package:
        archive = _wheel(name, version, package["archive"])
        return replace(archive, direct=True, folder=package["archive"].get("subdirectory", ""))
    if "directory" in package:
        return Wheel(package=name, url=package["directory"]["path"], filename="", sha256="", version=version, direct=True)
    vcs = package["vcs"]
    return Wheel(
        package=name,
        url=vcs["url"],
        filename="",
        sha256="",
        version=version,
        direct=True,
        commit=vcs["commit-id"],
        folder=vcs.get("subdirectory", ""),
        asked=vcs.get("requested-revision", ""),
    )


def _wheel(package: str, version: str, item: dict[str, Any]) -> Wheel:
    where = item.get("url") or item.get("path", "")
    uploaded = item.get("upload-time")
    if "sha256" not in item.get("hashes", {}):
        raise OperationError(f"the index tells no SHA-256 of {package}", hint="use an index that does: nothing is installed without it")
    return Wheel(
        package=package,
        url=where,
        filename=item.get("name") or unquote(where.rpartition("/")[2]),
        sha256=item["hashes"]["sha256"],
        size=item.get("size", 0),
        version=version,
        uploaded=uploaded.strftime("%Y-%m-%dT%H:%M:%SZ") if uploaded else "",
    )


def major_minor(text: str) -> tuple[int, int]:
    """Return ``2.28`` as ``(2, 28)``."""
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def supported_tags(python: str, platform: str, floor: tuple[int, int]) -> list[Tag]:
    """Return the wheel tags of a CPython on a platform (``linux-x86_64``), best first, as installers order them.

    ``floor`` is the machine's glibc or its macOS; Windows has none.
    """
    from packaging.tags import compatible_tags, cpython_tags  # noqa: PLC0415 - start-up

    platforms = _platform_tags(platform, floor)
    version = major_minor(python)
    interpreter = f"cp{version[0]}{version[1]}"
    # Up to 3.7 the ABI says that memory is managed by pymalloc (PEP 3149), as it is in every build that people have.
    abi = interpreter if version >= (3, 8) else f"{interpreter}m"
    return [
        *cpython_tags(version, abis=[abi], platforms=platforms),
        *compatible_tags(version, interpreter=interpreter, platforms=platforms),
    ]


def _platform_tags(platform: str, floor: tuple[int, int]) -> list[str]:
    """Return the platform tags of a machine, best first.

    Sources: PEP 600 (glibc), PEP 425 and ``packaging.tags`` (macOS); Windows on x86-64 has the one tag.
    """
    system, _, machine = platform.partition("-")
    if system == "windows":
        return ["win_amd64"]
    if system == "macos":
        from packaging.tags import mac_platforms  # noqa: PLC0415 - start-up

        return list(mac_platforms(floor, "arm64" if machine == "aarch64" else machine))
    tags: list[str] = []
    for minor in range(floor[1], 4, -1):
        tags.append(f"manylinux_{floor[0]}_{minor}_{machine}")
        if (floor[0], minor) in LEGACY:
            tags.append(f"{LEGACY[floor[0], minor]}_{machine}")
    return [*tags, f"linux_{machine}"]


def pick(wheels: Sequence[Wheel], tags: Sequence[Tag], own: Collection[str] = ()) -> Wheel:
    """Return the wheel with the best tag; of equal ones the highest build number, then one of those whose SHA-256 is among the ``own``.

    Raises ``OperationError`` where none fits.
    """
    from packaging.utils import parse_wheel_filename  # noqa: PLC0415 - start-up

    order = {tag: number for number, tag in enumerate(tags)}

    def rank(wheel: Wheel) -> tuple[int, tuple[int, str], bool, str]:
        _, _, build, names = parse_wheel_filename(wheel.filename)
        best = min((order[tag] for tag in names if tag in order), default=len(order))
        number, text = build or (0, "")
        return best, (-number, text), wheel.sha256 not in own, wheel.filename

    best = min(wheels, key=rank)
    if rank(best)[0] == len(order):
        names = ", ".join(wheel.filename for wheel in wheels)
        raise OperationError(f"no wheel fits the machine: {names}", cause="platform-unsupported")
    return best
