"""Where this user keeps what programs keep for them: the home folder, and the folders of caches, data and settings.

Sources: the XDG base directories (elsewhere than on Windows, macOS too, as uv and rattler do it), Microsoft's "Recommended folders" for Windows.
"""

from __future__ import annotations

import posixpath

from provisioner.base.paths import is_absolute, listed, parent
from provisioner.host import Reader


def home(reader: Reader) -> str:
    """The user's home folder as the environment names it; empty when it does not."""
    return reader.env.get("USERPROFILE" if reader.platform == "win32" else "HOME", "")


def cache(reader: Reader) -> str:
    """The folder of caches: XDG_CACHE_HOME or ``~/.cache``; on Windows LOCALAPPDATA."""
    return _folder(reader, "XDG_CACHE_HOME", ".cache", "LOCALAPPDATA", "AppData/Local")


def data(reader: Reader) -> str:
    """The folder of data: XDG_DATA_HOME or ``~/.local/share``; on Windows APPDATA."""
    return _folder(reader, "XDG_DATA_HOME", ".local/share", "APPDATA", "AppData/Roaming")


def config(reader: Reader) -> str:
    """The folder of settings: XDG_CONFIG_HOME or ``~/.config``; on Windows APPDATA."""
    return _folder(reader, "XDG_CONFIG_HOME", ".config", "APPDATA", "AppData/Roaming")


def _folder(reader: Reader, variable: str, inside: str, on_windows: str, inside_on_windows: str) -> str:
    """Return the folder that a variable names, else the one ``inside`` home; without a home it lies at the root."""
    windows = reader.platform == "win32"
    named = reader.env.get(on_windows if windows else variable, "")
    # A relative one is to be ignored (XDG base directories); it would mean the working folder.
    if is_absolute(named):
        return named
    return posixpath.join(home(reader) or _root(reader), inside_on_windows if windows else inside)


def _root(reader: Reader) -> str:
    folder = reader.cwd
    while (above := parent(folder)) != folder:
        folder = above
    return folder


def search_path(reader: Reader) -> tuple[str, ...]:
    """The absolute folders of PATH, in its order; an empty or relative one means the working folder, which may be anybody's."""
    return tuple(part for part in listed(reader.env.get("PATH", ""), reader.platform) if is_absolute(part))
