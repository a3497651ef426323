"""A choice and a refusal as lines."""

from provisioner.errors import NoProfileError
from provisioner.model.plan import Choice, GpuJudgement, Refusal
from provisioner.report.choice_text import choice_lines, refusal_lines

GPU = {"name": "NVIDIA L4", "capability": "8.9", "verdict": "native", "why": "runs the machine code for 8.9"}
CHOICE = Choice(
    release="2.20.0",
    python="3.9",
    interpreter=None,
    device="cuda",
    platform="linux-x86_64",
    reasons=("it is the newest",),
    refusals=(Refusal(candidate="TensorFlow 2.21.0", code="python-unsupported", why="needs Python 3.10", remedy="install Python 3.13"),),
    warnings=("mind this",),
    gpus=(GpuJudgement(index=0, **GPU), GpuJudgement(index=1, **GPU)),
)


def test_choice():
    assert choice_lines(CHOICE, verbose=False) == (
        "TensorFlow 2.20.0 for CUDA on Python 3.9",
        "  warning: mind this",
        "  why: it is the newest",
        "  GPU 0, 1: NVIDIA L4: native code; runs the machine code for 8.9",
        "  why not TensorFlow 2.21.0: needs Python 3.10 [python-unsupported]",
    )
    assert choice_lines(CHOICE, verbose=True)[-1] == "    to change that: install Python 3.13"


def test_refusal():
    error = NoProfileError(
        "nothing fits", hint="get another", cause="gpu-too-old", refusals=("TensorFlow 2.21.0: no",), nearest=("--device cpu",)
    )
    assert refusal_lines(error) == (
        "Nothing fits",
        "  TensorFlow 2.21.0: no",
        "  what to do: get another",
        "  this would work: tfsetup plan --device cpu",
    )
