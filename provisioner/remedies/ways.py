"""How a way out is written: command lines for the installer and the shell that were used, and the ways that tfsetup offers beside them."""

from __future__ import annotations

from provisioner.base.versions import minor_of
from provisioner.model.catalogue import Release
from provisioner.model.finding import Remedy, Way
from provisioner.remedies import kept
from provisioner.remedies.knowledge import USUAL, View, has_cuda_set, proven, pythons, release_of, takes
from provisioner.remedies.subject import Subject, quoted, requirement

ONE_PACKAGE = "changes this package and what it asks for"
NEW_ENVIRONMENT = "a new folder; nothing that is there is changed"
MANAGED = "this Python is managed by others (the operating system, uv), and pip refuses to install into it (PEP 668)"
DEBIANS_VENV = " (on Debian and Ubuntu, where that is not there yet: sudo apt install python3-venv)"
# A shell in a container of Debian that has TensorFlow, and the files of the folder in which it was typed.
IN_A_CONTAINER = 'docker run --rm -it -v "$PWD:/work" -w /work python:3.12-slim bash -c "pip install tensorflow && bash"'


def install(subject: Subject, *requirements: str, options: str = "") -> str:
    """The command that installs requirements with what was used before: ``/v/bin/python -m pip install "numpy<2"``."""
    names = " ".join(requirement(item) for item in requirements)
    more = f"{options} " if options else ""
    if subject.notebook:
        return f"%pip install {more}{names}"
    if subject.installer == "docker":
        return f"RUN python -m pip install {more}{names}"
    if options:
        return subject.pip("install", f"{more}{names}")
    if subject.keeper is not None:
        return kept.installs(subject.keeper, requirements, windows=subject.windows)
    if subject.installer == "uv" and not subject.interpreter:
        return f"uv add {names}"
    if subject.installer in {"poetry", "pipenv"}:
        verb = {"poetry": "poetry add", "pipenv": "pipenv install"}[subject.installer]
        return f"{verb} {names}"
    if subject.installer == "reticulate":
        listed = ", ".join(f"'{item}'" for item in requirements)
        return f'Rscript -e "reticulate::py_install(c({listed}), pip = TRUE)"'
    return subject.pip("install", names)


def uninstall(subject: Subject, *names: str) -> str:
    """The command that takes distributions out."""
    listed = " ".join(names)
    if subject.notebook:
        return f"%pip uninstall -y {listed}"
    if subject.installer == "docker":
        return f"RUN python -m pip uninstall -y {listed}"
    return subject.pip("uninstall", listed if subject.pipless else f"-y {listed}")


def runs(subject: Subject, code: str) -> str:
    """The command that runs a line of Python; the line has no double quotes."""
    return f'{subject.shell_python} -c "{code}"'


def ours(subject: Subject, command: str) -> str:
    """One of our commands for the environment of the case; without a name where it has none, and the tool looks for one itself."""
    return f"tfsetup {command} --env {quoted(subject.env, windows=subject.windows)}" if subject.env else f"tfsetup {command}"


def mend(subject: Subject) -> tuple[Way, ...]:
    """Let tfsetup put into the environment what belongs there; nothing where there is no environment that it may change."""
    if not subject.env or subject.kept:
        return ()
    return (
        Way(
            words="Or let tfsetup find and mend what does not fit in that environment; it shows its plan first, proves the result, and can be undone",
            steps=(ours(subject, "fix"),),
        ),
    )


def anew(subject: Subject, view: View, release: Release | None = None, *, device: str = "", python: str = "") -> tuple[Way, ...]:
    """Let tfsetup make a new environment with a proven set; nothing where the catalogue has none for this platform."""
    platform = subject.platform or USUAL
    chosen = release or (release_of(view, subject.tensorflow) if subject.tensorflow else None)
    if chosen is not None and not view.locks(chosen.version, platform):
        return ()
    if chosen is None and not pythons(view, "", platform):
        return ()
    words = ["tfsetup apply"]
    if chosen is not None:
        words.append(f"--tensorflow {minor_of(chosen.version)}")
    if python:
        words.append(f"--python {python}")
    if device == "cuda" and not has_cuda_set(view, chosen or release_of(view, view.versions()[0]), platform, python):
        return ()
    if device:
        words.append(f"--device {device}")
    how = proven(view, chosen, platform, python or subject.python, cuda=device == "cuda")
    named = f"TensorFlow {minor_of(chosen.version)}" if chosen is not None else "the newest TensorFlow that fits this machine"
    return (
        Way(
            words=f"Or let tfsetup make an environment of its own with {named}, as a set that was {how}",
            steps=(f"{' '.join(words)} --env ./tf-env",),
            cost=f"{NEW_ENVIRONMENT}{takes(view, chosen, platform, python, cuda=device == 'cuda')}",
        ),
    )


def into(subject: Subject, view: View, release: Release | None, *, device: str = "") -> tuple[Way, ...]:
    """Let tfsetup put a release into the environment that is there, else into a new one."""
    ways = anew(subject, view, release, device=device)
    if not ways or not subject.env or subject.kept:
        return ways
    way = ways[0]
    return (
        Way(
            words=way.words.replace("make an environment of its own with", "put into that environment"),
            steps=(way.steps[0].replace("--env ./tf-env", f"--env {quoted(subject.env, windows=subject.windows)}"),),
            cost="what else is there and does not fit is named before anything is changed",
        ),
    )


def either(subject: Subject, view: View, **options: str) -> tuple[Way, ...]:
    """The environment that is there, mended; else a new one."""
    return mend(subject) or anew(subject, view, device=options.get("device", ""))


def of_ones_own(subject: Subject, view: View, package: str, why: str, *others: Way) -> Remedy:
    """An environment by Python's own means, where packages may not go into the Python that is there; ``others`` come before tfsetup's way."""
    asked = subject.system == "linux" and subject.distribution in {"", "debian", "ubuntu"}
    return Remedy(
        words="Install into an environment of your own, which needs no rights" + (DEBIANS_VENV if subject.managed and asked else ""),
        steps=(
            ("py -m venv tf-env", rf"tf-env\Scripts\python.exe -m pip install {package}")
            if subject.windows
            else ("python3 -m venv tf-env", f"tf-env/bin/python -m pip install {package}")
        ),
        why=why,
        cost=NEW_ENVIRONMENT,
        others=(*others, *anew(subject, view)),
    )


def venv(subject: Subject, version: str, *requirements: str, folder: str = "tf-env") -> tuple[str, ...]:
    """The commands that make an environment with a certain Python, which the tool fetches itself, and install into it.

    uv has Pythons from 3.8 on; older ones come from conda.
    """
    listed = " ".join(requirement(item) for item in requirements)
    own = {
        "pipenv": (f"pipenv --python {version}", f"pipenv install {listed}"),
        "poetry": (f"poetry env use {version}", f"poetry add {listed}"),
        "uv": (f"uv python pin {version}", f"uv add {listed}"),
    }
    if version and subject.installer in own and not subject.interpreter:
        return own[subject.installer]
    python = "python" if subject.windows else "python3"
    if version and tuple(map(int, version.split("."))) < (3, 8):
        return (f"conda create -y -n {folder} python={version} pip", f"conda run -n {folder} python -m pip install {listed}")
    wanted = f" --python {version}" if version else ""
    return (
        f"{python} -m pip install {'--user --break-system-packages ' if subject.managed else ''}uv",
        f"{python} -m uv venv{wanted} {folder}",
        f"{python} -m uv pip install --python {folder} {listed}",
    )
