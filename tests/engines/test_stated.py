"""What source distributions say of what they need without being run."""

from __future__ import annotations

import pytest

from provisioner.engines.stated import parse_core, parse_requires


@pytest.mark.parametrize(
    ("text", "requirements", "extras"),
    [
        ("", (), ()),
        ("six\nnumpy>=1.2\n", ("six", "numpy>=1.2"), ()),
        ('six\n\n[:python_version < "3"]\nfutures\n', ("six", 'futures; python_version < "3"'), ()),
        ('[gpu]\ncupy\n\n[gpu:os_name == "nt"]\nwin\n', ('cupy; extra == "gpu"', 'win; os_name == "nt" and extra == "gpu"'), ("gpu",)),
        ("opencv-python>=3.\nx @ https://example.com/x-1.0.zip\n-e .\nsix\n", ("six",), ()),
        ("[", (), ()),
    ],
)
def test_setuptools_own_list(text: str, requirements: tuple[str, ...], extras: tuple[str, ...]) -> None:
    assert parse_requires(text) == (requirements, extras)


def test_core_metadata() -> None:
    text = "Metadata-Version: 2.1\nName: x\nRequires-Dist: numpy (>=1.2)\nRequires-Dist: no requirement\nProvides-Extra: gpu\n\nRequires-Dist: text\n"
    assert parse_core(text) == (("numpy>=1.2",), ("gpu",))
