"""From findings to repair plans, smallest first, each tried until one holds.

``attempts`` begins, plans and tries; ``inputs`` reads what the plans of ``plans`` are made from.
"""
