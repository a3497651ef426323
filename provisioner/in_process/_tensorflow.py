"""Runs inside the target interpreter: imports TensorFlow once, computes, and writes what happened line by line.

Standard library only before TensorFlow is imported; the syntax is that of Python 3.6, because it will meet old interpreters. Run by itself:
``PYTHON _tensorflow.py --out FILE``. Each line of the file is ``MARK {json}``, written with one system call as soon as it is known; a check says
that it starts before it does, so that a crash, a hang or a signal belongs to the check that was running. Nothing is written but that
file and what the checks save under ``--work``.

Events: ``interpreter`` (first), ``start`` and ``end`` of each check, ``loaded`` (what came from where), ``done`` (last).
"""

# The first imports wait until what is loaded already was noted.
# ruff: noqa: E402

import sys

# Modules that the start of the interpreter has loaded: a file of the same name beside a program comes too late for those.
STARTED = frozenset(sys.modules)

import argparse
import faulthandler
import json
import os
import platform
import shutil
import site
import sysconfig
import tempfile
import time
import traceback
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
# Python puts the script's folder first on its path; our module names must not hide the environment's.
sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]
sys.dont_write_bytecode = True
TRACE_LIMIT = 20000
# Top-level modules whose versions explain most faults; (module, attribute path below it).
VERSIONS = ("numpy", "google.protobuf", "keras", "tf_keras", "h5py", "ml_dtypes")


class Skipped(Exception):  # noqa: N818 - not an error
    """A check does not apply; its text says why."""


class Recorder:
    """Writes events to ``out``, each at once, so that nothing is lost when the process dies."""

    def __init__(self, out: str, mark: str) -> None:
        self.mark = mark
        self.handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **event: Any) -> None:
        """Append one event."""
        line = f"{self.mark} {json.dumps(event, default=str)}\n"
        os.write(self.handle, line.encode("ascii", "backslashreplace"))

    def check(self, name: str, device: str, call: Any) -> Any:
        """Run one check and record it; return what it gave, or None when it did not pass."""
        self.write(event="start", check=name, device=device)
        begun = time.time()
        status, detail, data, result = "passed", "", {}, None
        try:
            detail, data, result = call()
        except Skipped as reason:
            status, detail = "skipped", str(reason)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a broken package raises is the result
            status, detail = "failed", f"{type(error).__name__}: {error}"[:2000]
            data = {"error": type(error).__name__, "traceback": traceback.format_exc()[-TRACE_LIMIT:]}
        self.write(event="end", check=name, device=device, status=status, detail=detail, seconds=time.time() - begun, data=data)
        return result if status == "passed" else None


def interpreter() -> "dict[str, Any]":
    """Who runs: enough to evaluate environment markers (PEP 508) and to tell what comes from outside."""
    full = "{}.{}.{}".format(*sys.version_info[:3])
    return {
        "executable": sys.executable,
        "prefix": sys.prefix,
        "base_prefix": getattr(sys, "base_prefix", sys.prefix),
        "path": sys.path,
        "user_site": site.getusersitepackages() if site.ENABLE_USER_SITE else "",
        "purelib": sysconfig.get_path("purelib"),
        "platlib": sysconfig.get_path("platlib"),
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "markers": {
            "implementation_name": sys.implementation.name,
            "implementation_version": full,
            "os_name": os.name,
            "platform_machine": platform.machine(),
            "platform_release": platform.release(),
            "platform_system": platform.system(),
            "platform_version": platform.version(),
            "platform_python_implementation": platform.python_implementation(),
            "python_full_version": platform.python_version(),
            "python_version": ".".join(platform.python_version_tuple()[:2]),
            "sys_platform": sys.platform,
        },
    }


def folder_of(path: str) -> str:
    """The real folder of a file whose own name may be a link (an environment made of links is still inside)."""
    return os.path.realpath(os.path.dirname(path))


def within(path: str, folder: str) -> bool:
    """True when ``path`` lies in ``folder``; both real."""
    return bool(folder) and (path == folder or path.startswith(folder.rstrip(os.sep) + os.sep))


