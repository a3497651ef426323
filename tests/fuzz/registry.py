"""A harness is a function of bytes that may raise an error of ours, and nothing else; it names the readers that it stands for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType

from provisioner.errors import TfsetupError


@dataclass(frozen=True)
class Harness:
    name: str
    covers: tuple[str, ...]
    run: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...]

    def __call__(self, data: bytes) -> None:
        try:
            self.run(data)
        except (TfsetupError, *self.allowed):
            return


HARNESSES: dict[str, Harness] = {}


def harness(*readers: Callable[..., object], allowed: tuple[type[Exception], ...] = ()) -> Callable[[Callable[[bytes], object]], Harness]:
    """Enter a harness under its name; ``allowed`` are other errors that its readers announce."""
    plain = [inspect.unwrap(item) for item in readers]
    covers = tuple(f"{item.__module__}.{item.__qualname__}" for item in plain if isinstance(item, FunctionType))

    def enter(run: Callable[[bytes], object]) -> Harness:
        name = run.__name__
        HARNESSES[name] = Harness(name=name, covers=covers, run=run, allowed=allowed)
        return HARNESSES[name]

    return enter


def text(data: bytes) -> str:
    """As ``Reader.read_text`` gives it."""
    return data.decode("utf-8", "surrogateescape")


def strict(data: bytes) -> str:
    """As files that must be UTF-8 are read."""
    return data.decode("utf-8", "ignore")
