"""What a person does about a cause, computed from the case and the catalogue: the smallest thing first, and what each costs. Pure.

``remedy_for`` is the front door, the one home of these words for explain, doctor and fix; ``Subject`` is what is known of the case.
"""

from __future__ import annotations

from provisioner.remedies.choose import remedy_for
from provisioner.remedies.knowledge import View
from provisioner.remedies.subject import Subject

__all__ = ["Subject", "View", "remedy_for"]
