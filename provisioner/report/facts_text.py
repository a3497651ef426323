"""The facts of a machine as plain text for a person: aligned, and what is missing says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from provisioner.base.numbers import HUGE
from provisioner.base.text import size_words
from provisioner.model.facts import Disk, Driver, Fact, Facts, Gpu, Interpreter, System, Volume
from provisioner.model.record import record

T = TypeVar("T")

# The processor features that TensorFlow and its plug-ins ask for; the others are shown with ``verbose``.
SHOWN_FEATURES = ("sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "amx_tile", "asimd", "sve")
WIDTH = 18
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
STEP = 1024


@record
class Row:
    """One line: a label, what is known, and where that comes from."""

    label: str
    text: str
    source: str = ""


def size(number: int) -> str:
    """Bytes for a person: ``79.6 GiB``."""
    value = float(min(number, HUGE))
    for unit in UNITS[:-1]:
        if abs(value) < STEP:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= STEP
    return f"{value:.1f} {UNITS[-1]}"


def missing(fact: Fact[T]) -> str:
    """Why there is no value: ``none: …`` when it is not there, ``could not tell: …`` when it could not be asked."""
    head = "none" if fact.status == "absent" else "could not tell"
    return f"{head}: {fact.why}" if fact.why else head


def row(label: str, fact: Fact[T], show: Callable[[T], str] = str) -> Row:
    """The line of one fact."""
    return Row(label=label, text=missing(fact) if fact.value is None else show(fact.value), source=fact.source)


def rows(label: str, fact: Fact[tuple[T, ...]], show: Callable[[T], str]) -> list[Row]:
    """A line for each item of a fact; the remark of a known fact (what was left out) comes last."""
    if not fact.value:
        return [row(label, fact, lambda _: "none")]
    found = [Row(label="" if number else label, text=show(item), source=fact.source) for number, item in enumerate(fact.value)]
    return [*found, Row(label="", text=f"note: {fact.why}")] if fact.why else found


def facts_text(facts: Facts, *, verbose: bool) -> str:
    """The whole machine, one section a subject; ``verbose`` adds sources, every processor feature and what does not apply here."""
    sections = (
        ("System", _system(facts, verbose=verbose)),
        ("Processor", _processor(facts, verbose=verbose)),
        ("NVIDIA GPU", _gpus(facts)),
        ("CUDA on this machine", _cuda(facts)),
        ("Python", _pythons(facts)),
        ("Disk", _disk(facts.disk)),
        ("Environment variables", [Row(label=name, text=value) for name, value in facts.variables.items()]),
    )
    return "\n".join(line for title, body in sections if body for line in (title, *_lines(body, verbose=verbose), ""))


def _lines(body: list[Row], *, verbose: bool) -> Iterable[str]:
    width = max(WIDTH, *(len(item.label) for item in body))
    for item in body:
        # A value from outside may hold a line break or a control character, which would break the layout or the terminal.
        text = "".join(letter if letter.isprintable() else "?" for letter in item.text)
        end = f"  [{item.source}]" if verbose and item.source else ""
        yield f"  {item.label:<{width}} {text}{end}".rstrip()


def _system(facts: Facts, *, verbose: bool) -> list[Row]:
    system = facts.system
    found = [
        row("System", system.os),
        row("Version", system.version),
        row("Distribution", system.distribution, lambda value: value.name or f"{value.id} {value.version}".strip()),
        row("Kernel", system.kernel),
        row("WSL", system.wsl, lambda value: f"WSL {value}"),
        row("Container", system.container),
        row("C library", system.libc, lambda value: f"{value.kind} {value.version}"),
        row("Architecture", system.architecture),
        row("This Python's", system.process_architecture),
        row("Translated", system.translated, lambda value: f"yes: this Python runs under {_emulator(system)}" if value else "no"),
    ]
    inapplicable = (("Version", system.version), ("Distribution", system.distribution), ("Translated", system.translated))
    skipped = {label for label, fact in inapplicable if fact.status == "absent"}
    if system.process_architecture.value == system.architecture.value:
        skipped.add("This Python's")
    if facts.windows:
        found.append(row("Visual C++", facts.windows.vc_runtime))
        found.append(row("Its DLLs", facts.windows.vc_dlls, lambda value: " ".join(value) or "none"))
        found.append(row("Long paths", facts.windows.long_paths, lambda value: "on" if value else "off"))
        found.append(row("Not examined", facts.windows.exclusions, lambda value: f"by Microsoft Defender: {', '.join(value) or 'nothing'}"))
    return [item for item in found if verbose or item.label not in skipped]


def _emulator(system: System) -> str:
    return "an emulator (Rosetta)" if system.os.value == "macos" else "an emulator, for the processor is of another kind"


def _processor(facts: Facts, *, verbose: bool) -> list[Row]:
    def features(names: tuple[str, ...]) -> str:
        shown = names if verbose else tuple(name for name in SHOWN_FEATURES if name in names)
        return " ".join(shown) or "none of those that TensorFlow asks for"

    cpu = facts.cpu
    return [
        row("Model", cpu.model),
        row("Logical cores", cpu.cores),
        row("Features", cpu.features, features),
        row("Level", cpu.level),
    ]


def _gpu(gpu: Gpu) -> str:
    parts = [f"{gpu.index}: {gpu.name}"]
    level = gpu.compute_capability
    parts.append(f"compute capability {level.value}" if level.value else f"compute capability {missing(level)}")
    parts.append(size(gpu.memory.value) if gpu.memory.value else f"memory {missing(gpu.memory)}")
    if gpu.mig.value == "enabled":
        parts.append("MIG on: " + (", ".join(gpu.mig_devices) or "no instance"))
    return ", ".join(parts)


def _gpus(facts: Facts) -> list[Row]:
    driver: Driver = facts.driver
    found = rows("GPU", facts.gpus, _gpu)
    if driver.problem:
        found.append(Row(label="Problem", text=driver.problem))
    found += [
        row("Driver release", driver.release),
        row("Driver's CUDA", driver.cuda, lambda value: f"up to {value}"),
        row("Kernel module", driver.kernel_module),
        row("Device files", driver.devices, " ".join),
    ]
    return found + rows("PCI devices", facts.pci_gpus, lambda device: f"{device.vendor} {device.id} {device.driver}".rstrip())


def _cuda(facts: Facts) -> list[Row]:
    return rows("Toolkits", facts.toolkits, lambda kit: f"{kit.version or 'unknown version'}  {kit.path}") + rows(
        "Libraries", facts.libraries, lambda one: f"{one.soname} {one.version or 'unknown version'}  {one.path} (by {one.found_by})"
    )


def _python(python: Interpreter) -> str:
    marks = [python.origin, f"{python.bits}-bit", python.architecture]
    marks += [] if python.implementation == "cpython" else [python.implementation]
    marks += ["managed by the system"] if python.managed else []
    marks += ["virtual environment"] if python.virtual else []
    marks += ["free-threaded"] if python.free_threaded else []
    marks += [f"without {', '.join(python.lacks)}"] if python.lacks else []
    return f"{python.version:<8} {python.path} ({', '.join(mark for mark in marks if mark)})"


def _pythons(facts: Facts) -> list[Row]:
    tools = rows("Conda tools", facts.conda_tools, lambda tool: f"{tool.name} {tool.version}".rstrip() + f"  {tool.path}")
    fetched = row("uv can fetch", facts.downloads, lambda found: ", ".join(item.minor for item in found))
    return rows("Interpreters", facts.interpreters, _python) + tools + ([fetched] if facts.downloads.status != "unknown" else [])


def _disk(disk: Disk) -> list[Row]:
    def volume(value: Volume) -> str:
        state = "" if value.writable else ", not writable"
        kind = f" ({value.filesystem})" if value.filesystem else ""
        return f"{size_words(value.free)} free at {value.path}{kind}{state}"

    return [
        row("Environment", disk.environment, volume),
        row("Installer's cache", disk.cache, volume),
        row(
            "Hard links",
            disk.hard_links,
            lambda value: "work between the two" if value else "do not work between the two: files will be copied",
        ),
    ]
