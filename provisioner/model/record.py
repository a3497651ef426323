"""``record``: a frozen, slotted, keyword-only dataclass that costs next to nothing to define.

``dataclasses`` writes and compiles source text for every method of every class when it is imported. Measured here, 76 such classes cost 40 ms
of the 110 ms that ``tfsetup plan`` may take. A record shares its methods with all the others instead; ``dataclasses.fields``, ``replace`` and
``is_dataclass`` work on it, and type checkers see a dataclass (PEP 681).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_options: Any) -> Any:
        """Do at run time what PEP 681 says: nothing."""
        return lambda function: function


T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,))
def record(cls: type[T]) -> type[T]:
    """Make a class a record; its annotated names are its fields, in their order."""
    # For a class without words ``dataclasses`` makes some of its signature, and takes a source text apart for that: 3 ms of each start.
    cls.__doc__ = cls.__doc__ or cls.__name__
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=True, slots=True)(cls)
    made.__record__ = tuple((field.name, field.default, field.default_factory) for field in dataclasses.fields(made))
    for method in (__init__, __repr__, __eq__, __hash__, __setattr__, __delattr__):
        setattr(made, method.__name__, method)
    return cast("type[T]", made)


def __init__(self: Any, **values: Any) -> None:
    """Set every field from its keyword or its default; raises ``TypeError`` for one that is missing or unknown."""
    set_field = object.__setattr__
    for name, default, factory in self.__record__:
        if name in values:
            set_field(self, name, values.pop(name))
        elif default is not dataclasses.MISSING:
            set_field(self, name, default)
        elif factory is not dataclasses.MISSING:
            set_field(self, name, factory())
        else:
            raise TypeError(f"{type(self).__name__} needs {name}")
    if values:
        raise TypeError(f"{type(self).__name__} has no {', '.join(values)}")


def __repr__(self: Any) -> str:
    fields = ", ".join(f"{name}={getattr(self, name)!r}" for name, _, _ in self.__record__)
    return f"{type(self).__name__}({fields})"


def __eq__(self: Any, other: Any) -> bool:
    if type(other) is not type(self):
        return NotImplemented
    return all(getattr(self, name) == getattr(other, name) for name, _, _ in self.__record__)


def __hash__(self: Any) -> int:
    return hash(tuple(getattr(self, name) for name, _, _ in self.__record__))


def __setattr__(self: Any, name: str, _value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
