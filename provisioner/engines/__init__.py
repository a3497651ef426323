"""Thin drivers of the installers of the field: uv, pip-tools, conda-lock, rattler.

Each has one module; what is asked of an index stands in ``index`` and ``wheels``.
"""