def origin(module: Any) -> str:
    """The file, or the folder of a namespace package, that a module came from; empty for built-in ones."""
    file = getattr(module, "__file__", None)
    if file:
        return str(file)
    places = list(getattr(module, "__path__", []) or [])
    return os.path.join(str(places[0]), "") if places else ""


def foreign_modules() -> "list[dict[str, Any]]":
    """Loaded top-level modules that are neither the environment's nor the standard library's, with what they hide."""
    prefix = os.path.realpath(sys.prefix)
    stdlib = [os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")]
    stdlib = [folder for folder in stdlib if folder]
    sites = [os.path.realpath(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    found = []
    for name, module in sorted(sys.modules.items()):
        path = origin(module)
        if "." in name or name == "__main__" or not os.path.isabs(path):
            continue
        folder = folder_of(path)
        standard = any(within(folder, place) for place in stdlib) and "site-packages" not in folder and "dist-packages" not in folder
        # A .pyd or .so of the standard library may lie in a folder of its own (DLLs on Windows).
        standard = standard or within(folder, os.path.join(os.path.realpath(getattr(sys, "base_prefix", sys.prefix)), "DLLs"))
        # AutoGraph writes what it generates to the temporary folder and imports it from there.
        ours = within(folder, os.path.realpath(HERE)) or folder == os.path.realpath(tempfile.gettempdir())
        if standard or ours or within(folder, prefix):
            continue
        hides = [place for place in stdlib + sites if _provides(place, name) and place not in folder]
        found.append({"module": name, "file": path, "entry": _entry_of(path), "hides": hides[0] if hides else ""})
    return found


def _provides(folder: str, name: str) -> bool:
    return os.path.isdir(os.path.join(folder, name)) or os.path.isfile(os.path.join(folder, name + ".py"))


def _entry_of(path: str) -> str:
    entries = [entry for entry in sys.path if entry and within(os.path.abspath(path), os.path.abspath(entry))]
    return max(entries, key=len) if entries else ""


def foreign_libraries() -> "list[dict[str, str]]":
    """Mapped shared objects that LD_LIBRARY_PATH or LD_PRELOAD brought in from outside the environment (Linux)."""
    try:
        with open("/proc/self/maps", errors="surrogateescape") as file:
            mapped = {line.split(None, 5)[5].rstrip("\n") for line in file if ".so" in line and len(line.split(None, 5)) > 5}  # noqa: PLR2004
    except OSError:
        return []
    own = [os.path.realpath(sys.prefix), os.path.realpath(getattr(sys, "base_prefix", sys.prefix))]
    found = []
    for variable in ("LD_LIBRARY_PATH", "LD_PRELOAD"):
        value = os.environ.get(variable, "")  # noqa: TID251 - this is the target's process
        for entry in value.replace(" ", ":").split(":") if variable == "LD_PRELOAD" else value.split(":"):
            place = os.path.realpath(entry) if entry else ""
            if place and not any(within(place, folder) for folder in own):
                hits = sorted(path for path in mapped if os.path.dirname(path) == place or path == place)
                found += [{"file": path, "variable": variable, "entry": entry} for path in hits]
    return found


def versions(tf: Any) -> "tuple[str, dict[str, Any], Any]":
    """Versions as the modules themselves tell them, and where TensorFlow was imported from."""
    modules = {}
    for name in VERSIONS:
        module = sys.modules.get(name)
        version = getattr(module, "__version__", None)
        if version is not None:
            modules[name] = str(version)
    # Keras of TensorFlow before 2.6 is a part of it, and no distribution called keras, which may lie beside it.
    if "keras" not in modules:
        modules["tf.keras"] = str(getattr(getattr(tf, "keras", None), "__version__", ""))
    data = {"tensorflow": str(tf.__version__), "modules": modules, "file": origin(tf)}
    told = ", ".join("{} {}".format(name.rsplit(".", 1)[-1], version) for name, version in sorted(modules.items()) if version)
    return "TensorFlow {}, {}".format(data["tensorflow"], told), data, None


def import_tensorflow() -> "tuple[str, dict[str, Any], Any]":
    """Import TensorFlow; an empty namespace package is what an interrupted removal leaves, and counts as broken."""
    import tensorflow as tf  # type: ignore[import-untyped]  # noqa: PLC0415 - the one import, after everything else is ready

    if not hasattr(tf, "__version__"):
        raise ImportError(f"tensorflow is an empty namespace package: no __init__.py in {origin(tf)}")
    if not hasattr(tf, "constant"):
        raise ImportError(f"tensorflow has no attribute 'constant': what was imported is {origin(tf)}")
    return origin(tf), {}, tf


def load_kernels() -> Any:
    """Load the sibling script by its path: it is on no one's module path."""
    import importlib.util  # noqa: PLC0415 - only once TensorFlow is there

    spec = importlib.util.spec_from_file_location("_tfsetup_kernels", os.path.join(HERE, "_kernels.py"))  # type: Any
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(record: Recorder, work: str, rehearse: int, *, brief: bool = False) -> None:
    """All checks in order; when the import fails the others are not even announced. ``brief`` computes nothing: import and devices only."""
    tf = record.check("import", "", import_tensorflow)
    if tf is not None:
        record.check("versions", "", lambda: versions(tf))
        if brief:
            record.check("devices", "", lambda: load_kernels().devices(tf, rehearse))
        else:
            load_kernels().run(record, tf, work, rehearse)
    # What makes XLA find its tools may have been set by the import.
    tools = {"flags": os.environ.get("XLA_FLAGS", ""), "ptxas": shutil.which("ptxas") or ""}  # noqa: TID251 - this is the target's process
    record.write(event="loaded", modules=foreign_modules(), libraries=foreign_libraries(), tools=tools)


def stand_in(cwd: str) -> None:
    """Make the module path that of a program in ``cwd``; what was imported only for this script, and its folder would replace, is forgotten."""
    try:
        entries = os.listdir(cwd)
    except OSError:
        entries = []
    names = {entry.split(".")[0] for entry in entries if entry.endswith((".py", ".so", ".pyd")) or os.path.isdir(os.path.join(cwd, entry))}
    for name in list(sys.modules):
        top = name.split(".")[0]
        if top in names and top not in STARTED and _provides(cwd, top):
            del sys.modules[name]
    sys.path.insert(0, cwd)


def main() -> None:
    """Read the options, run, say that the end was reached."""
    parser = argparse.ArgumentParser(description="Prove that the TensorFlow of this interpreter computes")
    parser.add_argument("--out", required=True, help="file that the events are appended to")
    parser.add_argument("--mark", default="@", help="first word of each line")
    parser.add_argument("--work", default="", help="empty folder for what is saved and loaded again; a temporary one without it")
    parser.add_argument("--timeout", type=float, default=0.0, help="seconds after which all stacks are written to standard error")
    parser.add_argument("--rehearse", type=int, default=0, help="treat that many logical CPU devices as if they were GPUs")
    parser.add_argument("--brief", action="store_true", help="import TensorFlow and list the devices, and compute nothing")
    parser.add_argument("--cwd", default="", help="first entry of the module path, as for a program that is started there")
    options = parser.parse_args()
    if options.cwd and not getattr(sys.flags, "safe_path", False):
        stand_in(options.cwd)
    # The C-level stack of a crash, and of a hang shortly before the time limit, is the evidence of what was running.
    faulthandler.enable()
    if options.timeout:
        faulthandler.dump_traceback_later(options.timeout)
    record = Recorder(options.out, options.mark)
    record.write(event="interpreter", **interpreter())
    if options.work:
        run(record, options.work, options.rehearse, brief=options.brief)
    else:
        with tempfile.TemporaryDirectory(prefix="tfsetup-probe-") as work:
            run(record, work, options.rehearse, brief=options.brief)
    record.write(event="done")
    if options.timeout:
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
