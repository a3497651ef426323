"""Runs inside a Python under question and says what it is. Standard library only; parses on Python 2.7 and every 3.

Prints one line, ``MARK{json}MARK``, so that whatever else a ``sitecustomize`` prints cannot spoil the answer.
"""

import sys

# The folder of this script holds modules of another program; nothing may be imported from there.
HERE = __file__.replace("\\", "/").rpartition("/")[0]
sys.path[:] = [path for path in sys.path if path.replace("\\", "/") != HERE]

import json  # noqa: E402 - after the path is clean
import os  # noqa: E402
import platform  # noqa: E402
import struct  # noqa: E402
import sysconfig  # noqa: E402

MARK = "<<tfsetup-inspect>>"
# Modules of Python's own that are built, or can be loaded, only where a library is (CPython's Developer's Guide, "Install dependencies").
OWN = ("_bz2", "_ctypes", "_hashlib", "_lzma", "_sqlite3", "_ssl", "zlib")


def lacks():  # type: ignore[no-untyped-def] # noqa: ANN202 - as main
    """Return those of ``OWN`` that cannot be imported, and why."""
    found = {}
    for name in OWN if sys.version_info >= (3, 3) else ():
        try:
            __import__(name)
        except Exception as error:  # noqa: BLE001, PERF203 - whatever it is, it is not there
            found[name] = str(error)
    return found


def main():  # type: ignore[no-untyped-def] # noqa: ANN202 - Python 2 has no annotations
    """Collect and print."""
    version = sys.version_info
    stdlib = sysconfig.get_path("stdlib") or os.path.dirname(os.__file__)
    prefix = getattr(sys, "real_prefix", None) or getattr(sys, "base_prefix", sys.prefix)
    answer = {
        "version": ".".join(str(part) for part in version[:3]),
        "level": "" if version[3] == "final" else version[3] + str(version[4]),
        "bits": struct.calcsize("P") * 8,
        "machine": platform.machine(),
        "implementation": platform.python_implementation(),
        "stdlib": stdlib,
        "prefix": sys.prefix,
        "base_prefix": prefix,
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "lacks": lacks(),  # type: ignore[no-untyped-call]
    }
    sys.stdout.write("\n" + MARK + json.dumps(answer) + MARK + "\n")
    sys.stdout.flush()


main()  # type: ignore[no-untyped-call]
