"""What `tools/bench.py` measures: a module for each subject, whose ``bench`` prints its rows."""
