"""The whole machine: this one, a recorded one, overrides, and that a second look starts no process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from provisioner.errors import UsageError
from provisioner.facts import SCHEMA, FactStore, gather, overrides
from provisioner.host import Completed
from provisioner.host.local import LocalHost
from provisioner.model.codec import document, from_data
from provisioner.model.facts import Distribution, Facts, Libc
from tests.facts.fake_reader import FakeReader


class Counting(LocalHost):
    """This machine; counts the processes it starts."""

    def __init__(self) -> None:
        self.started: list[Sequence[str]] = []

    def run(self, argv: Sequence[str], **options: object) -> Completed:
        self.started.append(argv)
        return super().run(argv, **options)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _few_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.delenv("PYENV_ROOT", raising=False)


def test_this_machine_and_back_through_json(tmp_path: Path) -> None:
    facts = gather(LocalHost(), env=str(tmp_path / "env"), cache=str(tmp_path), full=True)
    text = json.dumps(document(SCHEMA, facts))
    assert from_data(Facts, json.loads(text), schema=SCHEMA) == facts
    assert facts.system.architecture.value
    assert facts.disk.hard_links.value is True
    assert "not asked for a plan" not in text


def test_a_second_look_for_a_plan_starts_no_process(tmp_path: Path) -> None:
    first, second = Counting(), Counting()
    options = {"env": str(tmp_path / "env"), "cache": str(tmp_path), "full": False}
    facts = gather(first, store=FactStore(first, str(tmp_path / "store")), **options)  # type: ignore[arg-type]
    again = gather(second, store=FactStore(second, str(tmp_path / "store")), **options)  # type: ignore[arg-type]
    assert second.started == []
    assert again.interpreters == facts.interpreters
    assert again.toolkits.why == "not asked for a plan"


def test_importing_pulls_in_nothing_heavy() -> None:
    code = "import sys, provisioner.facts; print(' '.join(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {
        "rich",
        "yaml",
        "packaging",
        "importlib.metadata",
        "concurrent.futures",
        "pynvml",
        "asyncio",
        "provisioner.facts.libraries",
    } & set(modules)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32", "freebsd14"])
@pytest.mark.parametrize("full", [False, True])
def test_a_machine_that_tells_nothing(platform: str, full: bool) -> None:
    facts = gather(FakeReader(platform=platform, commands={(): OSError(2, "No such file or directory")}), env="/e", cache="/c", full=full)
    assert facts.interpreters.status == "absent"
    assert facts.gpus.value is None
    assert facts.gpus.why


def test_overrides_replace_what_was_found(tmp_path: Path) -> None:
    env = {
        "TFSETUP_FACT_LIBC": "glibc 2.17",
        "TFSETUP_FACT_DISTRIBUTION": "centos 7",
        "TFSETUP_FACT_CPU_FEATURES": "avx2, fma,AVX",
        "TFSETUP_FACT_GPUS": "NVIDIA H100=9.0, 7.5",
        "TFSETUP_FACT_DRIVER": "",
        "TFSETUP_FACT_CUDA": "12.4",
        "TFSETUP_FACT_HARD_LINKS": "no",
        "TFSETUP_FACT_LONG_PATHS": "true",
        "TFSETUP_FACT_INTERPRETERS": "3.11.7=/usr/bin/python3.11",
    }
    machine = FakeReader({"/usr/lib64/libcuda.so.1": ""}, env=env, commands={(): OSError(2, "No such file")})
    facts = gather(machine, env="/e", cache="/c", full=False)
    assert facts.system.libc.value == Libc(kind="glibc", version="2.17")
    assert facts.system.libc.source == "TFSETUP_FACT_LIBC"
    assert facts.system.distribution.value == Distribution(id="centos", version="7")
    assert facts.cpu.features.value == ("avx", "avx2", "fma")
    assert [(gpu.name, gpu.compute_capability.value) for gpu in facts.gpus.value or ()] == [
        ("NVIDIA H100", "9.0"),
        ("GPU of capability 7.5", "7.5"),
    ]
    assert (facts.driver.release.status, facts.driver.cuda.value, facts.driver.problem) == ("absent", "12.4", "")
    assert facts.disk.hard_links.value is False
    assert facts.windows is None
    assert [python.version for python in facts.interpreters.value or ()] == ["3.11.7"]
    assert not any("in_process/_gpu" in word for words in machine.started for word in words), (
        "a given GPU list keeps the driver from being asked"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIBC", "2.17"),
        ("LIBC", "uclibc 1.0"),
        ("CUDA", "twelve"),
        ("CUDA", "0.4"),
        ("DRIVER", "new"),
        ("GPUS", "H100"),
        ("GPUS", "9.0,,"),
        ("WSL", "3"),
        ("TRANSLATED", "maybe"),
        ("CPU_CORES", "0"),
        ("CPU_FEATURES", "avx;rm"),
        ("INTERPRETERS", "/usr/bin/python3"),
        ("OS", "beos"),
        ("NO_SUCH_FACT", "1"),
    ],
)
def test_a_bad_override_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        overrides.read({f"TFSETUP_FACT_{name}": value})
    assert caught.value.place == f"TFSETUP_FACT_{name}"


def test_every_override_has_a_place_in_the_facts() -> None:
    env = {f"TFSETUP_FACT_{name}": "" for name in overrides.OVERRIDES}
    machine = FakeReader(platform="win32", env=env, commands={(): OSError(2, "No such file")})
    facts = gather(machine, env="/e", cache="/c", full=False)
    for name, (group, field, _) in overrides.OVERRIDES.items():
        fact = getattr(getattr(facts, group) if group else facts, field)
        assert (fact.status, fact.source) == ("absent", f"TFSETUP_FACT_{name}")
