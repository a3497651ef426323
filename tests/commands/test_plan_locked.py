"""What a plan for a lock says of builds before anything is done: code for a compiler, and none on this machine."""

from __future__ import annotations

import pytest

from provisioner.commands.plan_locked import _no_compiler
from provisioner.model.checkout import Checkout
from provisioner.model.team import LockedTarget, Needs, Target, TeamFile
from tests.facts.fake_reader import FakeReader

NONE_HERE = (
    "speed and forge are built from source and hold code for a compiler, and none is here (cc, gcc, clang): without one the build may fail"
)


def locked(*, compiled: bool) -> LockedTarget:
    file = TeamFile(name="speed", version="1.0", filename="speed-1.0.tar.gz", sha256="0" * 64, source=True, compiled=compiled)
    return LockedTarget(
        target=Target(name="t", platform="linux-x86_64", device="cpu", python="3.11"),
        release="2.20.0",
        profile="",
        proof="",
        needs=Needs(platform="linux-x86_64", python="3.11"),
        files=(file,),
        checkouts=(Checkout(name="forge", commit="0" * 40, compiled=compiled),),
    )


@pytest.mark.parametrize(
    ("compiled", "env", "files", "said"),
    [
        (False, {}, {}, ()),
        (True, {"PATH": "/usr/bin"}, {"/usr/bin/clang": ""}, ()),
        (True, {"CC": "icx"}, {}, ()),
        (
            True,
            {"PATH": "/usr/bin"},
            {},
            (NONE_HERE,),
        ),
    ],
)
def test_code_for_a_compiler_where_there_is_none(compiled, env, files, said) -> None:
    assert _no_compiler(FakeReader(files, env=env), locked(compiled=compiled)) == said
