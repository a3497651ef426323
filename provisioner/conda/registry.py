"""Making an environment known to conda, mamba and Jupyter, so that they list it and start it by name; and taking that back.

As conda does it: a line in ``~/.conda/environments.txt`` (``register_env`` in conda's core/envs_manager.py; mamba has the same file). A name
is the name of a folder in one of ``envs_dirs`` (``locate_prefix_by_name`` in base/context.py), so an environment that is elsewhere gets a
symbolic link there.
"""

from __future__ import annotations

import contextlib
import hashlib
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from provisioner.base.paths import is_whole
from provisioner.environment import kernels
from provisioner.errors import OperationError
from provisioner.host import Host, Reader
from provisioner.model.conda import CondaConfig, Outside
from provisioner.model.facts import Tool

LISTED = "/.conda/environments.txt"
LIMIT = 1 << 24
WAIT_SECONDS = 10.0
# How often a file that somebody else keeps changing is read anew.
TRIES = 20
_TOOLS = {"conda", "mamba", "micromamba"}
# What conda allows no name to hold (``validate_prefix_name``), and the names of its own environment.
_NO_NAME = r".*[/ :#].*|base|root|\..*"


def registration(reader: Reader, config: CondaConfig, tools: Sequence[Tool], root: str) -> tuple[Outside, ...]:
    """Look what is there, and return what makes the environment at ``root`` (absolute, links followed) known to the tools."""
    if config.environments and not _can_change(reader, config.environments):
        return ()
    return plan_registration(config, tools, root, read_taken(reader, config, root))


def plan_registration(config: CondaConfig, tools: Sequence[Tool], root: str, taken: Collection[str]) -> tuple[Outside, ...]:
    """Return what makes the environment at ``root`` known: nothing where no tool is there, or registering is turned off. Pure.

    ``taken`` is what ``read_taken`` gives. A name that is taken in any of the folders is left alone, for conda would find the other one.
    """
    if not any(tool.name in _TOOLS for tool in tools) or not config.register or not config.environments:
        return ()
    found = []
    if root not in taken:
        folder = posixpath.dirname(config.environments)
        made = tuple(path for path in (config.environments, folder) if f"{path}/" not in taken)
        found.append(Outside(kind="line", path=config.environments, text=root, made=made))
    name = posixpath.basename(root)
    named = posixpath.dirname(root) in config.envs_dirs or any(f"{folder}/{name}" in taken for folder in config.envs_dirs)
    if not named and not re.fullmatch(_NO_NAME, name) and config.writable_envs_dirs:
        found.append(Outside(kind="link", path=f"{config.writable_envs_dirs[0]}/{name}", text=root))
    # A path that no line can hold.
    return tuple(item for item in found if not fault(item))


def read_taken(reader: Reader, config: CondaConfig, root: str) -> frozenset[str]:
    """Return what of a registration is there: paths that the name has in the environments' folders, ``root`` itself where it is listed.

    The list and its folder are named with a slash at their end when they are there.
    """
    name = posixpath.basename(root)
    places = [f"{folder}/{name}" for folder in config.envs_dirs]
    # A folder that is only another name of the one in which the environment will be gives it its name.
    found = {place for place in places if reader.exists(place) or reader.real(posixpath.dirname(place)) == posixpath.dirname(root)}
    if config.environments:
        found |= {f"{path}/" for path in (config.environments, posixpath.dirname(config.environments)) if reader.exists(path)}
        if root in _lines(_read(reader, config.environments)):
            found.add(root)
    return frozenset(found)


def fault(outside: Outside) -> str:
    """Say why a registration that was read from a file is none; empty when it is one. A forged one must not write elsewhere."""
    path, text = outside.path, outside.text
    if outside.kind == "kernel" and is_whole(path) and is_whole(text) and not re.search(r"[\r\n\0]", path + text):
        return f"`{path}` is no place of a notebook kernel" if kernels.fault(outside) else ""
    if not is_whole(path) or not is_whole(text) or re.search(r"[\r\n\0]", path + text):
        return f"`{path}` for `{text}` is not a registration"
    if outside.kind == "line":
        fits = path.endswith(LISTED) and set(outside.made) <= {path, posixpath.dirname(path)}
    else:
        fits = posixpath.basename(path) == posixpath.basename(text) and path != text and not outside.made
    return "" if fits else f"`{path}` is no place where `{text}` is registered"


def words(outside: Outside) -> str:
    """Return a registration for the list of what is changed outside the environment."""
    if outside.kind == "kernel":
        return kernels.words(outside)
    if outside.kind == "line":
        return f"{outside.path}: a line with the environment's path, so that conda and mamba list it"
    return f"{outside.path} -> {outside.text}, so that conda and mamba activate it as `{posixpath.basename(outside.path)}`"


