"""The known-good catalogue: reads and checks the profiles, and answers questions about them.

``Catalogue.open`` is the front door.
"""

from __future__ import annotations

from provisioner.catalogue.catalogue import Catalogue, find_profiles

__all__ = ["Catalogue", "find_profiles"]
