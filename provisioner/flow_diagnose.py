"""The order of the stages of ``doctor``, ``explain`` and ``fix``."""
