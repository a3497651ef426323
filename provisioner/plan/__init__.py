"""From a request to a sealed plan: what is picked, what stays, goes and comes, the steps, and reading a saved one.

``pick`` chooses what is to be installed, ``make.make_plan`` compares and seals, ``saved`` reads.
"""
