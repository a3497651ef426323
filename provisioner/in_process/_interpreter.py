"""Runs inside the interpreter under question and says what it is and where it would import from. Parses on Python 2.7 and every 3.

``PYTHON _interpreter.py MARK CWD NAME…`` prints one line ``MARK{json}MARK``, so that whatever a ``.pth`` file or a ``sitecustomize`` prints cannot
spoil the answer. A ``NAME`` is a module's, or on Windows a DLL's (``msvcp140.dll``). ``CWD`` takes the place of the script's folder on the module
path, which is what a program started there would have. Nothing of the environment is imported beyond what the start of an interpreter imports by
itself; our own imports come from the standard library's folder, because the path may hold a ``json.py`` of somebody.
"""

# Python 2 has no annotations; the first imports wait until the path is clean.
# ruff: noqa: ANN001, ANN002, ANN202, E402

import sys

# What the start of the interpreter has imported by itself; what we import below must not count.
STARTED = dict((name, getattr(module, "__file__", None)) for name, module in list(sys.modules.items()) if module is not None)  # noqa: C402 - Python 2
PATH = list(sys.path[1:])
if getattr(sys.flags, "safe_path", False):
    # With -P or PYTHONSAFEPATH the script's folder is not there.
    PATH = list(sys.path)


def only_stdlib():  # type: ignore[no-untyped-def]
    """Return the entries of the path that are the standard library, found by a module that is always loaded at the start."""
    separator = "\\" if "\\" in (sys.prefix or "") else "/"
    import os  # noqa: PLC0415 - loaded already, by the start

    home = (getattr(os, "__file__", None) or "").rpartition(separator)[0]
    kept = [entry for entry in sys.path if entry == home or entry == home + separator + "lib-dynload" or entry.endswith((".zip", "DLLs"))]
    if home and home not in kept:
        kept.append(home)
    return kept


sys.path[:] = only_stdlib()  # type: ignore[no-untyped-call]

import json
import os
import platform
import site
import struct
import sysconfig


def full_version():  # type: ignore[no-untyped-def]
    """Return the version as PEP 508 writes it: ``3.13.0rc1``."""
    info = sys.version_info
    plain = ".".join(str(part) for part in info[:3])
    return plain if info[3] == "final" else plain + info[3][0] + str(info[4])


def markers():  # type: ignore[no-untyped-def]
    """Return the environment of PEP 508."""
    implementation = getattr(sys, "implementation", None)
    return {
        "implementation_name": implementation.name if implementation else "cpython",
        "implementation_version": full_version(),  # type: ignore[no-untyped-call]
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "platform_python_implementation": platform.python_implementation(),
        "python_full_version": full_version(),  # type: ignore[no-untyped-call]
        "python_version": "%d.%d" % sys.version_info[:2],  # noqa: UP031 - Python 2
        "sys_platform": sys.platform,
    }


def located(name, path):  # type: ignore[no-untyped-def]
    """Return the file that a module would be loaded from, its folder with a separator at the end for a namespace package, or ""."""
    if name in STARTED:
        return STARTED[name] or "built-in"
    if name in sys.builtin_module_names:
        return "built-in"
    try:
        from importlib.machinery import FrozenImporter, PathFinder  # noqa: PLC0415 - not in Python 2
    except ImportError:
        return ""
    places = path
    spec = None
    # Editable installs add finders of their own, which answer before the path is searched when they stand first.
    finders = [finder for finder in sys.meta_path if getattr(finder, "__module__", "").startswith("__editable__")]
    for number, part in enumerate(name.split(".")):
        whole = ".".join(name.split(".")[: number + 1])
        spec = FrozenImporter.find_spec(whole) if number == 0 else None
        spec = spec or PathFinder.find_spec(whole, places)
        for finder in finders if spec is None else ():
            spec = spec or finder.find_spec(whole, None)
        if spec is None:
            return ""
        places = list(spec.submodule_search_locations or [])
        if part != name.split(".")[-1] and not places:
            return ""
    if spec is None:
        return ""
    if spec.origin and spec.origin not in ("namespace", "frozen"):
        return spec.origin
    if spec.origin == "frozen":
        return "built-in"
    return os.path.join(places[0], "") if places else ""


