"""Frozen values that the whole tool passes around; nothing here has an effect."""
