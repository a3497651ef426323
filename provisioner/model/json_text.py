"""JSON that others wrote: one reader, whose only error is ``ValueError`` with words for a person, and whose values can be used without fear.

Python's own reader gives numbers that its other conversions then fail at (400 digits are no float, 5,000 no text), infinities, and halves of
surrogate pairs that no file can hold. Halves that stand for the bytes of a file's name (PEP 383, U+DC80 to U+DCFF) are names, and stay.
"""

from __future__ import annotations

import json
import re
from typing import Any

# More digits than any size, time or count has; 2**63 has as many.
DIGITS = 19
_HALF = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def read_json(text: str | bytes) -> Any:
    """Return the data of a JSON text; raises ``ValueError`` for everything that is wrong with it.

    It is a ``json.JSONDecodeError``, with line and column, where the text is no JSON.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    try:
        data = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_no_number)
        if _HALF.search(text):
            json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogateescape")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("half of a letter (a lone surrogate)") from None
    return data


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > DIGITS:
        raise ValueError(f"a number of {len(text)} digits; {DIGITS} are the most")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError("a number too large to count with")
    return value


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number in JSON")
