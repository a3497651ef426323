"""Which file glibc's loader would take for a library's name, found by reading files only, in the order of ld.so(8).

1. the folders of DT_RPATH of the file that asks and of those that loaded it, then the program's, unless the one that asks has DT_RUNPATH;
2. LD_LIBRARY_PATH; 3. DT_RUNPATH of the file that asks; 4. ``/etc/ld.so.cache``; 5. the loader's own folders.

A file of another architecture is passed over; one that is no ELF file ends the search, as it does there. ``glibc-hwcaps`` folders are not
looked into: no library of CUDA is in one.
"""

from __future__ import annotations

import posixpath

from provisioner.facts import ldcache
from provisioner.facts.elf_links import Links, read_links
from provisioner.host import Reader, files
from provisioner.model.record import record

# Debian's multiarch folders and those of all others.
FOLDERS = {
    "x86_64": ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"),
    "aarch64": ("/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"),
}
MAX_LIBRARIES = 400


@record
class Taken:
    """The answer for one name: ``path`` as the loader forms it ("" when it finds none); ``by`` names what led there, ``fault`` what stopped it."""

    name: str
    path: str
    by: str
    fault: str = ""


@record
class Opened:
    """A library with all it needs: ``missing`` is the first name that was not found (itself or one of its own), ``needed_by`` who asked."""

    taken: Taken
    missing: str = ""
    needed_by: str = ""
    fault: str = ""


class Loader:
    """One process's loader: ``program`` is its executable, ``library_path`` the text of LD_LIBRARY_PATH, ``cwd`` where it is started."""

    def __init__(self, reader: Reader, *, program: str, library_path: str, cwd: str) -> None:
        self.reader = reader
        self.program = files.real(reader, program)
        self.library_path = tuple(folder or cwd for folder in library_path.replace(";", ":").split(":")) if library_path else ()
        self._links: dict[str, Links | str] = {}
        self._cache: dict[str, list[str]] | None = None

    def links(self, path: str) -> Links | None:
        """What is written in a file; None when it is no ELF file or cannot be read."""
        read = self._read(path)
        return read if isinstance(read, Links) else None

    def find(self, name: str, chain: tuple[str, ...]) -> Taken:
        """Look a name up for ``chain[-1]``, which ``chain[-2]`` has loaded, and so on."""
        architecture = self._architecture(chain)
        if "/" in name:
            return Taken(name=name, path=name if files.there(self.reader, name) else "", by="path")
        for folder, by in self._folders(chain, architecture):
            found = self._try(name, posixpath.normpath(f"{folder}/{name}") if "//" in folder else f"{folder}/{name}", by, architecture)
            if found is not None:
                return found
        return Taken(name=name, path="", by="")

    def open(self, name: str, chain: tuple[str, ...], loaded: dict[str, str]) -> Opened:
        """Look a name up with all that it needs; ``loaded`` maps names to files that the process has, and is added to."""
        if name in loaded:
            return Opened(taken=Taken(name=name, path=loaded[name], by="loaded before"))
        first = self.find(name, chain)
        waiting = [(first, chain)]
        while waiting and len(loaded) < MAX_LIBRARIES:
            taken, above = waiting.pop(0)
            if not taken.path or taken.fault:
                return Opened(taken=first, missing=taken.name, needed_by=above[-1], fault=taken.fault)
            links = self.links(taken.path)
            loaded[taken.name] = taken.path
            if links is None:
                continue
            loaded.setdefault(links.soname, taken.path)
            line = (*above, taken.path)
            waiting += [(self.find(needed, line), line) for needed in links.needed if needed not in loaded]
        return Opened(taken=first)

    def _read(self, path: str) -> Links | str:
        if path not in self._links:
            try:
                self._links[path] = read_links(self.reader, path)
            except files.FAULTS as error:
                self._links[path] = files.reason(error)
        return self._links[path]

    def _architecture(self, chain: tuple[str, ...]) -> str:
        links = next((found for path in reversed(chain) if (found := self.links(path)) is not None), None)
        return links.header.architecture if links is not None else ""

    def _folders(self, chain: tuple[str, ...], architecture: str) -> list[tuple[str, str]]:
        asking = self.links(chain[-1])
        found: list[tuple[str, str]] = []
        if asking is None or asking.runpath is None:
            for path in dict.fromkeys((*reversed(chain), self.program)):
                links = self.links(path)
                if links is not None and links.runpath is None:
                    found += [(_expanded(folder, path), f"RPATH of {path}") for folder in links.rpath]
        found += [(folder, "LD_LIBRARY_PATH") for folder in self.library_path]
        if asking is not None:
            found += [(_expanded(folder, chain[-1]), "RUNPATH") for folder in asking.runpath or ()]
        found.append(("", "ld.so.cache"))
        return found + [(folder, folder) for folder in FOLDERS.get(architecture, ("/lib64", "/usr/lib64", "/lib", "/usr/lib"))]

    def _try(self, name: str, path: str, by: str, architecture: str) -> Taken | None:
        paths = self._cached(name) if by == "ld.so.cache" else [path]
        for candidate in paths:
            if not files.there(self.reader, candidate):
                continue
            read = self._read(candidate)
            if isinstance(read, str):
                # A dangling link is as good as nothing; anything else ends the search.
                if files.there(self.reader, files.real(self.reader, candidate)):
                    return Taken(name=name, path=candidate, by=by, fault=read)
            elif not architecture or read.header.architecture == architecture:
                return Taken(name=name, path=candidate, by=by)
        return None

    def _cached(self, name: str) -> list[str]:
        if self._cache is None:
            self._cache = {}
            for key, path in ldcache.find(self.reader, ""):
                self._cache.setdefault(key, []).append(path)
        return self._cache.get(name, [])


def _expanded(folder: str, path: str) -> str:
    """A folder of DT_RUNPATH with ``$ORIGIN``: where the file was found, its links not followed (ld.so(8), "Dynamic string tokens")."""
    origin = posixpath.dirname(path)
    return posixpath.normpath(folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin))
