"""Frozen values that the whole tool passes around; nothing here has an effect.

``record`` makes them, ``codec`` reads and writes them as JSON.
"""
