"""The markers of another Python on this machine."""

from __future__ import annotations

from provisioner.judge.markers import markers_of


def test_markers_are_those_of_the_environments_python() -> None:
    markers = markers_of("3.8.18")
    assert (markers["python_version"], markers["python_full_version"]) == ("3.8", "3.8.18")
    assert markers_of("3.8")["python_full_version"] == "3.8.0"
    assert markers_of("")["python_version"]
