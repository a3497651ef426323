"""The NVIDIA GPUs and their driver: the signs, then the questions, in a child process with a time limit."""

from __future__ import annotations

import json
from typing import Any

from provisioner.facts import gpu_signs, nvidia_smi
from provisioner.facts.gpu_answers import Answers, Surroundings, driver, gpus, no_driver
from provisioner.facts.gpu_signs import Signs
from provisioner.facts.store import FactStore
from provisioner.host import Reader, files
from provisioner.in_process import script
from provisioner.model.facts import Driver, Fact, Gpu, absent
from provisioner.model.json_text import read_json

Found = tuple[Fact[tuple[Gpu, ...]], Driver]

SUBJECT = "gpu"
SCRIPT = script("_gpu.py")
MARK = "<<tfsetup-gpu>>"
# A machine with eight GPUs and no persistence daemon takes over ten seconds to wake them all.
SECONDS = 40.0
MARGIN = 5.0
# GPUs can come and go without any sign of it (a lost one, a card in an external case).
KEEP_SECONDS = 24 * 3600.0
# What would hide GPUs or change their order from libcuda; NVML and nvidia-smi do not heed them.
HIDING = frozenset({"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"})


def parse_answers(text: str) -> Answers:
    """Read what ``in_process/_gpu.py`` printed, whatever a library printed around it, as {task: answer}."""
    found: Answers = {}
    for part in text.split(MARK)[1::2]:
        try:
            answer = read_json(part)
            found[str(answer.pop("task"))] = answer
        except (ValueError, KeyError, AttributeError, TypeError):  # noqa: PERF203 - one bad answer leaves the others
            continue
    return found


def question_env(host: Reader) -> dict[str, str]:
    """The environment in which the driver is asked: the tool's own, without what hides GPUs."""
    return {**{name: value for name, value in host.env.items() if name not in HIDING}, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def ask(host: Reader, tasks: list[str], *, seconds: float = SECONDS) -> Answers:
    """Run the child process for some tasks; a task that gave no answer is said to have hung or crashed."""
    # -I keeps the user's own modules out.
    argv = [host.python, "-I", SCRIPT, str(seconds), json.dumps(gpu_signs.FOLDERS), *tasks]
    try:
        done = host.run(argv, env=question_env(host), timeout=seconds + MARGIN)
    except files.FAULTS as error:
        return {task: {"error": -1, "words": f"{host.python} cannot be started: {files.reason(error)}"} for task in tasks}
    answers = parse_answers(done.out)
    lost: dict[str, Any] = {"hung": True} if done.timed_out else {"signal": max(-done.code, 0), "exit": done.code}
    return {task: answers.get(task, lost) for task in tasks}


def look(host: Reader) -> Signs:
    """The cheap signs; see ``gpu_signs.look``."""
    return gpu_signs.look(host)


def unasked(signs: Signs, around: Surroundings) -> Found:
    """What the signs alone tell: without a library of the driver there is nothing to ask, and no process is started."""
    made = driver(signs, {}, around)
    if signs.any:
        return absent("the loader's path", made.problem or "the driver's libraries are not there"), made
    return absent("kernel module, device files, libraries", no_driver(around)), made


def kept(host: Reader, store: FactStore | None, signs: Signs, around: Surroundings) -> Found | None:
    """The answer of an earlier run, when nothing has changed that could change it (``gpu_signs.key``)."""
    answers = store.load(SUBJECT, seconds=KEEP_SECONDS).get(gpu_signs.key(host, signs, (SCRIPT,))) if store else None
    try:
        return (gpus(answers), driver(signs, answers, around)) if answers else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # a damaged store: ask again


def probe(host: Reader, store: FactStore | None, signs: Signs, around: Surroundings, *, seconds: float = SECONDS) -> Found:
    """Ask the driver, of which there are ``signs``.

    1. NVML and libcuda, each in a fork of one child process, so that the crash or hang of one leaves the other's answer.
    2. ``nvidia-smi``, when NVML named no GPU.

    An answer with GPUs and without a problem is kept in ``store`` for a day; no other is.
    """
    answers = ask(host, ["nvml", "cuda"], seconds=seconds)
    if not answers["nvml"].get("gpus"):
        answers["smi"] = nvidia_smi.ask(host, question_env(host))
    found, made = gpus(answers), driver(signs, answers, around)
    if store and found.value and not found.why and not made.problem:
        store.save(SUBJECT, {gpu_signs.key(host, signs, (SCRIPT,)): answers})
    return found, made
