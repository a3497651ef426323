"""What to do where the shell does not know conda, or conda no environment of that name. Pure."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import View
from provisioner.remedies.subject import Subject, quoted
from provisioner.remedies.ways import NEW_ENVIRONMENT, anew, venv


def unprepared(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """A shell that conda did not prepare (conda documentation, "conda init")."""
    del found
    shell = " zsh" if subject.system == "macos" or re.search(r"\bzsh\b", subject.text) else ""
    return Remedy(
        words="Prepare the shell for conda, once; then open a new terminal and activate the environment there",
        steps=(f"conda init{shell}",),
        why="`conda activate` changes the running shell, which conda has to have set up before",
        cost="a few lines in the shell's start-up file",
        others=(
            Way(
                words="Or start a program in an environment without activating it: see its name, then put conda run -n NAME before the program",
                steps=("conda env list",),
            ),
            *anew(subject, view),
        ),
    )


def missing(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """A terminal that does not know conda: its own prompt on Windows, its folder elsewhere, or an environment without conda."""
    del found
    without = Way(words="Or do without conda: TensorFlow needs none", steps=venv(subject, "3.12", "tensorflow"), cost=NEW_ENVIRONMENT)
    if subject.windows:
        return Remedy(
            words='Open "Anaconda Prompt" or "Miniforge Prompt" from the Start menu, which know conda; `conda init`, typed there, lets other'
            " terminals know it, too",
            steps=("conda init",),
            why="conda's installer for Windows does not put it on PATH",
            others=(without, *anew(subject, view)),
        )
    return Remedy(
        words="Start conda by its folder, where it is installed (miniconda3, anaconda3 or miniforge3), and let it prepare the shell",
        steps=("ls -d ~/*conda3 ~/miniforge3", "~/miniconda3/bin/conda init"),
        why="the shell looks in the folders of PATH alone, and conda's is not among them",
        others=(without, *anew(subject, view)),
    )


def no_such_environment(subject: Subject, view: View, found: re.Match[str]) -> Remedy:
    """An environment of conda's that is not there."""
    name = next((item for item in found.groups() if item), "tf")
    return Remedy(
        words="See which environments there are; make this one, if it is not among them",
        steps=(
            "conda env list",
            f"conda create -y -n {quoted(name)} python=3.12 pip",
            f"conda run -n {quoted(name)} python -m pip install tensorflow",
        ),
        why="conda looks for an environment by its name in its own folders alone; one elsewhere is named by its path",
        cost=NEW_ENVIRONMENT,
        others=anew(subject, view),
    )
