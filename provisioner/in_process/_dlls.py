"""Runs inside the target interpreter on Windows: opens every CUDA library as TensorFlow does there, and reports which file came.

Standard library only, syntax of Python 3.6. TensorFlow exports nothing that could be asked there, and opens each library by its plain name with
``LoadLibraryExW`` (``tsl/platform/windows/load_library.cc``), which searches PATH; so does this, in a process that has started as every one of this
Python does, with what ``.pth`` files have put there. The events are those of ``_libraries``.
"""

import ctypes
import importlib.util
import json
import os
import sys
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]
sys.dont_write_bytecode = True
# winbase.h: what the module itself needs is looked for beside it first.
LOAD_WITH_ALTERED_SEARCH_PATH = 0x8
DRIVER = "nvcuda.dll"
ROOM = 32768


def sibling(name: str) -> Any:
    """A script beside this one, which is on no one's module path."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, f"{name}.py"))  # type: Any
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def opened(name: str) -> "tuple[int, str]":
    """The handle of a library and the file that it is, 0 and "" where Windows finds none."""
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]  # Windows alone has it
    kernel.LoadLibraryExW.restype = ctypes.c_void_p
    kernel.LoadLibraryExW.argtypes = [ctypes.c_wchar_p, ctypes.c_void_p, ctypes.c_uint32]
    kernel.GetModuleFileNameW.argtypes = [ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32]
    handle = kernel.LoadLibraryExW(name, None, LOAD_WITH_ALTERED_SEARCH_PATH) or 0
    room = ctypes.create_unicode_buffer(ROOM)
    if handle:
        kernel.GetModuleFileNameW(handle, room, ROOM)
    return handle, os.path.realpath(room.value).replace("\\", "/") if room.value else ""


def refused(name: str) -> "tuple[str, int]":
    """The file of that name which Windows comes to first, and the number of the error with which it did not load; "" where there is none.

    ``SearchPathW`` looks where ``LoadLibraryExW`` does for a plain name: beside the program, in System32, in Windows, on PATH.
    """
    error = ctypes.get_last_error()  # type: ignore[attr-defined]  # Windows alone has it
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]  # as above
    kernel.SearchPathW.argtypes = [*[ctypes.c_wchar_p] * 3, ctypes.c_uint32, ctypes.c_wchar_p, ctypes.c_void_p]
    room = ctypes.create_unicode_buffer(ROOM)
    return (room.value.replace("\\", "/") if kernel.SearchPathW(None, name, None, ROOM, room, None) else ""), error


def stem(name: str) -> str:
    """``cudart`` of ``cudart64_110.dll``, ``cuda`` of the driver's."""
    return "cuda" if name == DRIVER else name.partition("64_")[0]


def versions(told: Any, name: str, handle: int, path: str) -> str:
    """The version that a loaded library tells of itself; empty where it has no such function."""
    try:
        return str(told[stem(name)](ctypes.CDLL(path, handle=handle))) if stem(name) in told else ""
    except (AttributeError, OSError, ValueError):
        return ""


def main(out: str, mark: str, names: "list[str]") -> None:
    """Open all of ``names``, in their order, then the driver's."""
    target = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)

    def write(**event: Any) -> None:
        os.write(target, f"{mark} {json.dumps(event)}\n".encode())

    shared = sibling("_libraries")
    for name in [*names, DRIVER]:
        kind = "CudaDriver" if name == DRIVER else stem(name)
        write(event="opening", kind=kind)
        handle, path = opened(name)
        place, error = ("", 0) if path else refused(name)
        write(event="library", kind=kind, asked=[name], path=path, missing="" if path else name)
        if place:
            write(event="refused", asked=name, path=place, error=error)
        if path:
            write(event="version", kind=kind, version=versions(shared.SELF_TOLD, name, handle, path))
        if path and name == DRIVER:
            write(event="opening", kind="cuInit")
            write(**shared.driver(handle, path))
    write(event="done")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
