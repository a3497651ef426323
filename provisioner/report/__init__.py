"""Turning values into text, tables, JSON documents and progress bars.

One module a document: ``plan_text``, ``apply_text``, ``doctor_text`` and so on; ``schemas`` says what each may hold.
"""
