"""Requirements with an address of their own (PEP 508, "Direct references"): archives, files and git, in pip's spellings, read into one. Pure.

An archive is locked by its hash, a repository by its commit. A file beside the list is named by its path (``./wheels/x-1.0-py3-none-any.whl``),
which stands in what is read as ``file:wheels/x-1.0-py3-none-any.whl``, relative to the declaration's folder. What has no name in it is refused
with the line that gives it one, since nothing is fetched to find a name out.

Sources: pip's documentation, "VCS Support" and "Requirement Specifiers"; the binary and source distribution formats' file names.
"""

from __future__ import annotations

import posixpath
import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from provisioner.base.names import normalise
from provisioner.base.paths import is_for_everybody
from provisioner.model.record import record

ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_SCHEMES = ("https", "http", "file")
_GIT = tuple(f"git+{scheme}" for scheme in (*_SCHEMES, "ssh"))
_NAMED = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:(\[[^\]]*\])\s*)?@\s*(\S+)\s*(;.*)?", re.DOTALL)
# A path, extras, and what stands after a #: `file:` before it, it is written as in an address.
_FILE = re.compile(r"(file:)?([^\s;\[\]#]+)(\[[^\]]*\])?(?:#(\S*))?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class AddressError(ValueError):
    """An address that cannot be locked; its message completes "`text` …"."""


@record
class Direct:
    """A direct reference: ``requirement`` is PEP 508, with no hash in its address; ``sha256`` is the one that was written ("" for none)."""

    requirement: str
    sha256: str = ""


def is_direct(text: str) -> bool:
    """True for a text that is an address, or has one after its name."""
    bare = text.strip()
    known = re.match(r"(?i)(?:git|hg|svn|bzr)\+|(?:https?|ftp|file):", bare) is not None or _NAMED.fullmatch(bare) is not None
    return known or is_file(bare)


def is_file(text: str) -> bool:
    """True for a wheel or an archive that is named by its path, with a name before it or without."""
    bare = text.strip()
    found = _NAMED.fullmatch(bare)
    path = re.split(r"[;#\[]", found[3] if found else bare, maxsplit=1)[0]
    return "://" not in path and path.strip().lower().endswith(ARCHIVES)


def read_direct(text: str, folder: str = "") -> Direct:
    """Read a direct reference; raises ``AddressError`` for what cannot be locked, with the way on.

    ``folder`` is that of the file it stands in, relative to the declaration's.
    """
    if is_file(text):
        return _read_file(text.strip(), folder)
    found = _NAMED.fullmatch(text.strip())
    bare, marker = (found[3], found[4] or "") if found else _without_marker(text.strip())
    name, extras = (found[1], found[2] or "") if found else ("", "")
    try:
        parts = urlsplit(bare)
    except ValueError as error:
        raise AddressError(f"is no address: {error}") from None
    scheme = parts.scheme.lower()
    _check(scheme, parts.netloc, bare)
    fragment = dict(parse_qsl(parts.fragment))
    egg = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?", fragment.get("egg", ""))
    if not name and egg:
        name, extras = egg[1], egg[2] or ""
    name = name or _name_of(scheme, parts.path)
    if not name:
        # A folder of a repository is seldom called as the repository is (pycocotools lies in cocoapi).
        guess, more = ("NAME", ", with the name that its own setup gives it") if fragment.get("subdirectory") else (_guess(parts.path), "")
        raise AddressError(f"says no name, and nothing is fetched to find it out; write `{guess} @ {bare}`{more}")
    folder = f"subdirectory={fragment['subdirectory']}" if fragment.get("subdirectory") else ""
    url = _joined(scheme, parts.netloc, parts.path, parts.query, folder)
    sha256 = fragment.get("sha256", "")
    if sha256 and not _SHA256.fullmatch(sha256):
        raise AddressError("has a hash that is no SHA-256 in small letters")
    return Direct(requirement=f"{name}{extras} @ {url}" + (f" {marker}" if marker else ""), sha256=sha256)


def _read_file(text: str, folder: str) -> Direct:
    named = _NAMED.fullmatch(text)
    bare, marker = (named[3], named[4] or "") if named else (text.partition(";")[0].strip(), "".join(text.partition(";")[1:]))
    found = _FILE.fullmatch(bare)
    if found is None:
        raise AddressError("is a path that cannot be read; write it as ./wheels/NAME-1.0-py3-none-any.whl, without blanks")
    path = unquote(found[2]) if found[1] else found[2]
    if not is_for_everybody(path) or "${" in path:
        raise AddressError(
            "is a file of this machine; keep it beside the list, and name it by its path from there (./wheels/…), "
            "or where everybody can get it: `NAME @ https://…`"
        )
    name, own = named[1] if named else "", _name_of("file", path)
    if name and own and path.lower().endswith(".whl") and normalise(name) != normalise(own):
        raise AddressError(f"asks for {name}, and names a wheel of {own}")
    name = name or own
    if not name:
        raise AddressError(f"says no name, and nothing is opened to find it out; write `{_guess(path)} @ file:{path}`")
    fragment = dict(parse_qsl(found[4] or ""))
    sha256 = fragment.get("sha256", "")
    if sha256 and not _SHA256.fullmatch(sha256):
        raise AddressError("has a hash that is no SHA-256 in small letters")
    extras = (named[2] or "" if named else "") or found[3] or ""
    place = quote(posixpath.normpath(posixpath.join(folder, path)))
    return Direct(requirement=f"{name}{extras} @ file:{place}" + (f" {marker}" if marker else ""), sha256=sha256)


def named_by(path: str) -> str:
    """Return the name that a file name tells, "" where it tells none."""
    return _name_of("file", path)


def path_of(url: str) -> str:
    """Return the path, relative to the declaration's folder, of a file that is named by it; "" for an address."""
    return unquote(url.removeprefix("file:")) if url.startswith("file:") and not url.startswith("file://") else ""


def _without_marker(text: str) -> tuple[str, str]:
    """Part an address from its marker: `; ` after a blank (PEP 508)."""
    found = re.fullmatch(r"(\S+)(?:\s+(;.*))?", text, re.DOTALL)
    if found is None:
        raise AddressError("is no requirement: an address holds no blanks")
    return found[1], found[2] or ""


def _check(scheme: str, netloc: str, url: str) -> None:
    """Refuse what has no hash and no commit, and addresses that hold a password."""
    if re.match(r"hg|svn|bzr", scheme):
        raise AddressError("is taken from a version control system other than git; name an archive of it, or a git mirror")
    if scheme not in {*_GIT, *_SCHEMES}:
        raise AddressError(f"is an address that cannot be locked; there are {', '.join((*_SCHEMES, *_GIT))}")
    login, at, _ = netloc.rpartition("@")
    if at and (":" in login or scheme != "git+ssh"):
        raise AddressError("holds a login, which would be written into the lock; leave it out, and let git or ~/.netrc give it")
    if scheme in _SCHEMES and not is_archive(url):
        raise AddressError(f"is no archive ({', '.join(ARCHIVES)}); for a repository write git+ before the address")


def is_archive(url: str) -> bool:
    """True for the address of a wheel or of an archive of source."""
    return urlsplit(url).path.lower().endswith(ARCHIVES)


def _name_of(scheme: str, path: str) -> str:
    """Return the name that a file name tells: of a wheel, or of a source distribution with its version."""
    if scheme in _GIT:
        return ""
    file = unquote(path.rpartition("/")[2])
    if file.lower().endswith(".whl"):
        return file.split("-")[0]
    found = re.fullmatch(
        r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)-v?[0-9][A-Za-z0-9.!+]*", re.sub(r"(?i)\.(zip|t[a-z0-9.]{1,20})$", "", file)
    )
    return found[1] if found else ""


