"""TOML for files that people write: numbers with a point stay text, because versions look like numbers (``2.10`` is not ``2.1``)."""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any

from provisioner.errors import InputError

BITS = 64
# The standard library's parser takes time with the square of a key's parts: 130,000 of them cost it half a minute.
PARTS = 500
_DOTTED = re.compile(r"""(?<![\w"'-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*)+""")


def parse_toml(text: str, *, file: str, name: str) -> dict[str, Any]:
    """Return the data of a TOML document; raises ``InputError`` that begins with ``name`` and, where the parser tells it, line and column."""
    for found in _DOTTED.finditer(text):
        if found[0].count(".") > PARTS:
            line = text.count("\n", 0, found.start()) + 1
            raise InputError("not valid TOML", place=file, faults=(f"{name}:{line}: a key of more than {PARTS} parts",))
    tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        text.encode()
        data: dict[str, Any] = tomllib.loads(text, parse_float=str)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise InputError("not valid TOML", place=file, faults=(f"{name}:{line}: is not UTF-8",)) from None
    except tomllib.TOMLDecodeError as error:
        told = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
        fault = f"{name}:{told[2]}:{told[3]}: {told[1]}" if told else f"{name}: {error}"
        raise InputError("not valid TOML", place=file, faults=(fault,)) from None
    except RecursionError:
        raise InputError("not valid TOML", place=file, faults=(f"{name}: nested too deeply",)) from None
    except ValueError as error:
        # A whole number of more digits than Python converts (sys.set_int_max_str_digits), or a date that no calendar has.
        raise InputError("not valid TOML", place=file, faults=(f"{name}: {str(error).split(':', maxsplit=1)[0]}",)) from None
    if _has_huge(data):
        raise InputError("not valid TOML", place=file, faults=(f"{name}: a number of more than {BITS} bits",))
    return data


def _has_huge(data: Any) -> bool:
    """TOML itself wants 64 bits (its specification, "Integer"); Python reads any, and then cannot print some."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, int) and value.bit_length() > BITS:
            return True
    return False
