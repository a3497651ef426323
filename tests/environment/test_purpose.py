"""For which device a TensorFlow is there: what else brings NVIDIA's libraries does not tell."""

from __future__ import annotations

import pytest

from provisioner.environment.tensorflow import purpose

CORE = {"nvidia-cublas-cu12": "12.4", "nvidia-cudnn-cu12": "9.1", "nvidia-cuda-runtime-cu12": "12.4"}


@pytest.mark.parametrize(
    ("there", "device"),
    [
        ({"tensorflow": "2.21.0", **CORE}, "cuda"),
        ({"tensorflow": "2.21.0", "torch": "2.6.0", **CORE}, ""),
        ({"tensorflow": "2.21.0", "xgboost": "3.0", "nvidia-nccl-cu12": "2.26"}, ""),
        ({"tensorflow": "2.21.0", "xgboost": "3.0", **CORE}, ""),
        ({"tensorflow": "2.21.0", "nvidia-nccl-cu12": "2.26", "nvidia-cuda-nvrtc-cu12": "12.4"}, ""),
    ],
)
def test_what_lies_there_for_another_package_does_not_make_it_one_for_cuda(there: dict[str, str], device: str) -> None:
    assert purpose(there).device == device
