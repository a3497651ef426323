"""What to do where a manager of packages of the system, or conda, waits for another one or has stopped half-way. Pure."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.subject import Subject

# A command of apt, as it was typed or stands in a Dockerfile.
_APT = re.compile(
    r"\b(apt(?:-get)?)((?: -y| --yes| -qq?| --no-install-recommends)*) (install|upgrade|update|remove)((?: -y)?(?: [\w.+=:-]{1,80}){0,20})"
)
# Who holds a lock, as apt, dnf and zypper name it.
_HOLDER = re.compile(
    r"(?:held by process|Prozess|processus|proceso|processo|процесс\w{0,3}|进程|process with pid|application with pid|PID:?) (\d{1,9})"
    r"(?: \(([\w./-]{1,60})\))?"
)
# Programs that bring packages, as ps lists them.
_PACKAGERS = "ps -eo pid,etime,args | grep -E '[a]pt|[d]pkg|[u]nattended|[d]nf|[y]um|[z]ypper|[p]acman'"
_OF_NVIDIA = re.compile(r"nvidia-container|libnvidia|nvidia-docker|cuda|cudnn|libnccl|tensorrt|libnvinfer")


def _apt(subject: Subject, *options: str) -> str:
    """The command of apt that was typed, as root and with options; the list of packages anew where none is seen."""
    found = _APT.search(subject.text)
    name, flags, verb, rest = found.groups() if found else ("apt-get", "", "update", "")
    return " ".join(" ".join(("sudo", name, *options, flags, verb, rest)).split())


def locked(subject: Subject, found: re.Match[str]) -> Remedy:
    """Another program has the lock (apt.conf(5), DPkg::Lock::Timeout): it is waited for, and the file stays."""
    del found
    holder = _HOLDER.search(subject.text)
    who = f": process {holder[1]}{f', {holder[2]}' if holder[2] else ''}" if holder else ""
    # The lock of the lists of packages is not waited for; and an apt that knows the option names who holds it (both came with 1.9 and 2.0).
    waits = () if "/var/lib/apt/lists" in subject.text or holder is None else ("-o DPkg::Lock::Timeout=600",)
    of_apt = re.search(r"dpkg|\bapt\b|apt-get|/var/lib/apt|cache lock", subject.seen + subject.text) is not None
    look = f"ps -o pid,etime,args -p {holder[1]}" if holder else _PACKAGERS
    return Remedy(
        words=f"Wait until the other program that installs packages has ended{who}; then give the command again. Leave the lock's file where it is",
        steps=(look, *((_apt(subject, *waits),) if of_apt else ())),
        why="one program at a time may change the system's packages; after a start that often is the system's own update, for some minutes",
        others=(Way(words="If it has hung for hours, restart the machine, and let dpkg finish", steps=("sudo dpkg --configure -a",)),)
        if of_apt
        else (),
    )


def of_root(subject: Subject, found: re.Match[str]) -> Remedy:
    """Packages of the system are installed by root alone."""
    of_apt = "superuser" not in found[0]
    return Remedy(
        words="Give the command with sudo: only root installs packages of the system",
        steps=(_apt(subject) if of_apt else "sudo dnf install -y python3.12",),
        why="the lock, and all that it stands for, belongs to root",
        others=(Way(words="Without these rights, ask the administrator of the machine; an environment of Python needs none"),),
    )


def conda_locked(subject: Subject, found: re.Match[str]) -> Remedy:
    """Another conda, or a file system that knows no locks (conda documentation, "Settings", no_lock)."""
    del found
    if "waiting for lock on `" in subject.text:
        return Remedy(
            words="Wait until the other uv has ended, then give the command again",
            steps=("ps -eo pid,etime,args | grep -E '[u]v '",),
            why="two runs of uv do not write one environment or one file of the cache at once",
        )
    return Remedy(
        words="End the other conda or mamba that runs, or wait for it; then give the command again",
        steps=("ps -eo pid,etime,args | grep -E '[c]onda|[m]amba'",),
        why="one conda at a time writes its lists of packages",
        others=(
            Way(
                words="Where none runs, the folder lies on a network drive that knows no locks: let conda do without",
                steps=("conda config --set no_lock true",),
                cost="two condas at once may then spoil these lists, which `conda clean --index-cache` takes away",
            ),
        ),
    )


def interrupted(subject: Subject, found: re.Match[str]) -> Remedy:
    """Dpkg was ended half-way, or a package's own script failed (dpkg(1))."""
    del found
    if re.search(r"nvidia-dkms|dkms[^\n]{0,40}nvidia|module build on kernel", subject.text):
        return _module_not_built(subject)
    return Remedy(
        words="Let dpkg finish what it began, then let apt bring what is still missing",
        steps=("sudo dpkg --configure -a", "sudo apt-get install -f"),
        why="packages of the system are unpacked and not set up, and nothing else is installed until they are",
        others=(
            Way(
                words="If one package fails again, its lines above say why: often a full disk, or a kernel's module that does not build",
                steps=("df -h /",),
            ),
        ),
    )


