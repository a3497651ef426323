"""Torture: real runs that are killed, refused and disturbed at every kind of moment, and what is there afterwards (``python -m tests.torture``)."""
