"""Changing an environment: what leaves (``outgoing``), what comes (``fill``), the renames between them, the way back.

``execute.execute`` is the front door. ``contents`` reads what ``outgoing`` decides from; ``recovery`` takes back, from the journal, what was
interrupted or is undone.
"""