def _joined(scheme: str, netloc: str, path: str, query: str, fragment: str) -> str:
    """Put an address together; ``urlunsplit`` would drop the slashes of git+file:///, whose scheme it does not know."""
    return f"{scheme}://{netloc}{path}{f'?{query}' if query else ''}{f'#{fragment}' if fragment else ''}"


def _guess(path: str) -> str:
    """Return the name that a person most likely means: a forge's archives lie below the repository's name."""
    folders = [part for part in re.split(r"/(?:-/)?(?:archive|tarball|zipball)(?:/|$)", path)[0].split("/") if part]
    last = re.sub(r"(?i)(?:\.git)?(?:@.*)?$", "", folders[-1] if folders else "")
    return re.sub(r"(?i)\.(?:zip|t[a-z0-9.]{1,20})$|[^A-Za-z0-9._-]", "", last) or "NAME"


def revision_of(url: str) -> str:
    """Return the branch, tag or commit that a git address asks for, "" for the newest commit of its main branch."""
    return urlsplit(url).path.rpartition("/")[2].partition("@")[2]


def with_revision(requirement: str, commit: str) -> str:
    """Return a git requirement that asks for this commit."""
    head, at, rest = requirement.partition(" @ ")
    url, blank, marker = rest.partition(" ")
    parts = urlsplit(url)
    folder, slash, last = parts.path.rpartition("/")
    path = f"{folder}{slash}{last.partition('@')[0]}@{commit}"
    return f"{head}{at}{_joined(parts.scheme, parts.netloc, path, '', parts.fragment)}{blank}{marker}"
