"""Every option once: its variable, its key in tfsetup.yaml, its default; and where a value came from."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from provisioner.errors import InputError, UsageError
from provisioner.host import Reader
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.workspace import absolute

FILE = "tfsetup.yaml"

TRUE = {"1", "true", "yes", "on"}
FALSE = {"", "0", "false", "no", "off"}


@record
class Setting:
    """One option of a request. ``kind`` is ``text``, ``choice``, ``flag`` or ``list`` (separated by blanks in a variable)."""

    name: str
    kind: str
    default: Any
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "TFSETUP_" + self.name.upper()


SETTINGS = (
    Setting(name="tensorflow", kind="text", default=""),
    Setting(name="python", kind="text", default=""),
    Setting(name="device", kind="choice", default="auto", choices=("auto", "cpu", "cuda")),
    Setting(name="kind", kind="choice", default="venv", choices=("venv", "conda")),
    Setting(name="env", kind="text", default="./tf-env"),
    Setting(name="with", kind="list", default=()),
    Setting(name="offline", kind="flag", default=False),
)


def parse_flag(text: str, where: str) -> bool:
    """Read a yes-or-no variable."""
    if text.strip().lower() in TRUE:
        return True
    if text.strip().lower() in FALSE:
        return False
    raise UsageError(f"`{text}` is neither yes nor no", place=where, hint="write 1 or 0")


def _from_variable(setting: Setting, text: str) -> Any:
    where = f"variable {setting.variable}"
    if setting.kind == "flag":
        return parse_flag(text, where)
    if setting.kind == "list":
        return tuple(text.split())
    if setting.kind == "choice" and text not in setting.choices:
        raise UsageError(f"`{text}` is not one of {', '.join(setting.choices)}", place=where)
    return text


def _file_fault(setting: Setting, value: Any) -> str:
    if setting.kind == "flag":
        return "" if isinstance(value, bool) else "expected true or false"
    if setting.kind == "list":
        return "" if isinstance(value, list) and all(isinstance(item, str) for item in value) else "expected a list of texts"
    if not isinstance(value, str):
        return "expected a text"
    if setting.kind == "choice" and value not in setting.choices:
        return f"expected one of {', '.join(setting.choices)}"
    return ""


def read_file(reader: Reader) -> dict[str, Any]:
    """Read ``tfsetup.yaml`` in the working directory, if there is one; raises ``InputError`` with all its faults."""
    path = posixpath.join(reader.cwd, FILE)
    if not reader.exists(path):
        return {}
    from provisioner.catalogue.yaml_text import parse_yaml  # noqa: PLC0415 - 20 ms that only those pay who have the file

    try:
        text = reader.read_text(path)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=path) from None
    # Numbers stay as they are written, so `tensorflow: 2.20` is not 2.2.
    data = parse_yaml(text, file=path)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InputError("expected settings as `name: value` lines", place=path)
    known = {setting.name: setting for setting in SETTINGS}
    faults = [f"{name}: is not a setting (there are {', '.join(known)})" for name in data if name not in known]
    faults += [f"{name}: {fault}" for name, value in data.items() if name in known and (fault := _file_fault(known[name], value))]
    if faults:
        raise InputError("holds faults", place=path, faults=tuple(faults))
    return data


def request(options: Mapping[str, Any], reader: Reader) -> Request:
    """Return the request of ``options`` (None: not given), variables and file, in this order of strength."""
    file = read_file(reader)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        given = options.get(setting.name)
        if given not in (None, ()) and not (setting.kind == "flag" and given is False):
            values[setting.name], origins[setting.name] = given, "option"
        elif reader.env.get(setting.variable):
            # As with Typer's own variables, an empty one is the same as none.
            values[setting.name] = _from_variable(setting, reader.env[setting.variable])
            origins[setting.name] = f"variable {setting.variable}"
        elif setting.name in file:
            value = file[setting.name]
            values[setting.name] = tuple(value) if setting.kind == "list" else value
            origins[setting.name] = f"file {FILE}"
        else:
            values[setting.name], origins[setting.name] = setting.default, "default"
    return Request(
        tensorflow=values["tensorflow"],
        python=values["python"],
        device=values["device"],
        kind=values["kind"],
        env=absolute(values["env"], reader, "--env" if origins["env"] == "option" else origins["env"]),
        extra=values["with"],
        offline=values["offline"],
        origins=origins,
    )