def _module_not_built(subject: Subject) -> Remedy:
    """The driver's kernel module was not built, for which the kernel's headers and a compiler are needed (dkms(8))."""
    log = re.search(r"(/var/lib/dkms/[\w./-]{1,200}make\.log)", subject.text)
    return Remedy(
        words="Install the headers of the kernel that runs, then let dpkg build the driver's module; where that fails again, its log says why",
        steps=(
            "sudo apt-get install -y linux-headers-$(uname -r) build-essential",
            "sudo dpkg --configure -a",
            *((f"tail -n 40 {log[1]}",) if log else ()),
        ),
        why="the driver's module is built for each kernel; without headers, or for a kernel that is newer than the driver knows, that fails",
        others=(Way(words="Where the kernel is newer than the driver knows: take a newer driver", steps=("sudo ubuntu-drivers install",)),),
    )


def unmet(subject: Subject, found: re.Match[str]) -> Remedy:
    """Packages of the system that do not go together: two sources, or some that are held back (apt-get(8), apt-mark(8))."""
    del found
    named = re.search(r"^ ?([a-z0-9][\w.+-]{1,80}) ?: (?:Depends|PreDepends|Conflicts|Breaks)", subject.text, re.MULTILINE)
    package = named[1] if named else "nvidia-driver-550"
    return Remedy(
        words="See from which source each version comes, and what is held back; then let apt mend what is half installed",
        steps=(f"apt-cache policy {package}", "apt-mark showhold", "sudo apt-get install -f"),
        why="two sources (the distribution's and NVIDIA's, or those of two releases) offer versions that need each other's",
        others=(
            Way(
                words="Of a driver of NVIDIA's: take the old one away wholly, then install one version anew",
                steps=("sudo apt-get remove -y 'nvidia-*' 'libnvidia-*'", "sudo apt-get update"),
                cost="until then the card has no driver",
            ),
        ),
    )


def not_offered(subject: Subject, found: re.Match[str]) -> Remedy:
    """No source of apt's has the package."""
    named = re.search(r"locate package ([\w.+-]{1,80})|Package '([\w.+-]{1,80})'", f"{found[0]}\n{subject.seen}")
    package = next((item for item in named.groups() if item), "") if named else ""
    package = package or "python3-venv"
    of_nvidia = _OF_NVIDIA.search(package) is not None
    return Remedy(
        words=(
            f"Bring apt's lists up to date and look for it again: {package} is in NVIDIA's own source for apt, which its installation guide names"
            if of_nvidia
            else f"Bring apt's lists up to date, and see by which name there is a {package}"
        ),
        steps=("sudo apt-get update", f"apt-cache policy {package}"),
        why="apt knows the packages of the sources in /etc/apt alone, as of the last update of its lists",
        others=(
            (
                Way(
                    words="CUDA and cuDNN for TensorFlow come with pip as well, with no source of apt's",
                    steps=('python3 -m pip install "tensorflow[and-cuda]"',),
                ),
            )
            if of_nvidia and "container" not in package
            else ()
        ),
    )


KINDS = (
    (frozenset({"permission-denied"}), re.compile(r"LockError|other mamba|waiting for lock on `"), conda_locked),
    (
        frozenset({"permission-denied"}),
        re.compile(r"are you root|superuser privileges|lock file /var/lib/(?:dpkg|apt)[^\n]{0,60}Permission denied"),
        of_root,
    ),
    (
        frozenset({"permission-denied"}),
        re.compile(
            r"Could not get lock|/var/lib/(?:dpkg|apt)/|dpkg frontend lock|Unable to lock|cache lock|yum lock|process with pid"
            r"|management is locked|lock database"
        ),
        locked,
    ),
    (frozenset({"install-corrupt"}), re.compile(r"dpkg was interrupted|dpkg: error processing|/usr/bin/dpkg returned"), interrupted),
    (frozenset({"resolver-conflict"}), re.compile(r"have unmet dependencies|held broken packages|Unmet dependencies"), unmet),
    (frozenset({"download-failed"}), re.compile(r"Unable to locate package [\w.+-]{1,80}|has no installation candidate"), not_offered),
)
