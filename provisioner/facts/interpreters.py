"""Every Python on the machine that could carry an environment, each asked by a script that runs in it."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from provisioner import in_process
from provisioner.base.paths import is_absolute, slashed, turned
from provisioner.facts import conda, elf, windows
from provisioner.facts.store import FactStore
from provisioner.facts.system import MACHINE_NAMES
from provisioner.host import Reader, files, user_folders
from provisioner.model.facts import Fact, Interpreter, absent
from provisioner.model.json_text import read_json
from provisioner.model.record import record

SUBJECT = "interpreters"
SCRIPT = in_process.script("_inspect.py")
MARK = "<<tfsetup-inspect>>"
NAME = re.compile(r"(?:python|pypy)(?:[23](?:\.\d{1,2}t?)?)?(?:\.exe)?")
SYSTEM_FOLDERS = ("/usr/bin", "/bin")
OTHER_FOLDERS = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/local/bin")
SECONDS = 10.0
# A Python that did not answer is asked again after this time, so that one that hangs does not slow down every run.
FAILURE_SECONDS = 600.0
WORKERS = 4
# Programs that stand in for a Python and choose one when they run; the ones they choose from are found by themselves.
STAND_INS = (b"pyenv", b"asdf", b"mise")


@record
class PossiblePython:
    """An executable that may be a Python: ``key`` changes when the file behind it does; ``virtual`` has a ``pyvenv.cfg`` beside it."""

    path: str
    origin: str
    key: str
    virtual: bool


def parse_answer(text: str) -> dict[str, Any] | None:
    """Read what ``in_process/_inspect.py`` printed, whatever stands around it; ``None`` when there is no answer in it."""
    parts = text.split(MARK)
    try:
        answer = turned(read_json(parts[-2]))
        return answer if isinstance(answer, dict) and re.fullmatch(r"\d+\.\d+\.\d+", answer["version"]) and int(answer["bits"]) else None
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def parse_launcher(text: str) -> tuple[str, ...]:
    r"""Read the paths that the Windows launcher lists with ``py -0p``.

    ::

         -V:3.12 *        C:\Users\me\AppData\Local\Programs\Python\Python312\python.exe
         -3.9-64          C:\Python39\python.exe *
    """
    found = (re.match(r"\s*-\S+\s+(?:\*\s+)?(\S.*?\.exe)\s*(?:\*\s*)?$", row, re.IGNORECASE) for row in text.splitlines())
    return tuple(dict.fromkeys(row[1] for row in found if row))


def probe(host: Reader, store: FactStore | None, named: str = "") -> Fact[tuple[Interpreter, ...]]:
    """Find and ask every Python; ``named`` is the path of one that a person named, which is found under that name wherever it is.

    1. PATH, folder by folder; 2. pyenv (``$PYENV_ROOT``, ``~/.pyenv``); 3. those that uv manages; 4. conda environments;
    5. ``/usr/bin`` and the like, ``/opt``; 6. on Windows the launcher, the registry (PEP 514), and the one that runs the tool.

    A Python met on two ways is asked once. The answers are kept in ``store`` under path, size, time and inode of each file and of the
    script. ``why`` names those that did not answer.
    """
    candidates = find(host, named)
    script = files.identity(host, SCRIPT)
    keys = {candidate: f"{candidate.key}|{script}" for candidate in candidates}
    kept = store.load(SUBJECT) if store else {}
    failed = store.load(f"{SUBJECT}-failed", seconds=FAILURE_SECONDS) if store else {}
    missing = [candidate for candidate in candidates if keys[candidate] not in kept and keys[candidate] not in failed]
    if missing:
        asked = _ask_all(host, missing)
        good = {keys[candidate]: answer for candidate, (answer, _) in asked.items() if answer}
        bad = {keys[candidate]: why for candidate, (_, why) in asked.items() if why}
        kept = {key: answer for key, answer in kept.items() if key in set(keys.values())} | good
        failed |= bad
        if store and good:
            store.save(SUBJECT, kept)
        if store and bad:
            store.save(f"{SUBJECT}-failed", failed)
    found = tuple(made for item in candidates if (made := _interpreter(host, item, kept.get(keys[item]))))
    skipped = "; ".join(f"{item.path} was left out: {failed[keys[item]]}" for item in candidates if keys[item] in failed)
    source = "each asked by a script of the standard library"
    if not found:
        return absent(source, skipped or "no Python was found")
    return Fact(status="known", value=found, source=source, why=skipped)


def find(host: Reader, named: str = "") -> tuple[PossiblePython, ...]:
    """The candidates in the order of ``probe``, without starting any, each file once; a virtual environment counts as itself."""
    seen: set[str] = set()
    found = []
    for path, origin in ([(named, _origin(host, named))] if named else []) + _paths(host):
        # pyvenv.cfg lies beside the executable or one folder above it (PEP 405).
        folder = posixpath.dirname(path)
        config = next((at for at in (f"{posixpath.dirname(folder)}/pyvenv.cfg", f"{folder}/pyvenv.cfg") if files.there(host, at)), "")
        key = files.identity(host, path) + (f"|{files.identity(host, config)}" if config else "")
        if key in seen or not key or _stand_in(host, path):
            continue
        seen.add(key)
        found.append(PossiblePython(path=path, origin=origin, key=key, virtual=bool(config)))
    return tuple(found)


def is_found(host: Reader, path: str) -> bool:
    """True where the Python at ``path`` is one that is found, and so asked, without being named; nothing is started."""
    own = find(host, path)[:1]
    return bool(own) and own[0].path == path and any(item.key == own[0].key for item in find(host))


def _paths(host: Reader) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    scanned = set()
    for folder in user_folders.search_path(host):
        # /bin is /usr/bin on most systems and PATH often names a folder twice; a big folder takes milliseconds to list.
        where = files.real(host, folder)
        if where not in scanned:
            scanned.add(where)
            found += [(path, "") for path in _pythons(host, folder)]
    home = user_folders.home(host)
    for root in dict.fromkeys(path for path in (host.env.get("PYENV_ROOT", ""), f"{home}/.pyenv" if home else "") if is_absolute(path)):
        found += [(path, "pyenv") for path in _pythons(host, f"{_escape(root)}/versions/*/bin", escaped=True)]
    if root := uv_folder(host):
        folder = "*" if host.platform == "win32" else "*/bin"
        found += [(path, "uv") for path in _pythons(host, f"{_escape(root)}/{folder}", escaped=True)]
    for folder in conda.environments(host):
        found += [(path, "conda") for path in _pythons(host, folder if host.platform == "win32" else f"{folder}/bin")]
    if host.platform == "win32":
        told = dict.fromkeys((*_launcher(host), *windows.registered_pythons(host)))
        found += [(path, "store" if _of_store(path) else "launcher") for path in told]
        # Who runs the tool has at least that one, wherever it lies.
        found += [(host.python, "")]
    else:
        for folder in (*(folder for folder in OTHER_FOLDERS if folder not in scanned), "/opt/*/bin"):
            found += [(path, "") for path in _pythons(host, folder, escaped=True)]
    return [(path, origin or _origin(host, path)) for path, origin in found]


def _pythons(host: Reader, folder: str, *, escaped: bool = False) -> list[str]:
    """The Pythons of a folder, the most exact names first (``python3.11`` before ``python3``), which stay the same after an upgrade."""
    pattern = folder if escaped else _escape(folder)
    paths = (path for path in files.matches(host, f"{pattern}/py*") if NAME.fullmatch(posixpath.basename(path)))
    return sorted(paths, key=lambda path: (posixpath.dirname(path), -len(path), path))


def _escape(folder: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", folder)


def _origin(host: Reader, path: str) -> str:
    folder = posixpath.dirname(path)
    if folder in SYSTEM_FOLDERS:
        return "system"
    where = files.real(host, path)
    root = host.env.get("PYENV_ROOT") or f"{user_folders.home(host)}/.pyenv"
    if where.startswith(f"{files.real(host, root)}/versions/"):
        return "pyenv"
    if "/uv/python/" in where:
        return "uv"
    if _of_store(path):
        return "store"
    return "conda" if files.there(host, f"{posixpath.dirname(folder)}/conda-meta") else "path"


def _of_store(path: str) -> bool:
    """True for a Python of the Microsoft Store: it is started through a link there, which cannot be followed."""
    return "/windowsapps/" in path.lower()


def uv_folder(host: Reader) -> str:
    """Where uv keeps its Pythons: $UV_PYTHON_INSTALL_DIR, else in the user's data folder (uv's reference, "Python versions")."""
    if is_absolute(host.env.get("UV_PYTHON_INSTALL_DIR", "")):
        return host.env["UV_PYTHON_INSTALL_DIR"]
    return f"{user_folders.data(host)}/uv/python"


def _launcher(host: Reader) -> tuple[str, ...]:
    try:
        return tuple(slashed(path) for path in parse_launcher(host.run(["py", "-0p"], timeout=SECONDS).out))
    except files.FAULTS:
        return ()


def _stand_in(host: Reader, path: str) -> bool:
    """True for what is no Python by itself: shims of pyenv, links of mise, the stubs of Windows and macOS that open a window."""
    where = files.real(host, path)
    if not NAME.fullmatch(posixpath.basename(where)):
        # /etc/alternatives and python-build's own names still end in something like python3.11d; shims end in the manager's name.
        return posixpath.basename(where).lower().startswith(("mise", "asdf", "pyenv", "busybox"))
    if host.platform == "darwin" and path == "/usr/bin/python3":
        return not files.there(host, "/Library/Developer/CommandLineTools/usr/bin/python3")
    try:
        start = host.read_bytes(where, 512)
    except files.FAULTS:
        return False
    return not start or (start.startswith(b"#!") and any(name in start for name in STAND_INS))


def _ask_all(host: Reader, candidates: list[PossiblePython]) -> dict[PossiblePython, tuple[dict[str, Any] | None, str]]:
    """Ask side by side: each is a process that mostly waits for the disk."""
    if len(candidates) == 1:
        return {candidates[0]: _ask(host, candidates[0].path)}
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 5 ms that a run with kept answers does not need

    with ThreadPoolExecutor(min(WORKERS, len(candidates))) as pool:
        answers = dict(zip(candidates, pool.map(lambda item: _ask(host, item.path), candidates), strict=True))
    # Side by side they may have kept each other waiting: on a machine that is busy, or whose scanner looks into each at its first start.
    return {item: _ask(host, item.path) if answer[1] == _too_late() else answer for item, answer in answers.items()}


def _too_late() -> str:
    return f"it did not answer within {SECONDS:g} seconds"


def lacking(host: Reader, path: str) -> dict[str, str]:
    """Ask the Python at ``path`` now which modules of its own cannot be imported, and why; nothing where it does not answer."""
    answer, _ = _ask(host, path)
    return {str(name): str(why) for name, why in (answer or {}).get("lacks", {}).items()}


def _ask(host: Reader, path: str) -> tuple[dict[str, Any] | None, str]:
    """The answer, or why there is none. ``-B`` writes no byte code, ``-E -s`` keeps the user's variables and packages out (no ``-I`` in Python 2)."""
    # macOS's launcher sets it so that a child Python takes its parent's identity; -E does not cover it.
    env = {name: value for name, value in host.env.items() if name != "__PYVENV_LAUNCHER__"}
    try:
        done = host.run([path, "-B", "-E", "-s", SCRIPT], env=env, timeout=SECONDS)
    except files.FAULTS as error:
        return None, f"it cannot be started ({files.reason(error)})"
    answer = parse_answer(done.out)
    if answer:
        return answer, ""
    if done.timed_out:
        return None, _too_late()
    if done.code < 0:
        return None, f"it was ended by signal {-done.code}"
    last = done.err.strip().splitlines()[-1:] or [f"exit status {done.code}"]
    return None, f"it gave no answer ({last[0][:200]})"


