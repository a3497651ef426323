"""``tfsetup explain``: a file, a pipe, a code; context, facts, exit codes, and input that is no log."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import provisioner
from provisioner.cli import explain as command
from tests.cli.support import Inside

ROOT = Path(provisioner.__file__).parent.parent
HOSTS = ROOT / "tests" / "hosts" / "bases"
CUDA = (
    "W dso_loader.cc:64] Could not load dynamic library 'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open shared object file\n"
)


@pytest.fixture
def log(tmp_path):
    """A log file with the given text."""

    def write(text: str | bytes) -> str:
        path = tmp_path / "failed.log"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def piped(text: str, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "provisioner", "explain", *args], input=text, capture_output=True, text=True, check=False, env=environment
    )


@pytest.mark.parametrize(
    ("text", "code", "cause"),
    [
        ("Illegal instruction (core dumped)\n", 11, "cpu-no-avx"),
        ("I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.\n", 0, "harmless-message"),
        ("nothing that anybody knows\n", 16, "unknown"),
    ],
)
def test_exit_codes(inside: Inside, log, text, code, cause):
    ended = inside("explain", log(text), "--json")
    assert ended.code == code
    document = ended.json
    assert document["schema"] == "tfsetup/explanation/1"
    assert document["findings"][0]["cause"] == cause
    assert bool(document["send"]) == (cause == "unknown")
    jsonschema.validate(document, inside("schema", "explanation").json, cls=jsonschema.Draft202012Validator)


def test_text_names_line_and_remedy(inside: Inside, log):
    ended = inside("explain", log("hello\n" + CUDA), "-c", "tensorflow=2.15", "-c", "gpu=RTX 3090")
    assert ended.code == 11
    assert "cuda-version-mismatch (likely)" in ended.out
    assert "in: line 2" in ended.out
    assert "TensorFlow 2.15 was built with CUDA 12.2" in ended.out
    assert "  do: " in ended.out
    assert ended.err == ""


def test_verbose_shows_what_was_told_and_all_findings(inside: Inside, log):
    path = log("ERROR: No matching distribution found for tensorflow\n")
    short, long = inside("explain", path, "-c", "os=Windows").out, inside("explain", path, "-c", "os=Windows", "-v").out
    assert "Less likely" in short
    assert "os: Windows" in long
    assert "Less likely" not in long
    assert "platform-unsupported (possible)" in long


def test_an_unknown_key_is_ignored_with_a_notice(inside: Inside, log):
    document = inside("explain", log(CUDA), "--context", "colour=red", "--context", "OS=Linux", "--json").json
    assert document["context"] == {"os": "Linux"}
    assert document["notices"] == [
        "context key `colour` is not known and was ignored; there are os, arch, python, tensorflow, gpu, driver, cuda, cudnn, install"
    ]


@pytest.mark.parametrize("item", ["os", "=Linux", ""])
def test_context_that_is_no_pair_is_refused(inside: Inside, log, item):
    ended = inside("explain", log(CUDA), "--context", item)
    assert (ended.code, ended.out) == (2, "")
    assert "expected KEY=VALUE" in ended.err


def test_facts_say_what_the_machine_is(inside: Inside, log):
    path = log("Illegal instruction: 4\n")
    document = inside("explain", path, "--facts", str(HOSTS / "macos-aarch64.json"), "--json").json
    assert document["findings"][0]["cause"] == "wrong-arch-binary"
    assert document["context"]["arch"] == "aarch64"
    told = inside("explain", path, "--facts", str(HOSTS / "macos-aarch64.json"), "-c", "arch=x86_64", "--json").json
    assert told["context"]["arch"] == "x86_64"
    assert inside("explain", path, "--facts", "no-such.json").code == 2


@pytest.mark.parametrize("host", sorted(HOSTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_recorded_machine_can_be_told(inside: Inside, log, host):
    document = inside("explain", log(CUDA), "--facts", str(host), "--json").json
    assert document["findings"]
    assert document["context"]["os"]


@pytest.mark.parametrize(("content", "words"), [(b"", "is empty"), (b" \n\t\n", "is empty"), (bytes(range(256)) * 50, "is not text")])
def test_what_is_no_log_is_refused(inside: Inside, log, content, words):
    path = log(content)
    ended = inside("explain", path)
    assert ended.code == 2
    assert words in ended.err
    assert path in ended.err
    assert json.loads(inside("explain", path, "--json").out)["error"]["code"] == 2


def test_a_file_that_is_not_there_and_a_folder_are_refused(inside: Inside, tmp_path):
    assert inside("explain", str(tmp_path / "no.log")).code == 2
    assert inside("explain", str(tmp_path)).code == 2


def test_a_pipe_is_read_with_and_without_a_dash():
    for args in ((), ("-",)):
        ended = piped(CUDA, "--json", *args)
        assert ended.returncode == 11, ended.stderr
        assert json.loads(ended.stdout)["source"] == "standard input"


def test_on_a_terminal_it_asks_for_a_paste(monkeypatch, capsys):
    class Terminal:
        buffer = io.BytesIO(CUDA.encode())

        def isatty(self):
            return True

    monkeypatch.setattr(command.sys, "stdin", Terminal())
    assert command.explain() == 11
    said = capsys.readouterr()
    assert "Paste the log" in said.err
    assert said.out.startswith("Log  standard input: 1 line")


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (["ImportError: libcudnn.so.8: cannot open shared object file: No such file or directory"], "cudnn-missing"),
        (["Illegal", "instruction", "(core", "dumped)"], "cpu-no-avx"),
        (["139"], "unknown"),
        (["0xC0000005"], "unknown"),
    ],
)
def test_an_argument_that_is_no_file_is_the_log(inside: Inside, words, cause):
    ended = inside("explain", *words, "--json")
    assert ended.json["source"] == "the command line"
    assert ended.json["findings"][0]["cause"] == cause


@pytest.mark.parametrize(
    ("word", "near"), [("protobuf", "protobuf-incompatible"), ("avx", "cpu-no-avx"), ("kers", "keras-incompatible"), ("qqqqq", "--list")]
)
def test_a_word_that_is_neither_offers_what_is_near(inside: Inside, word, near):
    ended = inside("explain", word)
    assert ended.code == 2
    assert near in ended.err
    assert "tfsetup explain --list" in ended.err


def test_the_list_of_causes(inside: Inside):
    ended = inside("explain", "--list")
    assert ended.code == 0
    assert "  cpu-no-avx " in ended.out
    document = inside("explain", "--list", "--json").json
    jsonschema.validate(document, inside("schema", "causes").json, cls=jsonschema.Draft202012Validator)
    assert sum(len(group["causes"]) for group in document["groups"]) > 50


def test_the_last_line_names_the_page(inside: Inside, log):
    ended = inside("explain", log(CUDA))
    assert ended.out.rstrip().endswith("More: tfsetup explain cuda-libs-missing")


def test_a_notebooks_file_is_read_by_its_last_cell_that_failed(inside: Inside, tmp_path):
    cells = [
        {"cell_type": "code", "outputs": [{"output_type": "error", "traceback": ["ModuleNotFoundError: No module named 'tensorflow'"]}]},
        {
            "cell_type": "code",
            "outputs": [
                {"output_type": "error", "traceback": ["\x1b[0;31mImportError\x1b[0m: libcublas.so.10.0: cannot open shared object file"]}
            ],
        },
        {"cell_type": "code", "outputs": [{"output_type": "stream", "text": ["fine\n"]}]},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}), encoding="utf-8")
    assert inside("explain", str(path), "--json").json["findings"][0]["cause"] == "cuda-libs-missing"


def test_a_code_prints_its_page(inside: Inside):
    ended = inside("explain", "static-tls")
    assert ended.code == 0
    assert ended.out.startswith("static-tls: ")
    assert "HOW TO PROVE IT" in ended.out
    document = inside("explain", "static-tls", "--json").json
    assert document["schema"] == "tfsetup/cause/1"
    jsonschema.validate(document, inside("schema", "cause").json, cls=jsonschema.Draft202012Validator)


def test_a_code_that_does_not_exist_names_those_near_it(inside: Inside):
    ended = inside("explain", "cuda-missing")
    assert ended.code == 2
    assert "cuda-libs-missing" in ended.err


def test_a_long_log_is_read_at_both_ends(log, inside: Inside):
    middle = b"x" * 100 + b"\n"
    path = log(CUDA.encode() + middle * 140_000 + b"No space left on device\n")
    document = inside("explain", path, "--json").json
    assert {"disk-full", "cuda-libs-missing"} <= {item["cause"] for item in document["findings"]}
    assert "left out" not in document["notices"][0]
    assert "not" in document["notices"][0]
    assert "bytes between them" in document["notices"][0]
