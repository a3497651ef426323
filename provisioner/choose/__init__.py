"""Chooses release, Python and kind of build from facts, request and catalogue: values in, a `Choice` with its reasons out.

``choose`` is the front door.
"""

from provisioner.choose.choosing import choose
from provisioner.model.catalogue_view import CatalogueView

__all__ = ["CatalogueView", "choose"]
