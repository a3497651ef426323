"""What a person asks for."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from provisioner.model.record import record

Device = Literal["auto", "cpu", "cuda"]
Kind = Literal["venv", "conda"]


@record
class Request:
    """A request, the same for every command.

    ``tensorflow`` and ``python`` are PEP 440 specifiers (``==2.15.*``) or empty for "the best that fits"; ``env`` is the absolute
    path of the environment; ``extra`` are the requirements of ``--with``; ``origins`` says for each field where its value came
    from (``default``, ``option``, ``variable TFSETUP_X``, ``file``).
    """

    tensorflow: str = ""
    python: str = ""
    device: Device = "auto"
    kind: Kind = "venv"
    env: str = ""
    extra: tuple[str, ...] = ()
    offline: bool = False
    origins: dict[str, str] = field(default_factory=dict)
