"""What *whole* means for an environment, defined once: what is wrong in its files, and with what its packages require of each other.

``whole.judge`` is the front door; nothing here starts a process.
"""
