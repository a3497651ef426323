"""Changing an environment: what leaves (``outgoing``), what comes (``fill``), the renames between them, and the way back.

``execute.execute`` is the front door; ``recovery`` takes back, from the journal, what was interrupted or is undone.
"""
