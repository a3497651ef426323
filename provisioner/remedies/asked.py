"""What an installer was asked for, as its lines name it."""

from __future__ import annotations

import re

from provisioner.remedies.subject import Subject

FAMILY = re.compile(r"(tensorflow|tf[-_]nightly)([-_](cpu|gpu|intel|macos))?", re.IGNORECASE)


_REQUEST = re.compile(
    r"(?:requirement|you require|distribution found for|candidates for|distribution|[Dd]istribution"
    r" `?|install|tensorflow==)\s*`?(?P<name>[A-Za-z][\w.-]*)(?:\[[\w,-]*\])?(?:\s?(?:==|~=|>=)\s?v?(?P<version>\d[\w.]*)| \((?P<paren>\d[\w.]*)\))?"
)


RANGE = re.compile(r"requires Python ?['\"]?(?P<range>[<>=!~]=? ?\d[\d.*]*(?:, ?[<>=!~]=? ?\d[\d.*]*)*)")


def wanted(subject: Subject) -> tuple[str, str]:
    """The distribution and the version that the lines ask for, ("", "") where they name none."""
    named = [(item["name"].lower().replace("_", "-"), item["version"] or item["paren"] or "") for item in _REQUEST.finditer(subject.seen)]
    named += [(item["name"].lower().replace("_", "-"), item["version"] or item["paren"] or "") for item in _REQUEST.finditer(subject.text)]
    wheel = re.search(r"\b([A-Za-z][\w.]{0,60})-(\d[\w.]{0,40})-(?:cp|py)\d", subject.seen)
    if wheel:
        named.insert(0, (wheel[1].lower().replace("_", "-"), wheel[2]))
    return next((item for item in named if item[1]), next((item for item in named if item[0] not in {"a", "the", "pip"}), ("", "")))
