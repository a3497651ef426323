"""Notebook kernels: which of them Jupyter would find, whose Python each starts, and registering one for an environment.

Sources: jupyter_client, "Kernel specs" (folders, ``argv``, names; a bare ``python`` stands for the server's own interpreter); jupyter_core,
``jupyter_path``.
"""

from __future__ import annotations

import contextlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from provisioner.base.paths import is_absolute, is_whole, joined, listed, spelt, turned
from provisioner.environment.layout import CONDA, WINDOWS, layout
from provisioner.errors import InputError, OperationError
from provisioner.host import Host, Reader, files, user_folders
from provisioner.host.files import make_folders
from provisioner.model.conda import Outside
from provisioner.model.json_text import read_json
from provisioner.model.record import record

FILE = "kernel.json"
# What Jupyter takes for a name (``_is_valid_kernel_name`` of jupyter_client, without regard to case).
NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
# The kernel that Jupyter has without any file: the Python that Jupyter itself runs in.
NATIVE = "python3"
_BARE = re.compile(r"python[0-9.]*")
SYSTEM = ("/usr/local/share/jupyter", "/usr/share/jupyter")
INSIDE = "the environment's kernels"
# No folder of kernels that a person has holds more.
MOST = 200
# What registers it is known by this key of kernel.json's metadata.
MARK = "tfsetup"


@record
class Kernel:
    """A kernel specification: ``name`` is its folder's, ``python`` the first word of its command line, ``place`` whose folder it lies in.

    A bare ``python`` stands for the one that Jupyter itself runs in.
    """

    name: str
    title: str
    python: str
    path: str
    place: str

    @property
    def env(self) -> str:
        """The environment whose Python it starts, "" for a bare one."""
        folder = posixpath.dirname(self.python) if is_absolute(self.python) else ""
        # Of conda on Windows the interpreter lies in the environment itself.
        at_root = folder != "" and self.python == posixpath.join(folder, WINDOWS.conda_python)
        return folder if at_root and posixpath.basename(folder) != WINDOWS.scripts else posixpath.dirname(folder)


