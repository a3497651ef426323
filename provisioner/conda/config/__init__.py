"""condarc: where conda looks for it, how it is parsed, typed and merged.

``read.read_config`` is the front door.
"""
