"""From what is seen to what is wrong: what is read of an environment, the checks of ``doctor``, and the ranking of what they find.

``gather.gather`` reads, ``doctor.examine`` judges; a check is a module of ``checks``.
"""
