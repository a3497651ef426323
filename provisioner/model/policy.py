"""What a team allows: the releases, drivers and sets that a lock, a plan and a repair may take."""

from __future__ import annotations

from provisioner.model.record import record


@record
class SignOff:
    """A release that somebody answers for: ``by`` a name, ``date`` ISO."""

    release: str
    by: str
    date: str


# What stands in ``Policy.built`` for every package.
ANY = "any"


@record
class Policy:
    """What a lock must hold to.

    ``releases``: the TensorFlow releases that are allowed (PEP 440, "" for all). ``driver``: the oldest NVIDIA driver that a target may have.
    ``source_builds``: whether the source distributions that a few old releases pin may be built; ``built``: the team's own packages that may be,
    where no wheel of them will do (``ANY``: all). ``cool_down``: days that a file must have been on the index. ``proven``: only sets that were
    run, and not under an emulator alone. ``signed_off``: with any, only these releases.
    """

    releases: str = ""
    driver: str = ""
    source_builds: bool = True
    built: tuple[str, ...] = ()
    cool_down: int = 0
    proven: bool = False
    signed_off: tuple[SignOff, ...] = ()
