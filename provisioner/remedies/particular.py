"""What mends a cause where one line, or the place that the log is of, says so exactly; asked before the ways of the cause itself. Pure."""

from __future__ import annotations

from provisioner.model.finding import Remedy
from provisioner.remedies import clusters, containers, dropped_names, elsewhere, hosted, models, packagers, program, visible
from provisioner.remedies.subject import Subject

# By the lines that speak for the cause; by the whole log and what was told; by both.
_OF_LINES = (
    *packagers.KINDS,
    *clusters.OF_LINES,
    *containers.OF_LINES,
    *hosted.OF_LINES,
    *models.OF_LINES,
    *visible.OF_LINES,
    *elsewhere.OF_LINES,
    *dropped_names.OF_LINES,
    *program.KINDS,
)
_OF_PLACES = (*clusters.OF_PLACES, *containers.OF_PLACES, *hosted.OF_PLACES, *visible.OF_PLACES)
_OF_BOTH = (*containers.OF_BOTH, *hosted.OF_BOTH, *elsewhere.OF_BOTH)


def exactly(cause: str, subject: Subject) -> Remedy | None:
    """Return what to do about a cause by a line or a place of the log; None where neither says more than the cause does."""
    for causes, pattern, of_the_line in _OF_LINES:
        found = pattern.search(subject.seen) if cause in causes else None
        remedy = of_the_line(subject, found) if found else None
        if remedy is not None:
            return remedy
    place = f"{subject.told}\n{subject.text}"
    for causes, pattern, of_the_place in _OF_PLACES:
        found = pattern.search(place) if cause in causes else None
        there = of_the_place(subject, found) if found else None
        if there is not None:
            return there
    for causes, pattern, line, of_both in _OF_BOTH:
        found = pattern.search(place) if cause in causes and line.search(subject.seen) else None
        if found:
            return of_both(subject, found)
    return None
