"""``tools/naive_record.py``: what counts as which outcome, one-line errors from real texts, the order of the runs, the file."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import naive_record
import pytest
from naive_record import Naive

from provisioner.errors import InputError

TOOLS = Path(__file__).parents[2] / "tools"


def said(*stages: tuple[str, str]) -> str:
    """What the probe prints, between the noise of others."""
    return "".join(f"noise\n{naive_record.MARK}{json.dumps({'stage': stage, 'error': error})}\n" for stage, error in stages)


def test_the_probe_marks_its_answers_as_the_reader_expects() -> None:
    assert f'MARK = "{naive_record.MARK}"' in (TOOLS / "naive_probe.py").read_text("utf-8")


def test_the_probe_has_no_syntax_that_python_3_6_lacks() -> None:
    import ast

    ast.parse((TOOLS / "naive_probe.py").read_text("utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize(
    ("output", "status", "expected"),
    [
        (said(("import", ""), ("train", ""), ("save", ""), ("done", "")), 0, ("works", "")),
        # What happens while the interpreter ends is not the set's fault.
        (said(("import", ""), ("train", ""), ("save", ""), ("done", "")), -signal.SIGABRT, ("works", "")),
        (said(("import", ""), ("import", "TypeError: no")), 0, ("does not import", "TypeError: no")),
        (said(("import", ""), ("train", ""), ("train", "ValueError: no")), 0, ("imports, does not train", "ValueError: no")),
        (said(("import", ""), ("save", ""), ("save", "OSError: no")), 0, ("trains, does not load what it saved", "OSError: no")),
        (said(("import", "")), -signal.SIGSEGV, ("crashes", "SIGSEGV in import")),
        (said(("import", ""), ("train", "")), -signal.SIGILL, ("crashes", "SIGILL in train")),
        (said(("import", "")), 1, ("does not import", "the last words")),
        ("", 1, ("does not import", "the last words")),
    ],
)
def test_outcomes(output: str, status: int, expected: tuple[str, str]) -> None:
    assert naive_record.judge(output, "the last words\n", status) == expected


def test_a_crash_by_a_failed_check_quotes_it() -> None:
    errors = "I tensorflow/core/x.cc:1] fine\n2026-11-20 20:00:00.1: F tensorflow/core/y.cc:12] Check failed: a == b\n"
    outcome, error = naive_record.judge(said(("import", "")), errors, -signal.SIGABRT)
    assert outcome == "crashes"
    assert error.endswith("Check failed: a == b")


DESCRIPTORS = """\
TypeError: Descriptors cannot be created directly.
If this call came from a _pb2.py file, your generated code is out of date and must be regenerated with protoc >= 3.19.0.

More information: https://developers.google.com/protocol-buffers/docs/news/2022-05-06#python-updates
"""
WRAPPED = """\
ImportError: Traceback (most recent call last):
  File "/tmp/env/lib/python3.7/site-packages/tensorflow/python/pywrap_tensorflow.py", line 64, in <module>
    from tensorflow.python._pywrap_tensorflow_internal import *
ImportError: /tmp/env/lib/python3.7/site-packages/tensorflow/libx.so: undefined symbol: y


Failed to load the native TensorFlow runtime.
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DESCRIPTORS, "TypeError: Descriptors cannot be created directly."),
        (WRAPPED, "ImportError: libx.so: undefined symbol: y"),
        ("AttributeError: `np.complex_` was removed", "AttributeError: `np.complex_` was removed"),
        ("KeyError: 'x'\nsee (https://example.org/a/b)", "KeyError: 'x'"),
        ("killed", "killed"),
        ("", ""),
    ],
)
def test_last_error(text: str, expected: str) -> None:
    assert naive_record.last_error(text) == expected


UV_BUILD = """\
  \u00d7 Failed to build `h5py==2.10.0`
  ├─▶ The build backend returned an error
  ╰─▶ Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)

      [stderr]
      Traceback (most recent call last):
        File "<string>", line 14, in <module>
        File "/root/.cache/builds/lib/python3.8/site-packages/setuptools/build_meta.py", line 432, in build_wheel
      ModuleNotFoundError: No module named 'pkgconfig'

      hint: This usually indicates a problem with the package
"""
UV_CONFLICT = """\
  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because tensorflow==2.15.0 depends on tensorrt-libs==8.6.1 and there is
      no version of tensorrt-libs==8.6.1, we can conclude that it is unsatisfiable.
"""
CONFLICT = (
    "No solution found when resolving dependencies: Because tensorflow==2.15.0 depends on tensorrt-libs==8.6.1 and there is no version of "
    "tensorrt-libs==8.6.1, we can conclude that it is unsatisfiable."
)
PIP_NONE = """\
WARNING: You are using pip version 18.1
  Could not find a version that satisfies the requirement tensorflow==2.4.4 (from versions: 1.2.0)
ERROR: No matching distribution found for tensorflow==2.4.4
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (UV_BUILD, "Failed to build `h5py==2.10.0`: ModuleNotFoundError: No module named 'pkgconfig'"),
        (UV_CONFLICT, CONFLICT),
        (PIP_NONE, "ERROR: No matching distribution found for tensorflow==2.4.4"),
        ("Something else\nlast", "last"),
        ("", ""),
    ],
)
def test_install_error(text: str, expected: str) -> None:
    assert naive_record.install_error(text) == expected


def test_short_has_no_paths_no_addresses_and_an_end() -> None:
    assert (
        naive_record.short("no file '/home/me/a b.so' at https://host.example/x, and/or  1/2") == "no file 'a b.so' at (address) and/or 1/2"
    )
    assert len(naive_record.short("x" * 1000)) == naive_record.LONGEST_ERROR


def test_order_begins_with_the_newest_patch_on_its_newest_python() -> None:
    pairs = {"2.9.0": ("3.8",), "2.9.1": ("3.9", "3.10"), "2.10.0": ("3.9", "3.10"), "2.10.1": ("3.10",)}
    assert naive_record.order(pairs) == (
        ("2.10.1", "3.10"),
        ("2.9.1", "3.10"),
        ("2.9.1", "3.9"),
        ("2.10.0", "3.10"),
        ("2.10.0", "3.9"),
        ("2.9.0", "3.8"),
    )


def make(release: str, python: str = "3.10", resolver: str = "uv 0.13.8") -> Naive:
    return Naive(
        release=release, python=python, outcome="works", resolver=resolver, date="2026-11-20", error="", versions={"numpy": "2.2.6"}
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "naive.json"
    assert naive_record.read(path) == {}
    results = [make("2.10.0"), make("2.9.0"), make("2.9.0", "3.9"), make("2.9.0", resolver="pip 23.0.1")]
    path.write_text(naive_record.text(results), encoding="utf-8")
    found = naive_record.read(path)
    assert found == {naive_record.key(result): result for result in results}
    assert list(found) == [("2.9.0", "3.9", "uv"), ("2.9.0", "3.10", "pip"), ("2.9.0", "3.10", "uv"), ("2.10.0", "3.10", "uv")]


@pytest.mark.parametrize(
    "results",
    [[make("2.9.0"), make("2.9.0", resolver="uv 0.12")], None],
)
def test_a_wrong_file_is_refused(tmp_path: Path, results: list[Naive] | None) -> None:
    path = tmp_path / "naive.json"
    path.write_text(naive_record.text(results) if results else '{"schema": "other", "results": []}', encoding="utf-8")
    with pytest.raises(InputError):
        naive_record.read(path)
