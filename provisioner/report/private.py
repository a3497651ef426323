"""Takes what is private out of a text that a person will publish: the same thing is always replaced by the same words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from provisioner.base.secrets import KEYS, MASK, mask
from provisioner.facts.variables import SECRET
from provisioner.host import Reader, files

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# A name shorter than this, or one of these, is part of too many other words and says nothing.
SHORTEST = 3
ORDINARY = frozenset(
    {"root", "user", "admin", "ubuntu", "debian", "localhost", "home", "python", "tensorflow", "docker", "runner", "jovyan", "vscode"}
)
HOSTNAMES = ("/proc/sys/kernel/hostname", "/etc/hostname")


@dataclass
class Private:
    """Words to replace, longest first, and what has been replaced so far."""

    words: Mapping[str, str]
    secrets: Iterable[str] = ()
    seen: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, reader: Reader) -> Private:
        """Read what is private on this machine: home folder, user name, host name, secret variables."""
        env = reader.env
        words: dict[str, str] = {}
        home = (env.get("HOME") or env.get("USERPROFILE") or "").rstrip("/\\")
        names = {env.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")} | {re.split(r"[/\\]", home)[-1]}
        if len(home) > 1:
            words[home] = "~"
        for name in sorted(names):
            if len(name) >= SHORTEST and name.lower() not in ORDINARY:
                words[name] = "<user>"
        for name in _hosts(reader):
            words[name] = "<host>"
        secrets = [value for name, value in env.items() if SECRET.search(name) and len(value) > SHORTEST * 2]
        return cls(words=words, secrets=tuple(secrets))

    def clean(self, text: str) -> str:
        """Return the text without what is private."""
        for secret in self.secrets:
            text = self._replaced("values of secret variables", re.escape(secret), MASK, text)
        text = self._replaced("keys of services", KEYS.pattern, MASK, text)
        masked = mask(text)
        if masked != text:
            self.seen["passwords and tokens in addresses"] = self.seen.get("passwords and tokens in addresses", 0) + 1
        text = self._replaced("e-mail addresses", EMAIL.pattern, "<e-mail>", masked)
        titles = {"~": "the home folder", "<user>": "the user name", "<host>": "the name of the machine"}
        for word in sorted(self.words, key=len, reverse=True):
            sign = self.words[word]
            # A whole word: the name "ann" is not part of "annotations"; a folder ends where its name ends.
            text = self._replaced(titles[sign], rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", sign, text)
        return text

    def _replaced(self, what: str, pattern: str, sign: str, text: str) -> str:
        text, count = re.subn(pattern, lambda _found: sign, text)
        if count:
            self.seen[what] = self.seen.get(what, 0) + count
        return text

    @property
    def taken_out(self) -> tuple[str, ...]:
        """What was replaced, in words."""
        return tuple(self.seen)


def _hosts(reader: Reader) -> tuple[str, ...]:
    found = [reader.env.get("HOSTNAME", ""), reader.env.get("COMPUTERNAME", "")]
    found += [files.line(reader, path) for path in HOSTNAMES]
    names = [name for full in found for name in (full, full.split(".")[0])]
    return tuple(dict.fromkeys(name for name in names if len(name) >= SHORTEST and name.lower() not in ORDINARY))
