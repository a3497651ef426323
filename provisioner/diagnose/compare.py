"""Two examinations, earlier and later: what is new, what is gone, what is no longer the same. Pure."""

from __future__ import annotations

from typing import Any

from provisioner.errors import InputError
from provisioner.model import codec
from provisioner.model.diagnosis import Changes, Difference, Examination
from provisioner.model.finding import Finding

SCHEMA = "tfsetup/examination/1"
# Fields of the document that are made from the others.
DERIVED = ("healthy", "changes")


def from_document(text: str, *, file: str) -> Examination:
    """Return the examination in the text of a document; raises ``InputError`` with every fault."""
    data: Any = codec.parse_json(text, file=file)
    if not isinstance(data, dict):
        raise InputError(f"not a `{SCHEMA}` document", place=file, faults=("document: expected an object",))
    kept = {key: value for key, value in data.items() if key not in DERIVED}
    return codec.from_data(Examination, kept, file=file, schema=SCHEMA)


def compare_examinations(before: Examination, after: Examination) -> Changes:
    """Compare by cause and title; a finding counts as changed when its severity, confidence, evidence or symptoms do."""
    old, new = _named(before), _named(after)
    changed = [
        Difference(name=found.cause, title=found.title, before=_words(old[key]), after=_words(found))
        for key, found in new.items()
        if key in old and _shape(old[key]) != _shape(found)
    ]
    results = {item.name: item for item in before.checks}
    return Changes(
        new=tuple(
            Difference(name=item.cause, title=item.title, before="", after=_words(item)) for key, item in new.items() if key not in old
        ),
        gone=tuple(
            Difference(name=item.cause, title=item.title, before=_words(item), after="") for key, item in old.items() if key not in new
        ),
        changed=tuple(changed),
        checks=tuple(
            Difference(name=item.name, title=item.title, before=results[item.name].result, after=item.result)
            for item in after.checks
            if item.name in results and results[item.name].result != item.result
        ),
    )


def _named(examination: Examination) -> dict[tuple[str, str], Finding]:
    return {(item.cause, item.title): item for item in examination.findings}


def _shape(finding: Finding) -> tuple[object, ...]:
    return finding.severity, finding.confidence, frozenset(finding.evidence), frozenset(item.cause for item in finding.symptoms)


def _words(finding: Finding) -> str:
    seen = f": {finding.evidence[0].seen.splitlines()[0]}" if finding.evidence and finding.evidence[0].seen else ""
    return f"{finding.severity}, {finding.confidence}{seen}"
