"""Runs inside a Windows Python with a stand-in for NVIDIA's driver on PATH: has TensorFlow look for GPUs, and prints which DLLs it loaded.

    python opened_dlls.py cudart64_110.dll …      {"cudart64_110.dll": "C:/…/cudart64_110.dll", …}, "" for what is not loaded

The stand-in computes nothing, so TensorFlow ends with an error after it has opened its libraries; that is no part of the answer.
"""

import ctypes
import importlib
import json
import os
import sys

ROOM = 32768


def loaded(name: str) -> str:
    """The file of a DLL that is loaded into this process, "" where it is not."""
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]  # Windows alone has it
    kernel.GetModuleHandleW.restype = ctypes.c_void_p
    kernel.GetModuleFileNameW.argtypes = [ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32]
    handle = kernel.GetModuleHandleW(ctypes.c_wchar_p(name))
    room = ctypes.create_unicode_buffer(ROOM)
    if handle:
        kernel.GetModuleFileNameW(handle, room, ROOM)
    return os.path.realpath(room.value).replace("\\", "/") if room.value else ""


def look_for_gpus() -> None:
    """Have TensorFlow open what it needs for a GPU."""
    tf = importlib.import_module("tensorflow")

    try:
        tf.config.list_physical_devices("GPU")
        tf.zeros([1])
    except Exception as error:  # noqa: BLE001 - whatever a driver that is none leads to
        print(error, file=sys.stderr)


if __name__ == "__main__":
    look_for_gpus()
    print(json.dumps({name: loaded(name) for name in sys.argv[1:]}))
