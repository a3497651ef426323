"""tools/compatibility_elsewhere.py: what the document says of sets that an emulator ran."""

from __future__ import annotations

import compatibility_elsewhere
from locks import read_releases

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock, Proof

WHERE = "Windows build 10.0.18362 as wine 8.0 gives it, on Linux"


class Proven(Catalogue):
    """The shipped catalogue, in which wine ran the sets for Python 3.10, and those for 3.9 fail there."""

    def proof(self, lock: Lock) -> Proof:
        about = {"lock": lock.digest, "date": "2026-11-30", "machine": WHERE}
        if lock.python == "3.10":
            return Proof(level="emulated", emulator="wine 8.0", **about)
        if lock.python == "3.9":
            return Proof(level="resolved", fault="xla: it ended by itself", **about)
        return Proof(lock=lock.digest, level="resolved")


def test_what_wine_ran_what_failed_there_and_what_nobody_ran() -> None:
    catalogue = Proven.open(LocalHost(), find_profiles())
    releases = [release for release in read_releases().values() if release.version in {"2.15.1", "2.22.0rc0"}]
    lines = compatibility_elsewhere.elsewhere_lines(catalogue, releases)
    assert "## Windows itself" in lines
    assert "Of 3 sets, 1 were run so, 1 are resolved and not run, 1 failed." in lines
    assert f"Where: {WHERE}." in lines
    assert "| release | | 3.9 | 3.10 | 3.11 |" in lines
    assert "| 2.15.1 | CPU | failed | wine 2026-11-30 | resolved |" in lines
    assert lines[-1] == "- 2.15.1 on Python 3.9, 2026-11-30: xla: it ended by itself"
    assert not any("2.22" in line for line in lines)
