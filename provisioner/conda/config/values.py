"""What the settings of conda mean: variables and ``~`` expanded, truth values read, defaults put in; and what none of them can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, get_args
from urllib.parse import quote

from provisioner.base.paths import joined
from provisioner.base.text import mask
from provisioner.conda.config.parse import Setting
from provisioner.host import Reader, files, user_folders
from provisioner.model.conda import CondaConfig, Priority

# conda's ``has_scheme`` (common/url.py).
SCHEME = r"[a-z][a-z0-9]{0,11}://"
# ``expandvars`` of Python's os.path, which conda uses.
_VARIABLE = re.compile(r"\$(\w+|\{[^}]{0,200}\})", re.ASCII)
# ``boolify`` in conda's auxlib/type_coercion.py.
_TRUE = {"true", "yes", "on", "y", "1"}
_FALSE = {"false", "no", "off", "n", "0", "non", "none", ""}
_LINE = 80
_PRIORITIES: tuple[Priority, ...] = get_args(Priority)


def absolute(reader: Reader, path: str) -> str:
    """Return a path of the configuration as conda takes it: ``~`` is the home folder, a relative one is below the working directory."""
    if path == "~" or path.startswith("~/"):
        path = (user_folders.home(reader) or "~") + path[1:]
    return joined(reader.cwd, path)


def local_channel(reader: Reader, channel: str) -> str:
    """Return a channel, one that is written as a path as its address: conda's ``is_path`` (common/path.py) and ``path_to_url``."""
    if not re.match(r"\.{1,2}(/|$)|~|/", channel):
        return channel
    return "file://" + quote(absolute(reader, channel).encode("utf-8", "surrogateescape"))


