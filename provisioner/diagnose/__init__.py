"""From what is seen to what is wrong: the checks of ``doctor``, the reading of logs, ranking, and the repairs that would mend it."""
