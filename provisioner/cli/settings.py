"""The request of options, variables and tfsetup.yaml: which wins, and where each value came from."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from provisioner.base.paths import Place, absolute, is_on_drive, slashed
from provisioner.environment.active import meant, words
from provisioner.errors import UsageError
from provisioner.host import Reader
from provisioner.model.request import SETTINGS, Request, Setting

FILE = "tfsetup.yaml"
PYPROJECT = "pyproject.toml"

TRUE = {"1", "true", "yes", "on"}
FALSE = {"", "0", "false", "no", "off"}


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


def read_file(reader: Reader) -> tuple[dict[str, Any], str]:
    """Read the settings of the working directory's ``tfsetup.yaml`` or ``pyproject.toml``, and its name; raises ``InputError`` with all faults.

    The same file may say what a team wants (``provisioner.declared.keys``); all of it is checked here, too.
    """
    if not any(reader.exists(posixpath.join(reader.cwd, name)) for name in (FILE, PYPROJECT)):
        return {}, ""
    from provisioner.declared.find import find  # noqa: PLC0415 - not needed where there is no such file

    found = find(reader, reader.cwd)
    if found is None:
        return {}, ""
    from provisioner.declared.declaration import checked  # noqa: PLC0415 - 20 ms that only those pay who have a declaration

    return checked(found).data, posixpath.basename(found.file)


def _filled_in(channel: str, reader: Reader, origin: str) -> str:
    """Put any variables in: who writes an address on the command line names both the secret and where it goes."""
    if "${" not in channel:
        return channel
    from provisioner.engines.allowed import fill_in  # noqa: PLC0415 - few have variables

    return fill_in(channel, reader.env, place="--channel" if origin == "option" else origin)


def request(options: Mapping[str, Any], reader: Reader, there: Place | None = None) -> Request:
    """Return the request of ``options`` (None: not given), variables and file, in this order of strength.

    The environment is meant on the machine of ``there``, where that is another one.
    """
    file, name = read_file(reader)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        values[setting.name], origins[setting.name] = _value(setting, options.get(setting.name), reader, file, f"file {name}")
    values["env"], origins["env"] = meant(reader, values["env"], origins["env"])
    if origins["channel"] == "option" or origins["channel"].startswith("variable"):
        values["channel"] = tuple(_filled_in(channel, reader, origins["channel"]) for channel in values["channel"])
    if values["source"] == "conda" and values["kind"] != "conda":
        if origins["kind"] != "default":
            where = "--source" if origins["source"] == "option" else origins["source"]
            raise UsageError(
                "a virtual environment takes nothing from a conda channel", place=where, hint="say --kind conda, or leave it out"
            )
        values["kind"], origins["kind"] = "conda", f"{origins['source']} (source)"
    return Request(
        tensorflow=values["tensorflow"],
        # No version has a backslash in it.
        python=slashed(values["python"]) if is_on_drive((there or reader).cwd) else values["python"],
        device=values["device"],
        kind=values["kind"],
        source=values["source"],
        channels=values["channel"],
        env=absolute(values["env"], there or reader, words(origins["env"])),
        extra=values["with"],
        offline=values["offline"],
        keep=values["keep"],
        upgrade=values["upgrade"],
        **_policy(file, reader),
        verify=tuple(file.get("verify", ())),
        origins=origins,
    )


def _policy(file: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    """Return what a team allows, as fields of a request; nothing where its file says nothing of it."""
    if not file.get("policy"):
        return {}
    from provisioner.declared.declaration import policy_of  # noqa: PLC0415 - as above
    from provisioner.lock.dates import first  # noqa: PLC0415 - few have a policy

    policy = policy_of(file["policy"])
    return {"policy": policy, "cutoff": first(reader.now(), policy.cool_down)[:10] if policy.cool_down else ""}


def _value(setting: Setting, given: Any, reader: Reader, file: Mapping[str, Any], file_words: str) -> tuple[Any, str]:
    """Return the value of a setting, and where it comes from."""
    if given not in (None, ()) and not (setting.kind == "flag" and given is False):
        return given, "option"
    # As with Typer's own variables, an empty one is the same as none.
    if reader.env.get(setting.variable):
        return _from_variable(setting, reader.env[setting.variable]), f"variable {setting.variable}"
    if setting.key in file:
        found = file[setting.key]
        # A list of the file is a tuple, as one of options is.
        return tuple(found) if setting.kind == "list" else found, file_words
    return setting.default, "default"