def read_kernel(text: str, *, path: str, place: str, bare: bool = False) -> Kernel | None:
    """Read a ``kernel.json``; None for another language, for what is none, and (but with ``bare``) for a bare ``python``."""
    try:
        data = read_json(text)
        argv = data["argv"]
        language, title = str(data.get("language", "python")), str(data.get("display_name", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if language.lower() != "python" or not isinstance(argv, list) or not argv or not isinstance(argv[0], str):
        return None
    if not re.match(r"/|[A-Za-z]:[\\/]", argv[0]) and not (bare and _BARE.fullmatch(argv[0])):
        return None
    return Kernel(name=posixpath.basename(posixpath.dirname(path)), title=title, python=turned(argv[0]), path=path, place=place)


def data_folder(reader: Reader) -> str:
    """Return this user's data folder of Jupyter (absolute; "" without a home folder)."""
    home, env = user_folders.home(reader), reader.env
    if env.get("JUPYTER_DATA_DIR"):
        return joined(reader.cwd, env["JUPYTER_DATA_DIR"])
    if reader.platform == "darwin":
        return f"{home}/Library/Jupyter" if home else ""
    return f"{user_folders.data(reader)}/jupyter" if home or env.get("XDG_DATA_HOME") else ""


def folders(reader: Reader, env: str = "") -> tuple[tuple[str, str], ...]:
    """Return Jupyter's data folders in its order, with the words for them; ``env`` is the environment that it may run in."""
    named = listed(reader.env.get("JUPYTER_PATH", ""), reader.platform)
    own = data_folder(reader)
    found = [(folder, "JUPYTER_PATH") for folder in named] + ([(own, "the user's kernels")] if own else [])
    if env:
        found.append((f"{env}/share/jupyter", INSIDE))
    return (*found, *((folder, "the system's kernels") for folder in _system(reader)))


def _system(reader: Reader) -> tuple[str, ...]:
    if reader.platform != "win32":
        return SYSTEM
    everybody = reader.env.get("PROGRAMDATA", "")
    return (posixpath.join(everybody, "jupyter"),) if is_absolute(everybody) else ()


def kernels_of(reader: Reader, env: str = "", *, bare: bool = False) -> Iterator[Kernel]:
    """Yield every Python kernel that Jupyter would offer here; ``env`` and ``bare`` are as above."""
    for folder, place in folders(reader, env):
        for path in files.matches(reader, f"{files.glob_escape(folder)}/kernels/*/{FILE}")[:MOST]:
            kernel = read_kernel(files.read(reader, path).text or "", path=path, place=place, bare=bare)
            if kernel is not None:
                yield kernel


def find(reader: Reader, name: str, env: str = "") -> Kernel | None:
    """Return the kernel that Jupyter would start for a name (it looks without regard to case), or None."""
    return next((item for item in kernels_of(reader, env, bare=True) if item.name.lower() == name.lower()), None)


def of_environment(reader: Reader, root: str) -> tuple[Kernel, ...]:
    """Return the kernels, outside of it, that start the Python of the environment at ``root`` (absolute, links followed)."""
    return tuple(item for item in kernels_of(reader) if files.real(reader, item.env) == root)


def registration(reader: Reader, root: str, name: str, label: str) -> Outside:
    """Return what registers a kernel of that name for the environment at ``root``, for this user; ``label`` is what a menu shows.

    Raises ``InputError`` for a name that Jupyter does not take, or that another kernel has.
    """
    if not NAME.fullmatch(name):
        raise InputError("Jupyter takes letters, digits, `.`, `_` and `-` for the name of a kernel", place=f"--name {name}")
    place = data_folder(reader)
    if not place:
        raise InputError("Jupyter has no data folder of this user (HOME is not set)", hint="set JUPYTER_DATA_DIR")
    path = posixpath.join(place, "kernels", name, FILE)
    try:
        _, made = files.ground(reader, posixpath.dirname(path))
    except files.FAULTS as error:
        raise InputError(f"no kernel can be registered there: {files.reason(error)}", place=path, hint="set JUPYTER_DATA_DIR") from None
    item = Outside(kind="kernel", path=path, text=root, made=made, label=label)
    if files.there(reader, path) and not _is_own(reader, item):
        other = read_kernel(files.read(reader, path).text or "", path=path, place="", bare=True)
        whose = f"it starts {other.python}" if other is not None else "it is none of Python's"
        hint = f"choose another --name, or take it away first: jupyter kernelspec remove {name}"
        raise InputError(f"there is a kernel of that name: {whose}", place=path, hint=hint)
    return item


def _data(reader: Reader, path: str) -> Mapping[str, Any]:
    try:
        found = read_json(files.read(reader, path).text or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def is_registered(reader: Reader, item: Outside) -> bool:
    """True where the kernel is there as it would be written."""
    return _is_own(reader, item) and dict(_data(reader, item.path)) == json.loads(text_of(reader, item))


def _is_own(reader: Reader, item: Outside) -> bool:
    """True for a kernel that was registered for this very environment."""
    metadata = _data(reader, item.path).get("metadata")
    return isinstance(metadata, dict) and metadata.get(MARK) == item.text


def text_of(reader: Reader, item: Outside) -> str:
    """Return the kernel.json: the environment's own Python, with its programs first on PATH, so that ``!pip`` in a cell is its pip."""
    shape = layout(reader.platform)
    conda = files.there(reader, posixpath.join(item.text, CONDA))
    python = posixpath.join(item.text, shape.conda_python if conda else shape.python)
    first = f"{spelt(posixpath.dirname(python))}{shape.separator}${{PATH}}"
    variables = {"PATH": first, "CONDA_PREFIX" if conda else "VIRTUAL_ENV": spelt(item.text)}
    told = {
        "argv": [spelt(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": item.label,
        "language": "python",
        "env": variables,
        "metadata": {"debugger": True, MARK: item.text},
    }
    return json.dumps(told, indent=1) + "\n"


def words(item: Outside) -> str:
    """Return the registration for the list of what is changed outside the environment."""
    return f"{item.path}: the notebook kernel `{name_of(item)}` of this user, shown as `{item.label}`"


def name_of(item: Outside) -> str:
    """Return the name of a kernel that is registered."""
    return posixpath.basename(posixpath.dirname(item.path))


def fault(item: Outside) -> bool:
    """True for one that was read from a file and is none. A forged one must not write elsewhere."""
    *_, above, name, file = ["", "", *item.path.split("/")]
    made = all(is_whole(path) and f"{item.path}/".startswith(f"{path}/") for path in item.made)
    return not (above == "kernels" and NAME.fullmatch(name) and file == FILE and made)


def register(host: Host, item: Outside) -> None:
    """Write it, if it is not there; raises ``OSError`` where it cannot be, ``OperationError`` when somebody has taken the name meanwhile."""
    if host.exists(item.path) and not _is_own(host, item):
        raise OperationError("another kernel has appeared there meanwhile", place=item.path, hint="plan again")
    make_folders(host, posixpath.dirname(item.path))
    host.write(item.path, text_of(host, item), durable=True)


def unregister(host: Host, item: Outside) -> None:
    """Take it away, where it is still this environment's, with the folders that were made for it; what somebody uses by now stays."""
    if _is_own(host, item):
        host.remove(item.path)
    for folder in item.made:
        with contextlib.suppress(OSError):
            host.remove_folder(folder)


def default_name(root: str) -> str:
    """Return a name for the kernel of the environment at ``root``, of what Jupyter takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", posixpath.basename(root)).strip("-")[:100] or "tensorflow"


@record
class Notebook:
    """A notebook's file: ``kernel`` is the name that it asks Jupyter for, "" where it names none."""

    path: str
    kernel: str


def read_notebook(text: str, path: str) -> Notebook:
    """Return what a notebook (nbformat 4) says of its kernel; raises ``InputError`` for a file that is none."""
    try:
        data = read_json(text)
    except ValueError as error:
        raise InputError(f"is no notebook: {error}", place=path) from None
    metadata = data.get("metadata") if isinstance(data, dict) else None
    if not isinstance(metadata, dict) or not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        raise InputError("is no notebook: it has no cells and metadata", place=path, hint="a file that Jupyter or VS Code saved, as .ipynb")
    spec = metadata.get("kernelspec")
    name = spec.get("name") if isinstance(spec, dict) else None
    return Notebook(path=path, kernel=name if isinstance(name, str) else "")