class Values:
    """Reads the values of settings on one machine; keeps what came into addresses from variables, so that it is never shown."""

    def __init__(self, reader: Reader) -> None:
        """Keep the machine that variables, folders and files are looked up on."""
        self.reader = reader
        self.secrets: dict[str, None] = {}

    def expand(self, text: str) -> str:
        """Put variables into a text; one that is not set stays as it is written."""
        used: list[str] = []

        def value(match: re.Match[str]) -> str:
            found = self.reader.env.get(match[1].strip("{}"))
            if found:
                used.append(found)
            return match[0] if found is None else found

        expanded = _VARIABLE.sub(value, text)
        # A folder's path is no secret, and is shown.
        if re.match(SCHEME, expanded) and not expanded.startswith("file://"):
            self.secrets.update(dict.fromkeys(used))
        return expanded

    def check(self, setting: Setting, faults: list[str]) -> bool:
        """Add what is wrong with a value to ``faults``; True when nothing is."""
        checks: dict[str, Callable[[str], str]] = {
            "channel_alias": lambda text: "" if re.match(SCHEME, text) else "an address with https://, http:// or file://",
            "channel_priority": lambda text: "" if _priority(text) else "strict, flexible or disabled",
            "ssl_verify": self._no_certificates,
            "offline": _no_truth,
            "register_envs": _no_truth,
            "custom_channels": lambda text: "" if re.match(SCHEME + "|/", text) else "an address, or the path of a folder",
            "mirrored_channels": lambda text: "" if re.match(SCHEME + "|/", text) else "an address, or the path of a folder",
            "pkgs_dirs": _no_path,
            "envs_dirs": _no_path,
        }
        wrong = False
        for text in _texts(setting.value):
            # What is written is shown, and not what a variable holds.
            expected = checks.get(setting.key, _nothing)(self.expand(text))
            if expected:
                faults.append(f"{setting.source}: {setting.place}: expected {expected}, found `{_short(text)}`")
                wrong = True
        return not wrong

    def _no_certificates(self, text: str) -> str:
        if text.lower() in _TRUE | _FALSE | {"truststore", "<system>"} or files.there(self.reader, absolute(self.reader, text)):
            return ""
        return "true, false, truststore or the path of a file with certificates that is there"

    def config(self, found: dict[str, Any], *, root: str, origins: dict[str, str], read: tuple[str, ...]) -> CondaConfig:
        """Return the configuration that merged settings mean."""
        envs_dirs = self._envs_dirs(found.get("envs_dirs", ()), root)
        home = user_folders.home(self.reader)
        return CondaConfig(
            root=root,
            channels=self._channels(found.get("channels", ())),
            channel_alias=self.expand(found.get("channel_alias", "")).rstrip("/"),
            default_channels=self._channels(found.get("default_channels", ())),
            custom_channels={name: self._channel(text) for name, text in found.get("custom_channels", {}).items()},
            custom_multichannels={**self._lists(found.get("custom_multichannels", {})), "local": self._built(root)},
            mirrors=self._lists(found.get("mirrored_channels", {})),
            allowlist=self._channels(found.get("allowlist_channels", ())),
            denylist=self._channels(found.get("denylist_channels", ())),
            channel_priority=_priority(found.get("channel_priority", "")) or "flexible",
            proxies={name: self.expand(text) for name, text in found.get("proxy_servers", {}).items()},
            ssl_verify=self._certificates(self.expand(found.get("ssl_verify", "true"))),
            offline=found.get("offline", "").lower() in _TRUE,
            pkgs_dirs=self._pkgs_dirs(found.get("pkgs_dirs", ()), root),
            envs_dirs=envs_dirs,
            writable_envs_dirs=tuple(path for path in envs_dirs if self._is_folder(path) and self.reader.writable(path)),
            environments=f"{home}/.conda/environments.txt" if home else "",
            register=found.get("register_envs", "true").lower() in _TRUE,
            origins=origins,
            files=read,
            secrets=tuple(self.secrets),
        )

    def _channel(self, text: str) -> str:
        return local_channel(self.reader, self.expand(text))

    def _channels(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._channel(text) for text in texts if text))

    def _lists(self, found: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {name: self._channels(texts) for name, texts in found.items()}

    def _paths(self, texts: tuple[str, ...]) -> Iterator[str]:
        return (absolute(self.reader, self.expand(text)) for text in texts if text)

    def _pkgs_dirs(self, texts: tuple[str, ...], root: str) -> tuple[str, ...]:
        """Those configured, else below the root and in the home folder (``Context.pkgs_dirs``)."""
        return tuple(dict.fromkeys(self._paths(texts or self._homes(root, "pkgs"))))

    def _envs_dirs(self, texts: tuple[str, ...], root: str) -> tuple[str, ...]:
        """Those configured, then those of every conda, of which the first is one that can be written (``mockable_context_envs_dirs``)."""
        fixed = self._homes(root, "envs")
        if root and not self.reader.writable(f"{root}/conda-meta/history"):
            fixed = fixed[::-1]
        return tuple(dict.fromkeys(self._paths((*texts, *fixed))))

    def _homes(self, root: str, name: str) -> tuple[str, ...]:
        return (f"{root}/{name}", f"~/.conda/{name}") if root and user_folders.home(self.reader) else (f"{root}/{name}",) if root else ()

    def _built(self, root: str) -> tuple[str, ...]:
        """``local``: where conda-build puts packages, of the folders that are there (``conda_build_local_paths``)."""
        paths = (f"{root}/conda-bld" if root else "", "~/conda-bld" if user_folders.home(self.reader) else "")
        return tuple(local_channel(self.reader, path) for path in dict.fromkeys(self._paths(paths)) if self._is_folder(path))

    def _is_folder(self, path: str) -> bool:
        found = files.entry(self.reader, files.real(self.reader, path))
        return found is not None and found.kind == "directory"

    def _certificates(self, text: str) -> str:
        word = text.lower()
        if word in _TRUE or word == "<system>":
            return "true"
        return "false" if word in _FALSE else word if word == "truststore" else absolute(self.reader, text)


def _short(text: str) -> str:
    shown = mask(text)
    return shown if len(shown) <= _LINE else shown[: _LINE - 3] + "..."


def _nothing(_text: str) -> str:
    return ""


def _no_truth(text: str) -> str:
    return "" if text.lower() in _TRUE | _FALSE else "true or false"


def _no_path(text: str) -> str:
    return "the path of a folder" if not text or re.match(r"~[^/]|" + SCHEME, text) else ""


def _priority(text: str) -> Priority | None:
    """``ChannelPriority`` of conda's base/constants.py: its words, or a truth value of older days."""
    word = text.lower()
    if word in _TRUE | _FALSE - {""}:
        return "flexible" if word in _TRUE else "disabled"
    return next((priority for priority in _PRIORITIES if priority == word), None)


def _texts(value: Any) -> Iterator[str]:
    """Every text of a setting's value, whatever its shape."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner, _ in value.values():
            yield from _texts(inner)
    else:
        yield from (text for text, _ in value)
