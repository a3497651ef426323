"""The faults of ``tests/faults`` given to other programs that check or repair Python environments, and to this one."""
