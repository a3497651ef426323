"""From findings to repair plans, smallest first, each tried until one holds.

``attempts`` begins, plans and tries: ``inputs`` reads what repairs are made from, ``doable`` sorts them, ``plans`` makes the plan of each attempt.
"""
