"""What to do where an install has no rights, no room, or no network."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.asked import wanted
from provisioner.remedies.knowledge import View
from provisioner.remedies.names import own_module
from provisioner.remedies.pythons import damaged
from provisioner.remedies.subject import Subject, quoted
from provisioner.remedies.ways import MANAGED, NEW_ENVIRONMENT, install, of_ones_own, venv


def permission(subject: Subject, view: View) -> Remedy:
    """An environment of one's own; of devices, processes and the profiler something else."""
    text = subject.seen
    if re.search(r"CUPTI|NVGPUCTR", text):
        if subject.windows:
            return Remedy(
                words=(
                    "Nothing has to be done unless you profile the GPU. To profile, start the program as an administrator, or let NVIDIA's control"
                    " panel allow it to all users (Desktop, Enable Developer Settings; Manage GPU Performance Counters)"
                ),
                why="the driver lets only administrators read the counters of the GPU",
            )
        return Remedy(
            words="Nothing has to be done unless you profile the GPU. To profile, let the driver allow it to all users, and restart",
            steps=(
                "echo 'options nvidia NVreg_RestrictProfilingToAdminUsers=0' | sudo tee /etc/modprobe.d/nvidia-profiling.conf",
                "sudo reboot",
            ),
            why="the driver lets only administrators read the counters of the GPU",
            others=(
                Way(
                    words="In a container, start it with that right, as root",
                    steps=("docker run --rm --gpus all --cap-add=SYS_ADMIN IMAGE nvidia-smi -L",),
                ),
            ),
        )
    if re.search(r"docker\.sock|Docker daemon socket", text):
        return Remedy(
            words="Join the group docker, then log out and in again; or start docker with sudo",
            steps=("sudo usermod -aG docker $USER", "sudo docker version"),
            why="only root and that group may speak with Docker's service",
            cost="who is in that group can do on the machine whatever root can",
        )
    if "/dev/kfd" in text:
        return Remedy(
            words="Join the groups that may use an AMD card, then log out and in again",
            steps=("sudo usermod -aG render,video $USER", "id"),
            why="/dev/kfd, through which ROCm reaches the card, is open to the groups render and video alone",
        )
    if re.search(r"PSSecurityException|[Ee]xecution_?[Pp]olic", text):
        return _scripts_off(subject)
    if "WinError 32" in subject.seen:
        return Remedy(
            words="Close every program that uses this Python or that file (notebooks, editors, an antivirus that looks into it), then install again",
            steps=(install(subject, "tensorflow"),),
            why="Windows neither replaces nor removes a file that a process has open",
        )
    if re.search(r"WinError|Access is denied|Zugriff|\.pyd|拒绝", text):
        return Remedy(
            words="Close every program that uses this Python (notebooks, editors), then install again; or install for this user alone",
            steps=(install(subject, "tensorflow", options="--user"),),
            why="Windows does not replace a DLL that a process has loaded, and a folder of all users needs an administrator",
            others=(
                Way(
                    words="Or make an environment of your own",
                    steps=("py -m venv tf-env", r"tf-env\Scripts\python.exe -m pip install tensorflow"),
                    cost=NEW_ENVIRONMENT,
                ),
            ),
        )
    if re.search(r"map segment|noexec|executable stack", text):
        return Remedy(
            words="Put the environment on a file system that allows programs (not noexec, as /tmp or a share often is)",
            steps=(*venv(subject, "", "tensorflow", folder="~/tf-env"),),
            why="the loader may not map a library as code there",
            cost=NEW_ENVIRONMENT,
        )
    package = wanted(subject)[0] or "tensorflow"
    package = package if re.fullmatch(r"tensorflow[\w-]*", package) else "tensorflow"
    if re.search(r"externally[- ]managed", subject.seen):
        # `--user` is refused there, too.
        return of_ones_own(subject, view, package, MANAGED)
    by_user = Way(words="Or install for this user alone", steps=(f"{subject.shell_python} -m pip install --user {package}",))
    return of_ones_own(subject, view, package, "the folder belongs to the system or to another user", by_user)


def _scripts_off(subject: Subject) -> Remedy:
    """PowerShell as Windows comes runs no scripts, and an activation is one (Microsoft, about_Execution_Policies; Python documentation, venv)."""
    script = re.search(r"(?i)([a-z]:\\[^\n\"'<>|]{0,200}\\Scripts\\)activate\.ps1", subject.seen)
    folder = script[1] if script else "tf-env\\Scripts\\"
    return Remedy(
        words="Let PowerShell run scripts of this machine, for this user alone, then activate the environment again",
        steps=("Set-ExecutionPolicy -ExecutionPolicy RemoteSigned -Scope CurrentUser",),
        why="on Windows PowerShell runs no script until it is allowed, and what activates an environment is a script",
        cost="a setting of this user: scripts that lie on this machine run from now on",
        others=(
            Way(
                words="Or do without activation: start the environment's own Python",
                steps=(f'{quoted(f"{folder}python.exe", windows=True)} -c "import tensorflow"',),
            ),
            Way(
                words="Or, where an administrator has set the policy, activate it in cmd",
                steps=("cmd", quoted(f"{folder}activate.bat", windows=True)),
            ),
        ),
    )


