"""Records behave like frozen dataclasses with keywords only."""

from __future__ import annotations

import dataclasses
from dataclasses import field

import pytest

from provisioner.model.record import record


@record
class Point:
    """A point."""

    x: int
    y: int = 2
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def sum(self) -> int:
        return self.x + self.y


@record
class Other:
    """The same fields in another class."""

    x: int
    y: int = 2


def test_fields_and_defaults() -> None:
    point = Point(x=1)
    assert (point.x, point.y, point.tags, point.sum) == (1, 2, {}, 3)
    assert Point(x=1).tags is not Point(x=1).tags
    assert [item.name for item in dataclasses.fields(Point)] == ["x", "y", "tags"]
    assert dataclasses.is_dataclass(Point)
    assert repr(point) == "Point(x=1, y=2, tags={})"


@pytest.mark.parametrize(("values", "told"), [({}, "needs x"), ({"x": 1, "z": 2}, "has no z")])
def test_what_is_missing_or_unknown_is_told(values: dict[str, int], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        Point(**values)
    with pytest.raises(TypeError):
        Point(1)


def test_it_cannot_be_changed() -> None:
    point = Point(x=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.z = 2
    assert not hasattr(point, "__dict__")


def test_equality_and_hash_go_by_value_and_class() -> None:
    assert Point(x=1) == Point(x=1, y=2)
    assert Point(x=1) != Point(x=2)
    assert Other(x=1) != Point(x=1)
    assert hash(Other(x=1)) == hash(Other(x=1, y=2))
    assert len({Other(x=1), Other(x=1), Other(x=2)}) == 2


def test_copies_with_changes() -> None:
    assert dataclasses.replace(Point(x=1), y=5) == Point(x=1, y=5)
    assert dataclasses.asdict(Point(x=1)) == {"x": 1, "y": 2, "tags": {}}
