"""What to do about a name that NumPy dropped: in the program itself, or in the package that asks for it. Pure."""

from __future__ import annotations

import re

from provisioner.base.versions import numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.names import asking_package, distribution_of, own_frame
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import install, mend

# The first TensorFlow whose wheels admit NumPy 2 (METADATA of 2.18).
WITH_NUMPY_2 = (2, 18)
# What NumPy called by another name until 1.24.
_PLAIN = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "complex": "complex",
    "object": "object",
    "str": "str",
    "long": "int",
    "unicode": "str",
}


def renamed_in_numpy(subject: Subject, found: re.Match[str]) -> Remedy | None:
    """A name that NumPy dropped, in a file of the person's own: NumPy says what takes its place (NumPy 2.0 migration guide)."""
    where = own_frame(subject.text)
    if not where:
        return None
    old, new = found[1], found[2]
    if old in _PLAIN:
        # Dropped in 1.24, for Python's own names (NumPy 1.24 release notes).
        return Remedy(
            words=f"Write {_PLAIN[old]} in place of np.{old} in {where}",
            steps=(),
            why=f"NumPy 1.24 and later have no np.{old}, and it is the program that asks for it",
            others=(Way(words="Or keep the program, with the NumPy before", steps=(install(subject, "numpy<1.24"),)),),
        )
    return Remedy(
        words=f"Write {new} in place of {old} in {where}",
        steps=(),
        why=f"NumPy 2 has no {old}, and it is the program that asks for it; TensorFlow from 2.18 on goes with NumPy 2",
        others=(
            Way(
                words="Or keep the program, with the NumPy before; TensorFlow from 2.18 on takes either",
                steps=(install(subject, "numpy<2"),),
                cost="packages that are built for NumPy 2 alone do not work with it",
            ),
        ),
    )


def older_than_numpy_2(subject: Subject, found: re.Match[str]) -> Remedy | None:
    """A name that NumPy 2 dropped, asked for by an installed package that is none of TensorFlow's (NumPy 2.0 migration guide)."""
    asking = asking_package(subject)
    name = distribution_of(asking) if asking not in {"", "numpy", "tensorflow", "keras"} else ""
    if not name or numbers(subject.minor) < WITH_NUMPY_2:
        return None
    return Remedy(
        words=f"Bring {name} up to date: it asks for np.{found[1]}, which NumPy 2 does not have, and TensorFlow {subject.minor} goes with NumPy 2",
        steps=(install(subject, name, options="--upgrade"), subject.pip("check")),
        why=f"the innermost file is one of {name}, which was written for NumPy 1",
        others=(
            Way(words="Or take the NumPy before, with which this TensorFlow goes, too", steps=(install(subject, "numpy<2"),)),
            *mend(subject),
        ),
    )


OF_LINES = (
    (
        frozenset({"numpy-incompatible"}),
        re.compile(r"module 'numpy' has no attribute '(\w{1,40})'|`?np\.(\w{1,40})`? was removed in the NumPy 2"),
        older_than_numpy_2,
    ),
    (
        frozenset({"numpy-incompatible", "user-code"}),
        re.compile(r"`?(np\.\w{1,40})`? was removed in the NumPy 2\.0 release\. Use `?(np\.\w{1,40})"),
        renamed_in_numpy,
    ),
    (
        frozenset({"numpy-incompatible", "user-code"}),
        re.compile(r"module 'numpy' has no attribute '(bool|int|float|complex|object|str|long|unicode)'()"),
        renamed_in_numpy,
    ),
)
