"""The faults, a module a subject."""
