"""What to do where a notebook has no process to run in, or an editor another Python than the one with TensorFlow. Pure."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import View
from provisioner.remedies.subject import Subject, quoted
from provisioner.remedies.ways import anew, install, runs


def in_the_editor(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """An editor that reads the files with another Python (VS Code, "Python environments"; PyCharm, "Configure a Python interpreter")."""
    del found
    return Remedy(
        words=(
            "Choose in the editor the Python that has TensorFlow (VS Code: Python: Select Interpreter; PyCharm: Settings, Python Interpreter); typed"
            " where TensorFlow works, the line prints its path"
        ),
        steps=(runs(subject, "import sys, tensorflow; print(sys.executable)"),),
        why="an editor looks for modules in the one Python that it was told of",
        others=(
            Way(words="Or install TensorFlow into the one that is chosen there", steps=(install(subject, "tensorflow"),)),
            *anew(subject, view),
        ),
    )


def no_kernel(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """A notebook in an environment without ipykernel."""
    del view, found
    named = re.search(r"Command: '([^'\n]{1,300}?) -m pip", subject.text)
    python = quoted(named[1].strip('"'), windows=subject.windows) if named else subject.shell_python
    env = quoted(subject.env, windows=subject.windows) if subject.env else "./tf-env"
    return Remedy(
        words="Install ipykernel into that environment, and choose it again",
        steps=(f"{python} -m pip install ipykernel",),
        why="a notebook's code runs in a process that ipykernel starts, in the environment's own Python",
        others=(
            Way(
                words="Or, of an environment that tfsetup made, let it register the kernel, which undo takes back",
                steps=(f"tfsetup kernel --env {env}",),
            ),
        ),
    )


def unknown_kernel(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """A notebook that asks for a kernel which is not registered here."""
    del view
    name = found[1] or "tf-env"
    env = quoted(subject.env, windows=subject.windows) if subject.env else "./tf-env"
    return Remedy(
        words="See which kernels there are, and register the environment under the name that the notebook asks for",
        steps=("jupyter kernelspec list", f"tfsetup kernel --env {env} --name {name}"),
        why="a notebook keeps the name of the kernel that it was saved with",
        others=(Way(words="Or choose another kernel in the notebook (Kernel, Change kernel)"),),
    )


def restart(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """Packages that were changed under a process which had loaded them (Colab prints this after pip)."""
    del subject, view, found
    return Remedy(
        words="Restart the session (in Colab: Runtime, Restart session), and do not install again after it",
        why="the process still has the old modules, and a mixture of both fails in many ways",
    )
