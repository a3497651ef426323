"""Facts about a machine: what is there, how that is known, and why something is missing.

``gather`` asks for all of them; a subject is a module, whose ``parse_*`` functions are pure and whose ``probe`` reads.
"""

from __future__ import annotations

from provisioner.facts import conda, cpu, disk, gpu, interpreters, overrides, pci, system, variables, windows
from provisioner.facts.gpu_answers import Surroundings
from provisioner.facts.store import FactStore
from provisioner.host import Reader
from provisioner.model.facts import Driver, Fact, Facts, Gpu, Interpreter, unknown

__all__ = ["SCHEMA", "FactStore", "gather"]

SCHEMA = "tfsetup/facts/1"


def gather(host: Reader, *, env: str, cache: str, full: bool, store: FactStore | None = None, python: str = "") -> Facts:
    """Look at the whole machine.

    ``env`` is the absolute path where the environment will be, ``cache`` that of the installer's cache. ``full`` also looks for toolkits
    and libraries and asks conda-like tools for their version, which a plan does not need. ``python`` is the path of an interpreter that a person
    named. ``store`` keeps slow answers between runs.
    Whatever cannot be read or asked becomes a fact with a reason; only a wrong override raises (``UsageError``).
    """
    given = overrides.read(host.env)
    mac = _mac(host)
    machine = system.probe(host, mac)
    devices = pci.probe(host)
    around = Surroundings(container=machine.container.value or "", wsl=machine.wsl.value or "", pci=devices.value or ())
    pythons, gpus, driver = _slow(host, store, around, frozenset(given), python)
    if full:
        from provisioner.facts import libraries  # noqa: PLC0415 - a plan does not need it

        toolkits, copies = libraries.toolkits(host), libraries.libraries(host)
    else:
        toolkits, copies = unknown("", "not asked for a plan"), unknown("", "not asked for a plan")
    facts = Facts(
        system=machine,
        cpu=cpu.probe(host, machine.architecture.value, mac),
        gpus=gpus,
        pci_gpus=devices,
        driver=driver,
        toolkits=toolkits,
        libraries=copies,
        interpreters=pythons,
        conda_tools=conda.probe(host, full=full),
        disk=disk.probe(host, env, cache),
        windows=windows.probe(host, machine.architecture.value),
        variables=variables.probe(host.env),
    )
    return overrides.apply(facts, given) if given else facts


def _mac(host: Reader) -> dict[str, str]:
    if host.platform != "darwin":
        return {}
    from provisioner.facts import macos  # noqa: PLC0415 - only there

    return macos.probe(host)


def _slow(
    host: Reader, store: FactStore | None, around: Surroundings, given: frozenset[str], python: str
) -> tuple[Fact[tuple[Interpreter, ...]], Fact[tuple[Gpu, ...]], Driver]:
    """Interpreters and GPUs side by side where both may wait for processes; a given GPU list keeps the driver from being asked."""
    signs = gpu.look(host)
    if "GPUS" in given or not signs.libraries:
        found, made = gpu.unasked(signs, around)
        return interpreters.probe(host, store, python), found, made
    kept = gpu.kept(host, store, signs, around)
    if kept:
        return interpreters.probe(host, store, python), *kept
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 5 ms that most runs do not need

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(gpu.probe, host, store, signs, around)
        pythons = interpreters.probe(host, store, python)
        return pythons, *asked.result()
