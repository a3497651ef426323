"""Tests of the choice."""
