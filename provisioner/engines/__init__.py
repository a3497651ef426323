"""Thin drivers of the installers of the field."""
