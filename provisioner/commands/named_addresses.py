"""The addresses that the files which a command reads name: indexes, channels, archives and repositories, held against this person's own settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from provisioner.base.text import mask
from provisioner.declared.direct import is_archive
from provisioner.engines import allowed
from provisioner.engines.index import index_addresses
from provisioner.errors import InputError
from provisioner.model.named import Named
from provisioner.model.team import Index
from provisioner.session import Session


def of_indexes(session: Session, indexes: Iterable[Index], file: str) -> Iterator[Named]:
    """Yield the package indexes that a file names; raises ``UsageError`` for a variable in one that may not go there."""
    for number, index in enumerate(indexes):
        where = f"{file}: indexes[{number}].url"
        allowed.check_address(index.url, session.host, place=where, name=index.name)
        yield _address(session, "the index", index.url, where)


def of_channels(session: Session, places: Iterable[tuple[str, str]]) -> Iterator[Named]:
    """Yield the conda channels that a file names, each with its place; names are looked up in conda's own configuration, so they are usual."""
    for where, channel in places:
        allowed.check_address(channel, session.host, place=where)
        if "://" in channel:
            yield _address(session, "the channel", channel, where)
        else:
            yield Named(kind="address", what=f"the channel {channel}", where=where)


def of_addresses(session: Session, places: Mapping[str, str], file: str) -> Iterator[Named]:
    """Yield the archives, repositories and pages of links that lists name, each with its place (``file`` where it has none)."""
    for url, place in places.items():
        what = "the repository" if url.startswith("git+") else "the archive" if is_archive(url) else "the page of links"
        # A revision after the path would be taken for a login by what hides them.
        folder, slash, last = url.removeprefix("git+").partition("#")[0].rpartition("/")
        yield _address(session, what, f"{folder}{slash}{last.partition('@')[0] if url.startswith('git+') else last}", place or file)


def _address(session: Session, what: str, url: str, where: str) -> Named:
    shown = f"{what} {mask(url)}"
    variables = allowed.variables_of(url)
    if url.startswith("file:///") or _is_own_host(session, allowed.host_of(url)):
        return Named(kind="address", what=shown, where=where)
    host = allowed.host_of(url)
    why = f"no setting of yours names {host}" if host else "it is an address that could be read in several ways"
    why += f", and it is sent {' and '.join(variables)}" if variables else ""
    instead = f"write `hosts: [{host}]` into {allowed.config_file(session.host)}" if host else ""
    return Named(kind="address", what=shown, where=where, unusual=why, instead=instead)


def _is_own_host(session: Session, host: str) -> bool:
    """True for a host that this person's own settings name: tfsetup's, pip's, uv's, conda's."""
    if not host:
        return False
    own = allowed.read_allowed(session.host)
    if host in own.hosts or host in own.credentials:
        return True
    from provisioner.conda.config.read import configured_addresses  # noqa: PLC0415 - only where a file names addresses

    try:
        conda = configured_addresses(session.host)
    except InputError:
        # Told where the configuration is used.
        conda = ()
    return host in {allowed.host_of(url) for url in (*index_addresses(session.host), *conda)}
