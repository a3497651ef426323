"""One module a command, which reads as the list of its stages; the command line asks, these do, ``report`` tells.

Each has one function of the command's name; it is given a ``Session``, and asks for consent by a function that it is given.
"""
