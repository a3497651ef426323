"""What one run of the tool works with: the machine, the cache folder, and the catalogue and messages, each opened when first asked for.

``Session`` is handed on from the command line through the stages, so that nothing is opened twice and nobody asks where the cache is.
"""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from provisioner.base.paths import joined
from provisioner.engines import uv
from provisioner.errors import CouldNotTellError, InputError
from provisioner.host import Host, Reader, user_folders
from provisioner.host.files import entry as entry_of
from provisioner.host.files import is_foreign, make_folders, real, sweep
from provisioner.model import codec
from provisioner.model.facts import Facts
from provisioner.session.trust import Trust

if TYPE_CHECKING:
    from provisioner.catalogue import Catalogue
    from provisioner.causes import Messages
    from provisioner.facts import FactStore
    from provisioner.model.cause import Order

FACTS_SCHEMA = "tfsetup/facts/1"


def cache_folder(host: Host) -> str:
    """Return the tool's own cache folder: TFSETUP_CACHE_DIR, else ``tfsetup`` in the system's ."""
    given = host.env.get("TFSETUP_CACHE_DIR")
    if given:
        return joined(host.cwd, given)
    return posixpath.join(user_folders.cache(host), "tfsetup")


class Session:
    """One run on one machine: ``host`` is the port to it; what a command does not ask for is neither imported nor read.

    ``trust`` asks for the word that is needed for what only a file names. ``patient`` asks the machine for its facts where a person is told what is
    waited for (a driver that hangs answers no question for its whole time limit); it is ``host`` where nobody is.
    """

    def __init__(self, host: Host, trust: Trust | None = None, *, patient: Reader | None = None) -> None:
        self.host = host
        self._patient = patient
        # Where nobody can be asked, nothing that only a file names is started or asked.
        self.trust = trust or Trust()

    def work_on(self, env: str) -> None:
        """Say which environment this run is about, before anything in it is looked at.

        Where the word was given in advance, what its owner's tfsetup noted in it and beside it is believed: of that one user, in this run.
        """
        entry = entry_of(self.host, real(self.host, env))
        if self.trust.given and entry is not None and entry.kind == "directory" and is_foreign(self.host, entry):
            from provisioner.host.believing import believing  # noqa: PLC0415 - environments of others are rare

            self.host = believing(self.host, entry.owner)

    @cached_property
    def cache(self) -> str:
        """The tool's own cache folder (absolute)."""
        return cache_folder(self.host)

    def folder(self, name: str, *, made: bool = False) -> str:
        """Return a part of the cache; ``made`` sees that it is there.

        Parts: ``conda`` (channels' lists), ``resolve`` (a resolver's input), ``lock``, ``wheels`` (lists of their files).
        """
        path = posixpath.join(self.cache, name)
        if made:
            make_folders(self.host, path)
        return path

    @contextlib.contextmanager
    def scratch(self, name: str) -> Iterator[str]:
        """Give a folder in that part of the cache for this run alone, readable by nobody else, and take it away afterwards."""
        import secrets  # noqa: PLC0415 - only where something is resolved

        home = self.folder(name, made=True)
        sweep(self.host, home, "run-")
        folder = posixpath.join(home, f"run-{secrets.token_hex(8)}")
        self.host.make_folder(folder, mode=0o700)
        try:
            yield folder
        finally:
            # What cannot be removed is no reason to fail: ``sweep`` takes it away.
            with contextlib.suppress(OSError):
                self.host.remove_tree(folder)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The profiles: those in the folder TFSETUP_PROFILES (relative to the working directory), else those that came with the tool."""
        from provisioner.catalogue import Catalogue, find_profiles  # noqa: PLC0415 - explaining a cause needs none

        given = self.host.env.get("TFSETUP_PROFILES")
        root = joined(self.host.cwd, given) if given else find_profiles()
        return Catalogue.open(self.host, root, cache=self.host, cache_dir=self.folder("catalogue"), causes=lambda: self.causes)

    @cached_property
    def messages(self) -> Messages:
        """The messages and words of the causes, which come with the tool (of other profiles only the catalogue is taken)."""
        from provisioner.catalogue import find_profiles  # noqa: PLC0415 - not needed to plan
        from provisioner.causes import open_messages  # noqa: PLC0415 - not needed to plan

        return open_messages(self.host, find_profiles(), cache=self.host, cache_dir=self.folder("catalogue"))

    @cached_property
    def causes(self) -> Order:
        """The order and the traits of the causes, which come with the tool as their messages do."""
        from provisioner.catalogue import find_profiles  # noqa: PLC0415 - only where something is in the way of a plan
        from provisioner.causes import open_order  # noqa: PLC0415 - as above

        return open_order(self.host, find_profiles(), cache=self.host, cache_dir=self.folder("catalogue"))

    @cached_property
    def facts_store(self) -> FactStore:
        """What was asked of slow programs before, and still holds."""
        from provisioner.facts import FactStore  # noqa: PLC0415 - not needed with --facts

        return FactStore(self.host, self.folder("facts"))

    @cached_property
    def platform(self) -> str:
        """The platform of this machine as the catalogue names it, or "" where nobody can tell."""
        from provisioner.choose.platforms import platform_of_system  # noqa: PLC0415 - not needed by every command
        from provisioner.facts import macos, system  # noqa: PLC0415 - as above

        try:
            return platform_of_system(system.probe(self.host, macos.probe(self.host)))
        except CouldNotTellError:
            return ""

    def detect(self, *, env: str, full: bool = True, python: str = "", aloof_of: str = "") -> Facts:
        """Gather the facts of this machine; ``python`` is an interpreter that a person named by its path.

        With ``aloof_of``, a folder, nothing that lies in it is started.
        """
        from provisioner.facts import gather  # noqa: PLC0415 - not needed with --facts

        host: Reader = self._patient or self.host
        if aloof_of:
            from provisioner.host.aloof import aloof  # noqa: PLC0415 - few are

            host = aloof(host, aloof_of)
        return gather(host, env=env, cache=uv.cache_folder(self.host), full=full, store=self.facts_store, python=python)

    def read_facts(self, path: str) -> Facts:
        """Read the facts that ``tfsetup detect --json`` printed; raises ``InputError`` with every fault."""
        from provisioner.facts.validate import faults  # noqa: PLC0415 - only with --facts

        facts = codec.from_data(
            Facts, codec.parse_json(self.read_input(path, by="tfsetup detect -o"), file=path), file=path, schema=FACTS_SCHEMA
        )
        if found := tuple(faults(facts)):
            raise InputError("holds what no machine can have", place=path, faults=found)
        return facts

    def read_input(self, path: str, limit: int = 1 << 26, *, by: str = "", absent: str = "") -> str:
        """Read a file that a person named; raises ``InputError`` when it cannot be read as text.

        ``by`` is the command that writes such a file, ``absent`` what to do where it is not there.
        """
        try:
            return self.host.read_bytes(joined(self.host.cwd, path), limit).decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"is not text (byte {error.start} is not UTF-8)", place=path) from None
        except OSError as error:
            hint = absent or (f"`{by} FILE` writes one" if by else "") if isinstance(error, FileNotFoundError) else ""
            raise InputError(f"cannot be read: {error.strerror}", place=path, hint=hint) from None
