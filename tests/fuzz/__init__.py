"""Every reader is given anything: its answer is a value or an error of ours, never one of Python's own.

``harnesses`` are the readers; ``corpus`` what each begins with; ``test_corpus`` replays it, ``python -m tests.fuzz`` searches on with atheris.
"""
