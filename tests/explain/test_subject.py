"""The case of a remedy is drawn from the log: the very interpreter, the environment that may be changed, the installer that was used."""

from __future__ import annotations

import pytest

from provisioner.remedies.subject import quoted
from tests.explain.support import findings

NUMPY = "AttributeError: module 'numpy' has no attribute 'object'"


def steps(log: str, context: dict[str, str] | None = None) -> tuple[str, ...]:
    remedy = findings(log, context)[0].remedy
    return (*remedy.steps, *(step for way in remedy.others for step in way.steps))


@pytest.mark.parametrize(
    ("frame", "context", "first", "fix"),
    [
        ("/home/me/venv/lib/python3.9/site-packages/tensorflow/x.py", {}, "/home/me/venv/bin/python -m pip", "/home/me/venv"),
        (
            "~/anaconda3/envs/tf/lib/python3.9/site-packages/tensorflow/x.py",
            {},
            "~/anaconda3/envs/tf/bin/python -m pip",
            "~/anaconda3/envs/tf",
        ),
        ("/home/me/anaconda3/lib/python3.9/site-packages/tensorflow/x.py", {}, "/home/me/anaconda3/bin/python -m pip", ""),
        ("/usr/local/lib/python3.9/dist-packages/tensorflow/x.py", {}, "python3.9 -m pip", ""),
        ("/home/me/.local/lib/python3.9/site-packages/tensorflow/x.py", {}, "python3.9 -m pip", ""),
        (r"C:\Users\me\tf\Lib\site-packages\tensorflow\x.py", {}, r"C:\Users\me\tf\Scripts\python.exe -m pip", r"C:\Users\me\tf"),
        (
            r"C:\Users\me\miniconda3\envs\a\Lib\site-packages\tensorflow\x.py",
            {},
            r"C:\Users\me\miniconda3\envs\a\python.exe -m pip",
            r"miniconda3\envs\a",
        ),
        (r"C:\Program Files\Python39\Lib\site-packages\tensorflow\x.py", {}, '"C:\\Program Files\\Python39\\python.exe" -m pip', ""),
        (".../lib/python3.9/site-packages/tensorflow/x.py", {}, "python3 -m pip", ""),
        ("<redacted>/lib/python3.9/site-packages/tensorflow/x.py", {}, "python3 -m pip", ""),
        ("/opt/x.py", {"install": "poetry"}, "poetry add", ""),
        ("/opt/x.py", {"install": "uv 0.9"}, "uv add", ""),
        ("/opt/x.py", {"install": "docker build"}, "RUN python -m pip", ""),
        ("/opt/x.py", {"install": "R keras, reticulate"}, "Rscript -e", ""),
        ("<ipython-input-1-x>", {}, "%pip install", ""),
    ],
)
def test_the_very_interpreter(frame, context, first, fix):
    found = steps(f'Traceback (most recent call last):\n  File "{frame}", line 1, in <module>\n{NUMPY}', context)
    assert found[0].startswith(first), found
    fixes = [step for step in found if step.startswith("tfsetup fix")]
    assert bool(fixes) == bool(fix)
    assert all(fix in step for step in fixes)


def test_a_path_with_blanks_is_quoted_for_its_shell():
    assert quoted("/a b/bin/python") == "'/a b/bin/python'"
    assert quoted("~/a b/python") == "~/'a b/python'"
    assert quoted(r"C:\a b\python.exe") == r'"C:\a b\python.exe"'


@pytest.mark.parametrize(
    ("log", "context", "part"),
    [
        ("ImportError: libcublas.so.9.0: cannot open shared object file", {"gpu": "AMD Radeon", "os": "Linux"}, "rocm/tensorflow"),
        (
            "W dso_loader.cc:1] Could not load dynamic library 'libcudart.so.11.0'",
            {"os": "Jetson Nano", "arch": "aarch64"},
            "nv_tegra_release",
        ),
        ("Cannot dlopen some GPU libraries.", {"os": "Ubuntu", "tensorflow": "2.16.1", "gpu": "T4"}, '"tensorflow[and-cuda]==2.16.1"'),
        ("ERROR: No matching distribution found for tensorflow==2.3.0", {"os": "Linux", "python": "3.9"}, "--python 3.8"),
        (
            "tensorflow_io/python/ops/libtensorflow_io.so: undefined symbol: _ZN10tensorflow",
            {"tensorflow": "2.11.0"},
            "tensorflow-io>=0.28,<0.32",
        ),
    ],
)
def test_context_is_used(log, context, part):
    assert any(part in step for step in steps(log, context)), steps(log, context)
