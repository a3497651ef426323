"""Turning values into text, tables, JSON documents and progress bars."""
