"""Names of libraries on both systems."""

import pytest

from provisioner.base.sonames import bare, stem


@pytest.mark.parametrize(
    ("name", "is_bare", "is_stem"),
    [
        ("libcudart.so.11.0", "cudart", "cudart"),
        ("cudart64_110.dll", "cudart", "cudart"),
        ("/env/nvidia/cublas/lib/libcublasLt.so.12", "cublasLt", "cublasLt"),
        ("cublasLt64_11.dll", "cublasLt", "cublasLt"),
        ("libcudnn_ops_infer.so.8", "cudnn_ops_infer", "cudnn"),
        ("cudnn_ops_infer64_8.dll", "cudnn_ops_infer", "cudnn"),
        ("nvrtc64_112_0.dll", "nvrtc", "nvrtc"),
        ("cupti64_2022.3.0.dll", "cupti", "cupti"),
        ("nvcuda.dll", "nvcuda", "nvcuda"),
    ],
)
def test_what_a_name_is_of(name: str, is_bare: str, is_stem: str) -> None:
    assert (bare(name), stem(name)) == (is_bare, is_stem)
