"""A team's lock: resolving around the known-good sets, the files that are written, and what keeps them true.

``resolve.lock_targets`` locks, ``store`` reads and writes, ``stale`` says what is no longer true.
"""
