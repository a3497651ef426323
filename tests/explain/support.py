"""The shipped messages and catalogue, opened once."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.causes import Messages, open_messages
from provisioner.explain import weigh
from provisioner.host.local import LocalHost
from provisioner.model.finding import Finding


@functools.lru_cache(maxsize=1)
def shipped() -> tuple[Messages, Catalogue]:
    host, root = LocalHost(), find_profiles()
    return open_messages(host, root), Catalogue.open(host, root)


def findings(log: str, context: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    messages, catalogue = shipped()
    return weigh(log.split("\n"), context or {}, messages, catalogue)


def causes(log: str, context: Mapping[str, str] | None = None) -> list[str]:
    return [finding.cause for finding in findings(log, context)]
