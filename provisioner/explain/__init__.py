"""What a log says: its lines recognised, its versions compared with the catalogue, the causes weighed. Pure: text in, findings out.

``weigh`` is what ``explain`` and ``doctor`` call; ``context`` is what is told about the machine (the keys of ``KEYS``), where it is known.
"""

from __future__ import annotations

from provisioner.explain.releases import CatalogueView
from provisioner.explain.weigh import KEYS, weigh

__all__ = ["KEYS", "CatalogueView", "weigh"]