def safely(call, *args):  # type: ignore[no-untyped-def]
    """Return what a call gives, or "" when a strange interpreter fails at it."""
    try:
        return call(*args)
    except Exception:  # noqa: BLE001 - one answer that is missing must not cost the others
        return ""


def dlls(names):  # type: ignore[no-untyped-def]
    """Return what ``dll`` does for each name; nothing where this Python has no ctypes to ask with."""
    if names and not safely(__import__, "ctypes"):  # type: ignore[no-untyped-call]
        return {}
    return dict((name, safely(dll, name) or ["", ""]) for name in names)  # type: ignore[no-untyped-call] # noqa: C402


def dll(name):  # type: ignore[no-untyped-def]
    """Return the file that a DLL is for this process, as an extension module would get it, and why it cannot be loaded; both may be ""."""
    import ctypes  # noqa: PLC0415 - not everywhere there, and only Windows is asked

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    kernel.GetModuleFileNameW.argtypes = [ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32]
    kernel.LoadLibraryExW.argtypes = [ctypes.c_wchar_p, ctypes.c_void_p, ctypes.c_uint32]
    kernel.LoadLibraryExW.restype = ctypes.c_void_p
    why = ""
    try:
        handle = ctypes.WinDLL(name)._handle  # type: ignore[attr-defined] # noqa: SLF001
    except OSError as error:
        why = str(error)
        # DONT_RESOLVE_DLL_REFERENCES finds it and starts nothing of it; LOAD_LIBRARY_SEARCH_DEFAULT_DIRS as for extension modules from 3.8 on.
        handle = kernel.LoadLibraryExW(name, None, 0x1001 if sys.version_info >= (3, 8) else 0x1)
    room = ctypes.create_unicode_buffer(32768)
    if handle:
        kernel.GetModuleFileNameW(handle, room, 32768)
    return [room.value, why if room.value else ""]


def main():  # type: ignore[no-untyped-def]
    """Collect and print."""
    mark, cwd, names = sys.argv[1], sys.argv[2], [name for name in sys.argv[3:] if not name.endswith(".dll")]
    libraries = [name for name in sys.argv[3:] if name.endswith(".dll") and sys.platform == "win32"]
    safe = bool(getattr(sys.flags, "safe_path", False)) or bool(getattr(sys.flags, "isolated", 0))
    path = ([] if safe or not cwd else [cwd]) + PATH
    prefix = getattr(sys, "real_prefix", None) or getattr(sys, "base_prefix", sys.prefix)
    answer = {
        "executable": sys.executable or "",
        "version": full_version(),  # type: ignore[no-untyped-call]
        "bits": struct.calcsize("P") * 8,
        "machine": platform.machine(),
        "implementation": platform.python_implementation().lower(),
        "prefix": sys.prefix,
        "base_prefix": prefix,
        "user_site": safely(getattr(site, "getusersitepackages", lambda: getattr(site, "USER_SITE", "") or "")) or "",  # type: ignore[no-untyped-call]
        "user_site_enabled": bool(site.ENABLE_USER_SITE),
        "markers": markers(),  # type: ignore[no-untyped-call]
        "path": path,
        "modules": dict((name, safely(located, name, path) or "") for name in names),  # type: ignore[no-untyped-call] # noqa: C402
        "stdlib": [entry for entry in (safely(sysconfig.get_path, "stdlib"), safely(sysconfig.get_path, "platstdlib")) if entry],  # type: ignore[no-untyped-call]
        "sites": [entry for entry in (safely(sysconfig.get_path, "purelib"), safely(sysconfig.get_path, "platlib")) if entry],  # type: ignore[no-untyped-call]
        "started": dict(  # noqa: C402
            (name, file) for name, file in STARTED.items() if file and name in ("sitecustomize", "usercustomize")
        ),
        "free_threaded": bool(safely(sysconfig.get_config_var, "Py_GIL_DISABLED")),  # type: ignore[no-untyped-call]
        "safe_path": safe,
        "dlls": dlls(libraries),  # type: ignore[no-untyped-call]
    }
    sys.stdout.write("\n" + mark + json.dumps(answer) + mark + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()  # type: ignore[no-untyped-call]
