"""The verdict rests on what ended the run: noise explains no end, whatever its form, and a remark does not win over the line that ended it."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.explain.ending import ending_of
from provisioner.explain.reading import read_lines
from tests.explain.support import findings

ENDINGS = (Path(__file__).parent / "endings.txt").read_text(encoding="utf-8").splitlines()
NOISE = "2024-05-18 07:21:09.314158: I tensorflow/core/util/port.cc:112] oneDNN custom operations are on. You may see slightly different results."


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_all_clear_where_a_run_failed(ending):
    found = findings(f"{NOISE}\n{ending}")
    assert found[0].cause != "harmless-message"
    assert found[0].severity == "error"
    assert found[0].confidence != "certain"
    assert all(item.severity == "info" and item.confidence == "possible" for item in found if item.cause == "harmless-message")


@pytest.mark.parametrize("ending", ENDINGS)
def test_unknown_shows_the_line_that_ended_it(ending):
    found = findings(f"{NOISE}\n{ending}\nsome line of a shell")
    unknown = [item for item in found if item.cause == "unknown"]
    assert not unknown or " ".join(ending.replace("**", "").split())[:200] in unknown[0].evidence[0].seen


def test_noise_alone_is_noise():
    assert [(item.cause, item.severity) for item in findings(NOISE)] == [("harmless-message", "info")]


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["ValueError: x", "Process finished with exit code 1"], "exception"),
        (["ERROR: No matching distribution found for x", "#12 ERROR: executor failed running [/bin/sh -c x]: exit code: 1"], "installer"),
        (["Epoch 1/10", "KeyboardInterrupt"], ""),
        (["Epoch 1/10", "exit status: 0"], ""),
        (["Traceback (most recent call last):", 'File "a.py", line 1'], "cut"),
        (["E0000 1 cuda_dnn.cc:1] Unable to register cuDNN factory"], ""),
        ([], ""),
    ],
)
def test_what_ended_it(lines, kind):
    assert ending_of(read_lines(lines)).kind == kind


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        # pip's warning above its error
        (
            [
                "WARNING: Ignoring invalid distribution -pencv (c:\\x\\site-packages)",
                "ERROR: Could not find a version that satisfies the requirement tensorflow==1.15 (from versions: 2.5.0, 2.6.0)",
            ],
            "python-unsupported",
        ),
        # a library that TensorFlow goes on without, then an exception of another kind
        (
            [
                "W tensorflow/stream_executor/platform/default/dso_loader.cc:64] Could not load dynamic library 'libcudart.so.11.0'; dlerror: no",
                "Traceback (most recent call last):",
                '  File "/home/u/a.py", line 3, in <module>',
                "DecodeError: Error parsing message",
            ],
            "unknown",
        ),
        (
            [
                "I0000 00:00:1.0 1 devices.cc:81] Number of eligible GPUs: 0 (Note: TensorFlow was not compiled with CUDA or ROCm support)",
                "Segmentation fault (core dumped)",
            ],
            "unknown",
        ),
    ],
)
def test_a_remark_does_not_win_over_the_end(lines, cause):
    assert findings("\n".join(lines))[0].cause == cause


def test_an_exception_inside_an_installed_package_is_not_said_to_be_the_programs():
    frames = "\n".join(
        f'  File "/v/lib/python3.10/site-packages/{name}.py", line 1, in {where}'
        for name, where in (("a/b", "run"), ("tensorflow/c", "call"))
    )
    found = findings(f"Traceback (most recent call last):\n{frames}\nTypeError: of an unknown kind")
    assert found[0].cause == "unknown"
