"""The formats a lock is written in; each can be read back to the same set of names, versions and hashes."""

from __future__ import annotations

# What every format holds: normalised name, version, SHA-256.
Pin = tuple[str, str, str]
