"""What to do where the lines name no cause that has a code: what to collect next, and memory of the machine, which no install makes more. Pure."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import View
from provisioner.remedies.subject import Subject
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import install, ours

# What to collect next, by the kind of end: words and a command.
_COLLECT: dict[str, tuple[str, str]] = {
    "exception": ("The message is not known here. Run it again and keep the whole traceback, from its first line to its last", ""),
    "cut": ("The traceback is cut off before its last line, which says what failed. Run it again and keep all of it", ""),
    "signal": ("The system ended the process, and no line says why. Let Python say where it was when it died", "faulthandler"),
    "abort": ("The program ended itself after the line above. Let Python say where it was", "faulthandler"),
    "kernel": ("The notebook lost its process, and hides what that said. Start the same code as a script in a terminal", "faulthandler"),
    "status": ("Only the exit status is there. Keep what the program printed before it", ""),
    "installer": ("The installer's message is not known here. Run it again with all that it can say", "pip"),
    "container": ("The container was not started. See whether one starts at all, and one with the GPU", "docker"),
}


def unknown(subject: Subject, view: View) -> Remedy:
    """What to collect next, for the kind of end that it was."""
    words, what = _COLLECT.get(
        subject.ending,
        ("No line of it is known here, and none says that something failed. Give the whole output, from its first line to its last", ""),
    )
    program = "YOUR_SCRIPT.py"
    keep = "> log.txt 2>&1"
    steps = {
        "faulthandler": (f"{subject.shell_python} -X faulthandler {program} {keep}", "tfsetup explain log.txt"),
        "pip": (f"{install(subject, 'tensorflow', options='-v')} {keep}", "tfsetup explain log.txt"),
        "docker": ("docker run --rm hello-world", "docker run --rm --gpus all ubuntu:22.04 nvidia-smi -L"),
    }.get(what, (f"{subject.shell_python} {program} {keep}", "tfsetup explain log.txt"))
    here = Way(words="If it happened on this machine, examine the environment itself", steps=(ours(subject, "doctor"),))
    del view
    if _OF_MEMORY.search(subject.seen):
        return _no_memory(subject, here)
    for pattern, limit_words, limit_step, why in _LIMITS:
        if pattern.search(subject.text):
            return Remedy(words=limit_words, steps=(limit_step,) if limit_step and not subject.windows else (), why=why, others=(here,))
    if "failed to solve: process" in subject.text:
        return Remedy(
            words="Let Docker print all that the failed line of the Dockerfile said: the cause stands there, above the last line",
            steps=("docker build --progress=plain --no-cache .",),
            why="the last line of a build repeats the command alone",
        )
    encoding = re.search(r"UnicodeDecodeError: '[\w-]{2,20}' codec|UTF-8 locale is required", subject.text)
    if encoding and not subject.notebook:
        return Remedy(
            words="Let Python read and write files as UTF-8, then do it again",
            steps=(assigned("PYTHONUTF8", "1", windows=subject.windows),),
            why="without it Python takes the encoding of the system's language, and the file is in UTF-8 (PEP 540)",
            others=(here,),
        )
    if _NO_DAEMON.search(subject.text):
        return Remedy(
            words="Start Docker: the program docker is there, and what it speaks with does not run, or your user may not speak with it",
            steps=("docker version",)
            if subject.windows or subject.system == "macos"
            else ("sudo systemctl start docker", "sudo docker version"),
            why="docker hands every command to a service, which Docker Desktop starts on Windows and macOS, and systemd on Linux",
        )
    if what == "faulthandler" and "most recent call first" in subject.text:
        return Remedy(
            words="The process died in compiled code; the lines `most recent call first` say which call of yours led there. Examine the environment",
            steps=here.steps,
            why="no line says what is wrong; a damaged or mixed installation dies like this, and so does a fault of a library",
        )
    return Remedy(words=words, steps=steps, why="the cause stands before or in what is missing here", others=(here,))


# Limits of the system that look like something else: inotify(7), setrlimit(2), pthread_create(3).
_LIMITS = (
    (
        re.compile(r"inotify watch limit|inotify instances"),
        "Let this user watch more files, which TensorBoard, editors and servers do; no disk is full",
        "sudo sysctl fs.inotify.max_user_watches=524288",
        "the system says `No space left` of its table of watches, too",
    ),
    (
        re.compile(r"Too many open files|Errno 24\b"),
        "Let this shell open more files at once, then start the program in it",
        "ulimit -n 4096",
        "each process may have a number of files open, which is small on many systems",
    ),
    (
        re.compile(r"pthread_create failed|can't start new thread|blas_thread_init"),
        "Let NumPy start fewer threads, in the shell from which the program starts; on a shared machine or in a container ask for more processes",
        "export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1",
        "this user, batch job or container may have no more processes and threads than that",
    ),
)
# What the program docker says where the service does not answer (docker/cli).
_NO_DAEMON = re.compile(r"Cannot connect to the Docker daemon|error during connect|docker daemon is not running")
# What Linux, Windows in the languages that people paste, NumPy and C++ say where there is no memory; SIGKILL most often is the system's end of one.
_OF_MEMORY = re.compile(
    r"\b[Kk]illed\b|SIGKILL|\b137\b|\boom|[Cc]annot allocate memory|bad_alloc|MemoryError|Unable to allocate|paging file|WinError 1455"
    r"|all available RAM|Out of memory \(used"
    r"|Auslagerungsdatei|pagination|paginación|页面文件"
)


def _no_memory(subject: Subject, here: Way) -> Remedy:
    """Memory of the machine, not of the GPU: nothing that is installed makes it more."""
    if subject.windows:
        return Remedy(
            words=(
                "End other programs, let fewer processes load TensorFlow at once (notebooks, workers), and give Windows a larger paging file"
                " (Advanced, Virtual memory)"
            ),
            steps=("SystemPropertiesPerformance.exe",),
            why="Windows had no memory left to promise: each process that loads TensorFlow's and CUDA's DLLs asks for gigabytes",
            others=(here,),
        )
    if re.search(r"Collecting tensorflow|Downloading tensorflow|pip install", subject.text) and "Epoch" not in subject.text:
        return Remedy(
            words="Let pip keep no copy of what it downloads, which it holds in memory meanwhile; if that is not enough, give the machine swap",
            steps=(install(subject, "tensorflow", options="--no-cache-dir"), "free -h"),
            why="the system ended pip, which wants more memory than there is: TensorFlow's wheel has 600 MB",
            others=(here,),
        )
    return Remedy(
        words="See how much memory there is while it runs, and make the batch, or what is loaded at once, smaller",
        steps=("vm_stat",) if subject.system == "macos" else ("vm_stat || free -h",) if "zsh" in subject.seen else ("free -h",),
        why="the system ends a process that wants more than there is (in a container or a batch job: than it may have), and lets it say nothing",
        others=(here,),
    )
