"""Whether ``verify``, ``doctor``, ``plan`` and a check that shares no code with them say the same of one environment."""
