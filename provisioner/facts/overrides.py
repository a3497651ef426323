"""Facts given by the user: ``TFSETUP_FACT_<NAME>`` replaces what was found, parsed to the same type; an empty value means "absent"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from provisioner.errors import UsageError
from provisioner.model.facts import Distribution, Fact, Facts, Gpu, Interpreter, Libc, absent, known, unknown

PREFIX = "TFSETUP_FACT_"


def _matching(pattern: str, expected: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(expected)
        return text

    return parse


def _one_of(*names: str) -> Callable[[str], str]:
    return _matching("|".join(names), "one of " + ", ".join(names))


def _truth(text: str) -> bool:
    try:
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
    except KeyError:
        raise ValueError("true or false") from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("a whole number above 0, as 8")
    return int(text)


def _libc(text: str) -> Libc:
    found = re.fullmatch(r"(glibc|musl) (\d+\.\d+)", text)
    if not found:
        raise ValueError("a C library and its version, as glibc 2.31")
    return Libc(kind=found[1], version=found[2])


def _distribution(text: str) -> Distribution:
    found = re.fullmatch(r"([a-z0-9._-]+)(?: (\S+))?", text)
    if not found:
        raise ValueError("a distribution and its version, as ubuntu 22.04")
    return Distribution(id=found[1], version=found[2] or "")


def _features(text: str) -> tuple[str, ...]:
    names = [name for name in re.split(r"[,\s]+", text.lower()) if name]
    if not all(re.fullmatch(r"[a-z0-9_.]+", name) for name in names):
        raise ValueError("names of processor features, as avx,avx2,fma")
    return tuple(sorted(set(names)))


def _gpus(text: str) -> tuple[Gpu, ...]:
    """``9.0`` or ``NVIDIA H100=9.0, Tesla T4=7.5``: one item a GPU."""
    made = []
    for index, item in enumerate(text.split(",")):
        found = re.fullmatch(r"(?:([^=]*\S)\s*=\s*)?(\d{1,2}\.\d)", item.strip())
        if not found:
            raise ValueError("compute capabilities, as 9.0 or NVIDIA H100=9.0,Tesla T4=7.5")
        made.append(
            Gpu(
                index=index,
                name=found[1] or f"GPU of capability {found[2]}",
                compute_capability=known(found[2], PREFIX + "GPUS"),
                memory=unknown(PREFIX + "GPUS", "not given"),
                mig=unknown(PREFIX + "GPUS", "not given"),
            )
        )
    return tuple(made)


def _interpreters(text: str) -> tuple[Interpreter, ...]:
    """``3.11.7=/usr/bin/python3.11`` one item an interpreter, parted by commas; each is taken for a 64-bit CPython."""
    made = []
    for item in text.split(","):
        version, _, path = item.strip().partition("=")
        if not re.fullmatch(r"\d+\.\d+\.\d+", version) or not path:
            raise ValueError("versions and paths, as 3.11.7=/usr/bin/python3.11")
        made.append(Interpreter(path=path, version=version, bits=64, architecture="", implementation="cpython", origin="path"))
    return tuple(made)


_WORD = _matching(r"[A-Za-z0-9._+-]+", "one word")
_RELEASE = _matching(r"\d{2,4}(\.\d{1,3}){1,2}", "a driver release, as 550.54.14")

# name → (group of the facts, field, parser); one for each fact that a choice depends on.
OVERRIDES: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "OS": ("system", "os", _one_of("linux", "macos", "windows")),
    "OS_VERSION": ("system", "version", _matching(r"\d+(\.\d+)*", "a version, as 14.5")),
    "DISTRIBUTION": ("system", "distribution", _distribution),
    "KERNEL": ("system", "kernel", _matching(r"\S+", "a kernel release, as 6.1.0-18-amd64")),
    "WSL": ("system", "wsl", _one_of("1", "2")),
    "CONTAINER": ("system", "container", _WORD),
    "LIBC": ("system", "libc", _libc),
    "ARCHITECTURE": ("system", "architecture", _WORD),
    "PROCESS_ARCHITECTURE": ("system", "process_architecture", _WORD),
    "TRANSLATED": ("system", "translated", _truth),
    "CPU_MODEL": ("cpu", "model", str),
    "CPU_CORES": ("cpu", "cores", _count),
    "CPU_FEATURES": ("cpu", "features", _features),
    "CPU_LEVEL": ("cpu", "level", _matching(r"x86-64-v[1-4]", "a level, as x86-64-v3")),
    "GPUS": ("", "gpus", _gpus),
    "DRIVER": ("driver", "release", _RELEASE),
    "CUDA": ("driver", "cuda", _matching(r"[1-9]\d?\.\d{1,2}", "the CUDA version that the driver supports, as 12.4")),
    "KERNEL_MODULE": ("driver", "kernel_module", _RELEASE),
    "INTERPRETERS": ("", "interpreters", _interpreters),
    "HARD_LINKS": ("disk", "hard_links", _truth),
    "VC_RUNTIME": ("windows", "vc_runtime", _matching(r"\d+(\.\d+){1,3}", "a version, as 14.38.33130")),
    "LONG_PATHS": ("windows", "long_paths", _truth),
}


def read(env: Mapping[str, str]) -> dict[str, Fact[Any]]:
    """The overrides that are set, by name.

    Raises ``UsageError`` that names the variable when it is no fact's or its value is not of the fact's type.
    """
    found: dict[str, Fact[Any]] = {}
    for variable, text in sorted(env.items()):
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX)
        if name not in OVERRIDES:
            raise UsageError("no fact has this name", place=variable, hint="the names are " + ", ".join(OVERRIDES))
        try:
            value = OVERRIDES[name][2](text.strip()) if text.strip() else None
        except ValueError as error:
            raise UsageError(f"`{text}` is not what is expected: {error}", place=variable) from None
        found[name] = absent(variable, "the variable says so") if value is None else known(value, variable)
    return found


def apply(facts: Facts, overrides: Mapping[str, Fact[Any]]) -> Facts:
    """The facts with those of the overrides in place of what was found. What belongs to Windows only is left out elsewhere."""
    for name, fact in overrides.items():
        group, field, _ = OVERRIDES[name]
        record = getattr(facts, group) if group else facts
        if record is None:
            continue
        record = replace(record, **{field: fact})
        changed: dict[str, Any] = {group: record}
        facts = replace(facts, **changed) if group else record
    # A driver that the user vouches for has no problem left that detection saw.
    if {"GPUS", "DRIVER", "CUDA"} & set(overrides):
        facts = replace(facts, driver=replace(facts.driver, problem=""))
    return facts
