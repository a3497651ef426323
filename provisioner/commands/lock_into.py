"""The stages of `tfsetup lock --into uv`: what would be written into the project's own file, shown, agreed to, written."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Callable

from provisioner.base.names import is_rival
from provisioner.base.requirement import name_of
from provisioner.base.toml_text import parse_toml
from provisioner.declared.find import PYPROJECT, read_limited
from provisioner.errors import ConsentError, InputError, UsageError
from provisioner.host import Host, Reader
from provisioner.lock.stale import Difference
from provisioner.model.record import record
from provisioner.model.team import Declaration, TeamLock

UV, CONSTRAINTS = "uv", "constraints"


@record
class Edit:
    """A file (absolute) with its text before and after; ``warnings`` say what the file itself lacks."""

    file: str
    before: str
    after: str
    warnings: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """What changes, as a diff without its surroundings."""
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), n=1, lineterm="")
        return "\n".join(line for line in lines if not line.startswith(("---", "+++")))


def nobody(edit: Edit) -> None:
    """Agree to nothing: where nobody can be asked."""
    raise ConsentError("consent is needed", place=edit.file, hint="look at what would change, then add --yes")


def edit(reader: Reader, declaration: Declaration, lock: TeamLock, before: TeamLock | None) -> Edit:
    """Return what `--into uv` makes of the project's ``pyproject.toml``; raises ``UsageError`` where there is none."""
    from provisioner.lock.formats import uv_project  # noqa: PLC0415 - few ask for it

    file = project_file(declaration)
    if not reader.exists(file):
        raise UsageError("there is no such file, so there is nothing to write into", place=file, hint="`uv init --bare` makes a first one")
    text = read_limited(reader, file)
    after = uv_project.edited(text, lock, before, file=file)
    return Edit(file=file, before=text, after=after, warnings=_lacks(after, lock, file))


def project_file(declaration: Declaration) -> str:
    """Return the ``pyproject.toml`` that belongs to a declaration (absolute): the one whose dependencies it locks, else the one beside it."""
    folder = posixpath.dirname(declaration.file)
    return posixpath.join(folder, (declaration.project.file if declaration.project else "") or PYPROJECT)


def write(host: Host, found: Edit, agree: Callable[[Edit], None]) -> tuple[str, ...]:
    """Write an edit after ``agree``, which is shown it and raises where nobody does; return the names of what was written."""
    if found.after == found.before:
        return ()
    agree(found)
    try:
        host.write(found.file, found.after, durable=True)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=found.file) from None
    return (posixpath.basename(found.file),)


def differences(reader: Reader, declaration: Declaration, lock: TeamLock) -> tuple[Difference, ...]:
    """Say where the project's own file does not hold what is locked any more."""
    if UV not in lock.into:
        return ()
    try:
        found = edit(reader, declaration, lock, None)
    except (InputError, UsageError) as error:
        return (Difference(kind="file", name=posixpath.basename(project_file(declaration)), why=error.message),)
    if found.after == found.before:
        return ()
    why = "has another [tool.uv] than the lock; `tfsetup lock --into uv` writes it"
    return (Difference(kind="file", name=posixpath.basename(found.file), why=why),)


def stale(reader: Reader, declaration: Declaration, lock: TeamLock) -> tuple[str, ...]:
    """Say after a lock was written which file of the project's own does not hold it."""
    return tuple(f"{item.name} {item.why}" for item in differences(reader, declaration, lock))


def _lacks(text: str, lock: TeamLock, file: str) -> tuple[str, ...]:
    """Say where the project asks for no TensorFlow: limits alone install nothing."""
    data = parse_toml(text, file=file, name=PYPROJECT)
    project = data.get("project")
    asked = project.get("dependencies", ()) if isinstance(project, dict) else ()
    groups = data.get("dependency-groups")
    for group in groups.values() if isinstance(groups, dict) else ():
        asked = [*asked, *group]
    if any(isinstance(text, str) and is_rival(name_of(text)) for text in asked):
        return ()
    release = lock.targets[0].release
    return (f"{posixpath.basename(file)} asks for no TensorFlow, and limits install nothing: `uv add 'tensorflow=={release}'`",)