def register(host: Host, outside: Outside) -> None:
    """Do one registration, if it is not done; raises ``OSError`` where it cannot be, and ``OperationError`` when the name is taken meanwhile."""
    if outside.kind == "kernel":
        kernels.register(host, outside)
        return
    if outside.kind == "link":
        if not _leads(host, outside):
            if host.exists(outside.path):
                raise OperationError("something else has appeared there meanwhile", place=outside.path, hint="plan again")
            host.link(outside.path, outside.text)
        return
    with contextlib.suppress(FileExistsError):
        host.make_folder(posixpath.dirname(outside.path))
    _change(host, outside, _with_line)


def unregister(host: Host, outside: Outside) -> None:
    """Take one registration back, if it is there: the line, the link while it leads to the environment, and what was created for the line."""
    if outside.kind == "kernel":
        kernels.unregister(host, outside)
        return
    if outside.kind == "link":
        if _leads(host, outside):
            host.remove(outside.path)
        return
    # Also where the line is not there: a run that was killed may have left what it was writing.
    if host.exists(outside.path):
        _change(host, outside, _without_line)
    for path in outside.made:
        # What somebody uses by now stays.
        with contextlib.suppress(OSError):
            if path != outside.path or _read(host, path) == "":
                host.remove(path)


def unregister_all(host: Host, outside: Iterable[Outside], root: str) -> None:
    """Take back what was registered for the environment at ``root``, the last first.

    What cannot be taken back does not keep the rest from it: conda passes over a line and a link that lead nowhere.
    """
    for item in reversed(tuple(outside)):
        if item.text == root and not fault(item):
            with contextlib.suppress(OSError, OperationError):
                unregister(host, item)


def _can_change(reader: Reader, path: str) -> bool:
    """True when a file can be replaced, or created with its folder."""
    file = reader.real(path)
    folder = posixpath.dirname(file)
    if reader.exists(file):
        return reader.entry(file).kind == "file" and reader.writable(file) and reader.writable(folder)
    return reader.writable(folder if reader.exists(folder) else posixpath.dirname(folder))


def _leads(reader: Reader, outside: Outside) -> bool:
    try:
        return reader.read_link(outside.path) == outside.text
    except OSError:
        return False


def _read(reader: Reader, path: str) -> str:
    try:
        return reader.read_text(path, limit=LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _lines(text: str) -> list[str]:
    # Only these end a line for conda; a path may hold what else Python takes for an end.
    return [line.rstrip("\r") for line in text.split("\n")]


def _with_line(text: str, line: str) -> str:
    """Put a line at the end; before a last one that is not ended, so that taking it out again gives the very same bytes."""
    if line in _lines(text):
        return text
    ended = text.rfind("\n") + 1
    return f"{text[:ended]}{line}\n{text[ended:]}"


def _without_line(text: str, line: str) -> str:
    return "".join(kept for kept in re.findall(r"[^\n]*\n|[^\n]+", text) if kept.rstrip("\r\n") != line)


def _change(host: Host, outside: Outside, edit: Callable[[str, str], str]) -> None:
    """Replace the file in one step by what ``edit`` makes of it; other runs of this tool wait, and what conda has written meanwhile is kept.

    conda knows no lock, so the file is read again right before it is replaced.
    """
    # A link to the file in somebody's collection of settings stays a link.
    path = host.real(outside.path)
    digest = hashlib.sha256(outside.text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    beside = posixpath.join(posixpath.dirname(path), f".environments.txt.tfsetup-{digest}")
    with _alone(host, path):
        try:
            for _ in range(TRIES):
                text = host.read_text(path, limit=LIMIT)
                if len(text) >= LIMIT:
                    raise OperationError("the list of conda's environments is too long to be one", place=path)
                changed = edit(text, outside.text)
                if changed == text:
                    return
                host.write(beside, changed, durable=True, mode=host.entry(path).mode)
                if host.read_text(path, limit=LIMIT) == text:
                    host.rename(beside, path)
                    return
            raise OperationError("the list of conda's environments is changed all the time", place=path, hint="run the same command again")
        finally:
            with contextlib.suppress(OSError):
                host.remove(beside)


@contextlib.contextmanager
def _alone(host: Host, path: str) -> Iterator[None]:
    """Keep other runs of this tool from the list; the lock is the file itself, created if needed, so that nothing is left over."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(host.lock(path, wait=WAIT_SECONDS))
        except BlockingIOError:
            raise OperationError(
                "another run changes the list of conda's environments", place=path, hint="try again when it has ended"
            ) from None
        yield
