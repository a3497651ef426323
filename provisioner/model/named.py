"""What only a file names, and nobody here has said: a program to start, an address to ask, an environment whose Python would be started."""

from __future__ import annotations

from typing import Literal

from provisioner.model.record import record


@record
class Named:
    """One such thing: ``what`` it is and ``where`` it stands, both as they may be shown.

    ``unusual`` says why it needs a word of consent ("" where it needs none); ``instead`` is how a person says the same thing themselves.
    ``apart`` things are asked about each by itself.
    """

    kind: Literal["program", "address", "environment"]
    what: str
    where: str
    unusual: str = ""
    instead: str = ""
    apart: bool = False