def _interpreter(host: Reader, candidate: PossiblePython, answer: dict[str, Any] | None) -> Interpreter | None:
    if answer is None:
        return None
    try:
        return Interpreter(
            path=candidate.path,
            version=str(answer["version"]) + str(answer.get("level", "")),
            bits=int(answer["bits"]),
            architecture=_architecture(host, candidate.path, str(answer["machine"])),
            implementation=str(answer["implementation"]).lower(),
            origin=candidate.origin,
            # PEP 668: the marker lies in the standard library's folder, and does not count inside a virtual environment.
            managed=not candidate.virtual and files.there(host, f"{answer['stdlib']}/EXTERNALLY-MANAGED"),
            virtual=candidate.virtual or answer["prefix"] != answer["base_prefix"],
            free_threaded=bool(answer["free_threaded"]),
            lacks=tuple(sorted(answer.get("lacks", ()))),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _architecture(host: Reader, path: str, machine: str) -> str:
    """By the file itself on Linux, where ``platform.machine()`` is the kernel's (a 32-bit Python under a 64-bit system says x86_64)."""
    if host.platform == "linux":
        try:
            return elf.header(host, path).architecture
        except files.FAULTS:
            pass  # a script that starts the real one
    return MACHINE_NAMES.get(machine.lower(), machine.lower())
