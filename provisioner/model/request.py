"""What a person asks for, and the settings that it can be said with."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

from provisioner.model.policy import Policy
from provisioner.model.record import record

Device = Literal["auto", "cpu", "cuda"]
Kind = Literal["venv", "conda"]
Source = Literal["wheels", "conda"]


@record
class Request:
    """A request, the same for every command.

    ``tensorflow`` and ``python`` are PEP 440 specifiers (``==2.15.*``) or empty for "the best that fits"; ``env`` is the absolute
    path of the environment; ``source`` says where the TensorFlow of a conda environment comes from: TensorFlow's own wheels, which are proven, or
    the conda channel (``conda``); ``channels`` are conda channels in order of priority, empty for those that conda is configured
    with, or the profile's. ``extra`` are the requirements of ``--with``; with ``keep`` all that is installed is resolved anew around
    TensorFlow; with ``upgrade`` an existing environment does not keep its release. ``policy`` is what a team allows, and
    ``cutoff`` the ISO date up to which its ``cool_down`` lets sets have been resolved; ``verify`` are imports and commands that a project says
    must work. ``origins`` says for each field where its value came
    from (``default``, ``option``, ``variable TFSETUP_X``, ``file``).
    """

    tensorflow: str = ""
    python: str = ""
    device: Device = "auto"
    kind: Kind = "venv"
    source: Source = "wheels"
    channels: tuple[str, ...] = ()
    env: str = ""
    extra: tuple[str, ...] = ()
    offline: bool = False
    keep: bool = False
    upgrade: bool = False
    policy: Policy = Policy()
    cutoff: str = ""
    verify: tuple[str, ...] = ()
    origins: dict[str, str] = field(default_factory=dict)


@record
class Setting:
    """One option of a request; ``in_file`` is what it is called in ``tfsetup.yaml``, where that is another name.

    ``once`` is true for what is said for one run, and in no file. ``kind`` is ``text``, ``choice``, ``flag`` or ``list`` (separated by
    blanks in a variable).
    """

    name: str
    kind: str
    default: Any
    choices: tuple[str, ...] = ()
    in_file: str = ""
    once: bool = False

    @property
    def key(self) -> str:
        """The key of ``tfsetup.yaml`` that sets it."""
        return self.in_file or self.name

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "TFSETUP_" + self.name.upper()


SETTINGS = (
    Setting(name="tensorflow", kind="text", default=""),
    Setting(name="python", kind="text", default=""),
    Setting(name="device", kind="choice", default="auto", choices=("auto", "cpu", "cuda")),
    Setting(name="kind", kind="choice", default="venv", choices=("venv", "conda")),
    Setting(name="source", kind="choice", default="wheels", choices=("wheels", "conda")),
    Setting(name="channel", kind="list", default=(), in_file="channels"),
    Setting(name="env", kind="text", default="./tf-env"),
    Setting(name="with", kind="list", default=()),
    Setting(name="offline", kind="flag", default=False),
    Setting(name="keep", kind="flag", default=False, once=True),
    Setting(name="upgrade", kind="flag", default=False, once=True),
)
