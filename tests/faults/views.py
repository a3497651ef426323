"""What everybody else says of a broken environment: ``verify``, ``plan --exit-code``, and the check that shares no code with the tool."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.host.local import LocalHost
from tests.agreement import independent
from tests.faults.bases import BASES
from tests.faults.fault import HEALTHY, Fault
from tests.faults.place import Place

# docs/verify.md, "Differences by design": the working folder is doctor's matter alone.
OF_THE_WORKING_FOLDER = "shadowing"


@dataclass(frozen=True)
class Asked:
    """How ``verify`` and ``plan`` ended, and what the independent check found; "" where it cannot be asked (another kind, no environment)."""

    verify: int
    plan: int
    independent: str

    @property
    def cell(self) -> str:
        """All three in a word."""
        return f"verify {self.verify}, plan {self.plan}, hashes and requirements {self.independent or 'not asked'}"


def independent_of(place: Place, base: str) -> str:
    """Say what hashes and requirements tell: "whole", or the first thing that is wrong; "" where there is no environment of wheels alone."""
    if base not in BASES or BASES[base].kind != "venv" or len(list(place.env.glob("lib/python3*/site-packages"))) != 1:
        return ""
    found = independent.check(place.env, f"{BASES[base].python}.0", published=Catalogue.open(LocalHost(), find_profiles()).published())
    return found[0] if found else "whole"


def disagreements(fault: Fault, asked: Asked) -> list[str]:
    """Return who says something else than what is the case, by what each of them looks at."""
    healthy = fault.cause == HEALTHY
    found = []
    if healthy and asked.verify:
        found.append(f"doctor has no alarm, verify ends with {asked.verify}")
    if not healthy and not asked.verify and fault.subject != OF_THE_WORKING_FOLDER:
        found.append("doctor has findings, verify ends with 0")
    if asked.independent not in {"", "whole"}:
        found += [f"{asked.independent}, and plan ends with 0"] if not asked.plan else []
        found += [f"{asked.independent}, and verify ends with 0"] if not asked.verify else []
        found += [f"{asked.independent}, in what should be healthy"] if healthy else []
    return found
