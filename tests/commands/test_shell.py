"""What is said of a command that failed in an environment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from provisioner.commands.shell import Start, explained
from tests.choose.values import shipped_catalogue
from tests.facts.fake_reader import FakeReader
from tests.verify.support import known_messages


def test_it_is_known_on_which_system_it_ran() -> None:
    """A set for Windows was offered as one that was run, without the word that it was so under wine."""
    session = cast("Any", SimpleNamespace(host=FakeReader({}, platform="win32"), messages=known_messages(), catalogue=shipped_catalogue()))
    start = Start(env="C:/e", argv=("python", "x.py"), variables={})
    found = explained(session, start, b"failed to locate pyvenv.cfg: The system cannot find the file specified.\n")
    assert found is not None
    assert "verified under wine" in found.findings[0].remedy.others[-1].words
