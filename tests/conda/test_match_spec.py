"""Match specs of virtual packages, as conda packages have them, held against machines."""

from __future__ import annotations

import pytest

from provisioner.choose.match_spec import least, meets, virtual_name

MACHINE = ("__unix=0=0", "__glibc=2.28=0", "__archspec=1=x86_64_v3", "__cuda=12.4=0")


@pytest.mark.parametrize(
    ("spec", "met"),
    [
        ("__unix", True),
        ("__win", False),
        ("__cuda", True),
        ("__cuda >=12", True),
        ("__cuda >=12.5", False),
        ("__cuda >=11,<12", False),
        ("__cuda >=11.8|>=13", True),
        ("__cuda 12.*", True),
        ("__cuda 12.4", True),
        ("__cuda ==12.3", False),
        ("__cuda !=12.4", False),
        ("__cuda <=12.4.0", True),
        ("__cuda 11.2|11.2.*", False),
        ("__glibc >=2.17,<3.0.a0", True),
        ("__glibc >=2.31", False),
        ("__osx >=11.0", False),
        ("__archspec 1 x86_64_v3", True),
        ("__archspec * x86_64*", True),
        ("__archspec 1.* skylake", False),
        ('__archspec 1.*[build="^(x86_64_v3|haswell)$"]', True),
        ('__archspec 1.*[build="^(x86_64_v4|icelake)$"]', False),
        ("__archspec[version='1.*', build='^(x86_64_v3)$']", True),
        ("__cuda newest", True),
        ("__cuda >=13 [build", True),
    ],
)
def test_what_a_machine_meets(spec: str, met: bool) -> None:
    assert meets(spec, MACHINE) == met


def test_names_and_lowest_versions() -> None:
    assert (virtual_name("__glibc >=2.17"), virtual_name("glibc >=2.17"), virtual_name("_libgcc_mutex 0.1")) == ("__glibc", "", "")
    assert (least("__glibc >=2.17,<3.0.a0"), least("__osx >=11.0"), least("__unix")) == ("2.17", "11.0", "")
