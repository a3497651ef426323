"""What to do about what is beside TensorFlow and its packages: OpenCV's desktop, the build tools, the system's own libraries. Pure."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.names import restarted
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import install, mend, uninstall


def not_of_tensorflow(subject: Subject) -> Remedy | None:
    """What mends a line that is of none of TensorFlow's packages; None for every other line."""
    return _without_a_desktop(subject) or _build_tools(subject) or _of_the_system(subject)


# The libraries of X and GTK that opencv-python is linked with (OpenCV on PyPI, "Frequently Asked Questions").
_OF_A_DESKTOP = re.compile(r"\blib(?:GL|EGL|gthread-2\.0|glib-2\.0|SM|ICE|Xext|Xrender|xcb)\.so")


def _without_a_desktop(subject: Subject) -> Remedy | None:
    """OpenCV's build without windows; None where no line misses a library of a desktop."""
    if not _OF_A_DESKTOP.search(subject.seen):
        return None
    return Remedy(
        words="Take the OpenCV that needs no desktop: opencv-python-headless",
        steps=(uninstall(subject, "opencv-python", "opencv-contrib-python"), install(subject, "opencv-python-headless")),
        why="opencv-python is linked with libraries of a desktop, which servers and images of Docker are without",
        cost="cv2.imshow does not work then, which needs a desktop anyhow",
        others=(
            Way(
                words="Or install those libraries (Debian, Ubuntu; as root)",
                steps=("apt-get update", "apt-get install -y libgl1 libglib2.0-0"),
                cost="needs an administrator",
            ),
        ),
    )


def _build_tools(subject: Subject) -> Remedy | None:
    """Two halves of Python's build tools that are of different times; None for every other line (setuptools and packaging, release notes)."""
    if not re.search(r"install_layout|bdist_wheel|strip_trailing_zero", subject.seen):
        return None
    return Remedy(
        words="Bring pip, setuptools, wheel and packaging up to date together, in an environment; then install again",
        steps=(install(subject, "pip", "setuptools", "wheel", "packaging", options="--upgrade"),),
        why="setuptools and packaging, of which one is the distribution's or older, ask each other for names that are not there",
        cost=restarted(subject, "changes the build tools alone"),
        others=mend(subject),
    )


def _of_the_system(subject: Subject) -> Remedy | None:
    """A library that is the system's own; None for those that wheels bring and for every other line."""
    found = re.search(r"\b(lib(?:ssl|crypto|crypt|nsl|ffi|tinfo|ncursesw?|readline|sqlite3|bz2|lzma|z)\.so[.\d]{0,10})", subject.seen)
    if found is None or subject.windows or subject.system == "macos":
        return None
    return Remedy(
        words=(
            f"See which package of this system has {found[1]} and install it (Debian, Ubuntu); where none has, the Python or the package that asks"
            " was built on an older system: make the environment anew"
        ),
        steps=("sudo apt-get install -y apt-file", "sudo apt-file update", f"apt-file search {found[1].rstrip('.')}"),
        why="it is the system's own, and no package on PyPI brings it",
        cost="needs an administrator",
        others=mend(subject),
    )
