"""How much a line says for a cause: grades, so that two judgements can be told apart by a reader and not only by a sort.

They order the findings of a log (``diagnose.log.weighing``), and decide which of several messages speaks on one line. How sure a cause is
(``confidence``) is another question: a mere symptom may be certain to follow, and a line that names its cause may be wrong about it.
"""

from __future__ import annotations

# It ended the run, and what else is known does not explain it; no message has this grade, explain gives it.
ENDED = 6
# The line names the cause itself, or names and numbers that were compared leave no other.
PROVES = 5
# It names the thing that fails, and that seldom fails for another cause.
TELLS = 4
# It is typical of the cause, and others say it, too.
HINTS = 3
# It fits the cause as it fits others; what else is known decides.
ALLOWS = 2
# A mere symptom: better than nothing, where there is nothing else.
GUESSES = 1

NAMES = {"proves": PROVES, "tells": TELLS, "hints": HINTS, "allows": ALLOWS, "guesses": GUESSES}
