"""Puts a choice into words: why this release, this Python and this device, and what a person should know."""

from __future__ import annotations

from provisioner.base.versions import numbers
from provisioner.choose.candidates import Candidate, Situation
from provisioner.choose.driver import GpuState
from provisioner.choose.gpu import usable
from provisioner.choose.obstacles import listed
from provisioner.choose.platforms import emulator_warnings, is_jetson, platform_name, unused_gpu
from provisioner.choose.pythons import PythonOffer
from provisioner.model.catalogue import Release
from provisioner.model.plan import GpuJudgement


def reasons(situation: Situation, taken: Candidate, offer: PythonOffer, *, first: bool) -> tuple[str, ...]:
    """Say why this release, this Python and this device; ``first`` when no newer release was in question."""
    request = situation.request
    asked = f" that matches `{request.tensorflow}`" if situation.spec else ""
    kind = "pre-release, asked for by name," if taken.release.prerelease else "release"
    version = taken.release.version
    found = f"with a known-good set for Python {offer.minor} here"
    if not first:
        found = f"that can be used here, and has a known-good set for Python {offer.minor}"
    told = request.origins.get("tensorflow", "default")
    if situation.env.exists and situation.spec and told not in {"default", "option"} and not told.startswith(("variable", "file")):
        # Nobody asked for another one.
        kept = f"TensorFlow {version} is what the environment is for, by {told}; `--upgrade` takes the newest"
        return (kept, *_python_words(situation, offer), device_words(situation, taken.gpus))
    return (
        f"TensorFlow {version} is the newest {kind}{asked} {found}",
        *_python_words(situation, offer),
        device_words(situation, taken.gpus),
    )


def _python_words(situation: Situation, offer: PythonOffer) -> tuple[str, ...]:
    if situation.pythons.supplied:
        return (f"Python {offer.minor} comes from the conda channel; it is the newest that this release has a known-good set for",)
    if not offer.where:
        return ()
    if situation.pythons.env:
        return (f"Python {offer.version} is that of the environment {situation.pythons.env}",)
    python = f"Python {offer.version} {offer.where}"
    if offer.download is not None:
        return (python,)
    if situation.request.python:
        said = [f"{python} is the best here for `--python {situation.request.python}`"]
    else:
        said = [f"{python} is the newest here that this release has a known-good set for"]
    newer = {other.minor for other in situation.pythons.offers if _real(other) and numbers(other.minor) > numbers(offer.minor)}
    if newer:
        verb, them = ("is", "it") if len(newer) == 1 else ("are", "them")
        said.append(f"Python {listed(sorted(newer, key=numbers))} {verb} here too, and this release has no known-good set for {them} here")
    return tuple(said)


def _real(offer: PythonOffer) -> bool:
    return offer.interpreter is not None and not offer.interpreter.virtual


def device_words(situation: Situation, gpus: tuple[GpuJudgement, ...]) -> str:
    """Say what is computed on, and why; ``gpus`` as the build was held against them, empty where that is not known."""
    gpu_state, asked = situation.gpu_state, situation.request.device
    if situation.device == "cuda":
        if gpu_state.state != "answers":
            return "CUDA, because `--device cuda` asks for it by name"
        good = [judgement.name for judgement in gpus if usable(judgement)] or [gpu.name for gpu in gpu_state.gpus]
        counted = listed([f"{good.count(name)} x {name}" if good.count(name) > 1 else name for name in dict.fromkeys(good)])
        driver = situation.facts.driver.release.value
        return f"CUDA, because the NVIDIA driver{f' {driver}' if driver else ''} answers for {counted}"
    if asked == "cpu" and situation.request.origins.get("device", "option").startswith(("the environment", "what is")):
        return f"The CPU, which the environment is for, by {situation.request.origins['device']}"
    if asked == "cpu":
        unused = listed(list(dict.fromkeys(gpu.name for gpu in gpu_state.gpus))) if gpu_state.state == "answers" else ""
        return "The CPU, because `--device cpu` asks for it" + (f"; {unused} stays unused" if unused else "")
    if situation.platform.startswith("macos"):
        return "The CPU, because TensorFlow by itself computes on no GPU of a Mac"
    if gpu_state.state != "none" and not situation.gpu_builds:
        return f"The CPU, because there is no CUDA build of it for {platform_name(situation.platform)}"
    if gpu_state.state == "hidden":
        return f"The CPU, because no NVIDIA driver answers: {gpu_state.why}"
    return "The CPU, because no NVIDIA GPU was found" + _others(situation)


def _others(situation: Situation) -> str:
    """Name the GPUs of other vendors: PyPI's TensorFlow computes on none of them."""
    names = {"amd": "AMD", "intel": "Intel"}
    vendors = sorted({names[device.vendor] for device in situation.facts.pci_gpus.value or () if device.vendor in names})
    return f"; this TensorFlow does not compute on the {listed(vendors)} GPU here" if vendors else ""


def warnings_of(situation: Situation, release: Release | None, told: tuple[str, ...]) -> tuple[str, ...]:
    """Say what a person should know, loudest first: never the CPU in silence where a GPU is. ``told`` is what is known of the build."""
    gpu_state = situation.gpu_state
    loud: tuple[str, ...] = ()
    if situation.device == "cpu" and situation.request.device == "auto":
        if release is not None and not situation.gpu_builds and (gpu_state.state != "none" or is_jetson(situation.facts)):
            loud = (unused_gpu(situation.facts, situation.platform, release),)
        elif gpu_state.why:
            loud = (_loud(gpu_state),)
    return (*loud, *told, *emulator_warnings(situation.facts), *_variable_words(situation))


def _loud(gpu_state: GpuState) -> str:
    if gpu_state.state == "hidden":
        return (
            f"The GPU will NOT be used: {gpu_state.why}. To use it: {gpu_state.remedy}; to install for a GPU all the same: `--device cuda`"
        )
    return f"{gpu_state.why[:1].upper()}{gpu_state.why[1:]}"


def _variable_words(situation: Situation) -> tuple[str, ...]:
    """Say when an environment variable hides every GPU from programs, which the facts are not fooled by."""
    hidden = situation.facts.variables.get("CUDA_VISIBLE_DEVICES")
    if situation.device != "cuda" or hidden is None or hidden.strip() not in {"", "-1", "NoDevFiles"}:
        return ()
    return (f"`CUDA_VISIBLE_DEVICES={hidden}` hides every GPU from programs started here: unset it before you use TensorFlow",)