def disk(subject: Subject, view: View) -> Remedy:
    """Room: which disk is full, pip's cache away, a larger folder for temporary files."""
    del view
    if subject.windows:
        return Remedy(
            words="Free some 5 GB on the disk that is full, then install without the cache",
            steps=(f"{subject.shell_python} -m pip cache purge", install(subject, "tensorflow", options="--no-cache-dir")),
            why="pip unpacks in the folder for temporary files before it installs",
            cost="pip downloads again what it needs",
        )
    where = quoted(subject.env) if subject.env else "~"
    asked = wanted(subject)[0]
    package = asked if re.fullmatch(r"tensorflow[\w-]*", asked) else "tensorflow"
    return Remedy(
        words="See which disk is full; where it is the one of /tmp, let pip unpack in a folder on a larger one, without its cache",
        steps=(f"df -h /tmp {where}", "mkdir -p ~/tmp", f"TMPDIR=~/tmp {subject.shell_python} -m pip install --no-cache-dir {package}"),
        why="pip unpacks in the folder for temporary files before it installs; TensorFlow takes 1 to 2 GB there, with CUDA 5 and more",
        others=(Way(words="Or make room: what pip has kept can go", steps=(f"{subject.shell_python} -m pip cache purge",)),),
    )


# What the resolver of names and the system say where there is no way to the index (getaddrinfo(3); connect(2); winsock 11001).
_NO_WAY_OUT = re.compile(
    r"name resolution|getaddrinfo failed|Name or service not known|nodename nor servname|Could not resolve host|Network is unreachable"
    r"|No route to host|dns error",
    re.IGNORECASE,
)


def _not_offered(subject: Subject) -> Remedy | None:
    """What conda's channels and Docker's registry refuse by what was asked for; None for every other line."""
    if re.search(r"Terms of Service|CondaToS", subject.seen):
        named = re.search(r"https?://[^\s'\"]{1,200}", subject.text)
        return Remedy(
            words="Take the packages from conda-forge, which asks for no terms; or read and accept those of the channel",
            steps=(
                "conda create -y -n tf-env --override-channels -c conda-forge python=3.12 pip",
                "conda run -n tf-env python -m pip install tensorflow",
            ),
            why="conda fetches nothing from Anaconda's own channels before their terms of service were accepted",
            cost=NEW_ENVIRONMENT,
            others=(
                Way(
                    words="To accept them",
                    steps=(f"conda tos accept --override-channels --channel {named[0] if named else 'defaults'}",),
                ),
            ),
        )
    if re.search(r"manifest (?:unknown|for)", subject.seen):
        return Remedy(
            words="Take a tag that there is: the newest one, or one of the list of tags on Docker Hub",
            steps=("docker pull tensorflow/tensorflow:latest",),
            why="the registry has no image of that name and tag",
        )
    return None


def download(subject: Subject, view: View) -> Remedy:
    """Once more without what is kept; behind a proxy or with an own certificate, by those. A Python without TLS of its own downloads nothing."""
    if own_module(subject.text) == "_ssl":
        return damaged(subject, view)
    name, version = wanted(subject)
    wheel = re.search(r"\b(tensorflow\w{0,40})-(\d[\w.]{0,40})-cp", subject.text)
    package = name if re.fullmatch(r"tensorflow[\w-]*", name or "") else "tensorflow"
    package, version = (wheel[1].replace("_", "-"), wheel[2]) if wheel else (package, version)
    pin = f"{package}=={version}" if version else package
    again = install(subject, pin, options="--no-cache-dir --timeout 120")
    refused = _not_offered(subject)
    if refused is not None:
        return refused
    if _NO_WAY_OUT.search(subject.seen):
        return Remedy(
            words="See whether this machine reaches other addresses, and which index and proxy pip is told of; then name the proxy, or install again",
            steps=(f"{subject.shell_python} -m pip config list", again),
            why="the name of the index could not be looked up, or no connection to it was made, so nothing was downloaded at all",
            others=(
                Way(words="Behind a proxy", steps=(install(subject, pin, options="--proxy http://PROXY:PORT"),)),
                Way(
                    words="Without a network: fetch the wheels on a machine with the same system and Python, and install from that folder",
                    steps=(
                        f"{subject.shell_python} -m pip download -d wheels {pin}",
                        install(subject, pin, options="--no-index --find-links wheels"),
                    ),
                ),
            ),
        )
    if re.search(r"CERTIFICATE|SSL", subject.text):
        return Remedy(
            words="Give pip the certificate of your network (from your administrator), then install again",
            steps=(install(subject, pin, options="--cert company.pem"),),
            why="something between you and PyPI signs with a certificate that this Python does not know",
            others=(
                Way(
                    words="An old Python or pip may know no current certificates: bring them up to date",
                    steps=(install(subject, "pip", "certifi", options="--upgrade"),),
                ),
            ),
        )
    if re.search(r"[Pp]roxy", subject.text):
        return Remedy(
            words="Name the proxy, then install again",
            steps=(install(subject, pin, options="--proxy http://PROXY:PORT"),),
            why="the connection goes through a proxy that refused it, or that pip was not told of",
        )
    return Remedy(
        words="Throw away what pip kept of the broken download, and fetch it again",
        steps=((f"{subject.shell_python} -m pip cache purge",) if subject.installer != "docker" else ()) + (again,),
        why="the file that came is not the one that was promised: it was cut off or changed on the way",
        cost="downloads TensorFlow again",
        others=(
            Way(
                words=(
                    "If it comes cut off each time, download the wheel by a program that resumes, and install the file; with hashes in a requirements"
                    " file, see that they are of this version"
                )
            ),
        ),
    )
