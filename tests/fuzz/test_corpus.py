"""The corpus and what can be made of it by rule, replayed through every harness; and no reader without one."""

from __future__ import annotations

import ast
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.__main__ import CORPUS
from tests.fuzz.harnesses import HARNESSES
from tests.linear.collect import modules

# What most conversions of Python's own fail at.
DIGITS = (b"9" * 400, b"9" * 5000, b"-1", b"1e999", b"0x" + b"f" * 5000, "٣".encode())
WORDS = (b"\\ud800", b"\xff\xfe", b"\0", "\u202e\u2066\x85".encode(), b"[" * 3000, b"{" * 3000, b"NaN", b"null", b"%", b"\n", b"'", b'"')
# How a function is called that turns bytes or text from outside into values.
READER = re.compile(r"(parse|read|load|decode|from)(_|$)")
# Functions of such a name that are no readers of their own, and why.
NONE = {
    "provisioner.causes.pages.load_cause": "read_cause reads it; files of the tool's own",
    "provisioner.causes.pages.load_causes": "as load_cause",
    "provisioner.causes.pages.load_order": "as load_cause",
    "provisioner.commands.doctor.read_examination": "from_document reads it",
    "provisioner.commands.explain.read_log": "read_stream and decode read it",
    "provisioner.commands.lock_declared.read_declared": "read_declaration reads it",
    "provisioner.commands.plan_saved.load_saved_plan": "load_plan reads it",
    "provisioner.conda.config.read.read_config": "parse_condarc reads it",
    "provisioner.explain.topics.packages.decode": "a judgement of what was read",
    "provisioner.host.files.read": "gives the text as it is",
    "provisioner.judge.whole.read": "what the readers of an environment read",
    "provisioner.lock.starter.from_environment": "read_site reads it",
    "provisioner.lock.starter.from_lists": "read_lists reads it",
    "provisioner.commands.init_lists.from_lists": "read_lists reads it",
    "provisioner.change.journal.read_discarded": "as journal.read, at another place",
    "provisioner.change.room.read_situation": "gathers what was read",
    "provisioner.change.room.read_volumes": "asks the system for numbers",
    "provisioner.facts.disk.read_mounts": "parse_mounts reads it",
    "provisioner.plan.around.read_around": "the readers of an environment read it",
    "provisioner.plan.around.read_room": "gathers what was read",
    "provisioner.change.contents.read_contents": "read_owners and read_records read it",
    "provisioner.plan.inputs.read_common": "gathers what was read",
    "provisioner.repair.conda_inputs.read_conda_inputs": "read_records and read_present read it",
    "provisioner.repair.inputs.read_inputs": "gathers what was read",
    "provisioner.judge.conda_files.read_state": "read_records reads it",
}


def cases(name: str) -> Iterator[bytes]:
    seeds = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    for seed in seeds:
        yield seed
        for eighth in range(1, 8):
            yield seed[: len(seed) * eighth // 8]
        numbers = list(re.finditer(rb"\d+", seed))
        places = [found.start() for found in re.finditer(rb"\b", seed)] or [0]
        for number, bad in enumerate(DIGITS):
            for found in numbers[number % 3 :: max(1, len(numbers) // 8)]:
                yield seed[: found.start()] + bad + seed[found.end() :]
        for number, bad in enumerate(WORDS):
            for place in places[number % 5 :: max(1, len(places) // 8)]:
                yield seed[:place] + bad + seed[place:]
        yield from (bytes(byte ^ (zlib.crc32(b"%d %d" % (turn, at)) % 64 == 0) * 0x55 for at, byte in enumerate(seed)) for turn in range(4))
    yield from (b"", b"\xef\xbb\xbf", *DIGITS, *WORDS)


@pytest.mark.slow
@pytest.mark.parametrize("name", HARNESSES)
def test_replay(name: str) -> None:
    for data in cases(name):
        HARNESSES[name](data)


def test_every_reader_has_a_harness() -> None:
    covered = {reader for harness in HARNESSES.values() for reader in harness.covers}
    found = set()
    for _, tree, module in modules():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and READER.match(node.name):
                found.add(f"{module.__name__}.{node.name}")
    assert len(found) > 80
    assert sorted(found - covered - NONE.keys()) == [], "a reader without a harness: add it to tests/fuzz, or to NONE with the reason"
    assert sorted(NONE.keys() - found) == []
    assert sorted(NONE.keys() & covered) == []


def test_every_harness_has_a_corpus() -> None:
    assert {path.name for path in Path(CORPUS).iterdir()} == set(HARNESSES)
