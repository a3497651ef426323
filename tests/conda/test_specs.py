"""Versions and match specs as conda compares them: a file of cases, for each of which rattler must say the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.conda.specs import compare, least, meets, spec_name, virtual_meets, virtual_name
from tests.growth import too_fast

CASES = [line.split(maxsplit=3) for line in (Path(__file__).parent / "specs.txt").read_text().splitlines() if not line.startswith("#")]
ANSWERS = {"yes": True, "no": False, "?": None}
VERSIONS = [
    "1.0",
    "1.0.0",
    "1.0a",
    "1.0a1",
    "1.0.0a0",
    "1.0b1",
    "1.0rc1",
    "1.0.post1",
    "1.0.dev1",
    "1.1.1q",
    "1.1.1",
    "1.1.2a",
    "1.1.1w",
    "2",
    "10",
    "2.0a0",
    "2.0.0a0",
    "2.0.0",
    "2.0.1",
    "1.2.3",
    "1!1.0",
    "1.0+loc",
    "9e",
    "9f",
    "10a",
    "9",
    "2022.1",
    "20220623.0",
    "0.4.1",
    "0.5a1",
    "1.2.13",
    "1.2.1",
    "3.10.4",
    "3.1",
    "3.11",
    "3.8.18",
    "6.31.1",
    "2.0.1.dev0",
    "1.post1",
    "post1.2",
    "1.0_1",
    "12345678901234567890",
    "12345678901234567891",
]
SPECS = [
    ">=1.0,<2.0a0",
    "1.1.*",
    "=1.1",
    "==1.0",
    "<1.1.2a",
    ">=1.1.1q,<1.1.2a",
    "3.1.*",
    "3.1*",
    "!=2.0.1",
    "!=1.1.*",
    "1.0|2.0.*",
    "~=1.0.0",
    ">9e",
    "20220623.*",
    "<2",
    ">=2.0a0",
    "1.2.1.*",
    "1.1*",
    "*",
]
MACHINE = ("__unix=0=0", "__glibc=2.28=0", "__archspec=1=x86_64_v3", "__cuda=12.4=0")


def test_versions_are_ordered_as_conda_orders_them() -> None:
    ordered = [
        "0.4.1",
        "0.5a1",
        "1.0a",
        "1.0a1",
        "1.0rc1",
        "1.0.dev1",
        "1.0",
        "1.0.post1",
        "1.1.1q",
        "1.1.1",
        "1.1.2a",
        "1.2.1",
        "1.2.13",
        "2.0a0",
        "2",
        "3.1",
        "3.10.4",
        "9e",
        "9",
        "2022.1",
        "1!1.0",
    ]
    assert all(compare(one, other) == -1 for one, other in itertools.combinations(ordered, 2))
    assert compare("1.0", "1.0.0") == compare("1.1", "1.1") == 0
    assert compare("2" * 5000, "2" * 4999 + "1") == 1
    assert (compare("1.0+1", "1.0"), compare("1.0+a", "1.0")) == (1, -1)


def test_rattler_orders_them_so_too() -> None:
    import rattler

    for one, other in itertools.product(VERSIONS, VERSIONS):
        assert (compare(one, other) < 0) == (rattler.Version(one) < rattler.Version(other)), (one, other)


def by_rattler(spec: str, version: str, build: str) -> bool:
    import rattler

    record = rattler.PackageRecord(
        name=spec_name(spec), version=version, build=rattler.BuildString(build), build_number=0, subdir="noarch", arch=None, platform=None
    )
    return rattler.MatchSpec(spec, strict=False).matches(record)


def test_there_are_cases_enough() -> None:
    assert sum(answer != "?" for answer, *_ in CASES) >= 150


@pytest.mark.parametrize(("answer", "version", "build", "spec"), CASES, ids=[f"{spec} {version}" for _, version, _, spec in CASES])
def test_what_a_package_meets(answer: str, version: str, build: str, spec: str) -> None:
    assert meets(spec, version, build) is ANSWERS[answer]
    if answer != "?":
        assert by_rattler(spec, version, build) is ANSWERS[answer]


@pytest.mark.parametrize("spec", SPECS)
def test_rattler_matches_the_same(spec: str) -> None:
    for version in VERSIONS:
        assert meets(f"x {spec}", version, "b_0") == by_rattler(f"x {spec}", version, "b_0"), version


def test_the_name_of_a_spec() -> None:
    assert [spec_name(text) for text in ("numpy>=1", "NumPy", "conda-forge::libabseil * cxx17*", "_openmp_mutex 4.5", "", ">=1")] == [
        "numpy", "numpy", "libabseil", "_openmp_mutex", "", "",
    ]  # fmt: skip


def test_virtual_packages() -> None:
    assert (virtual_name("__glibc >=2.17"), virtual_name("glibc >=2.17"), virtual_name("_libgcc_mutex 0.1")) == ("__glibc", "", "")
    assert (least("__glibc >=2.17,<3.0.a0"), least("__osx >=11.0"), least("__glibc ~=2.17"), least("__unix")) == (
        "2.17",
        "11.0",
        "2.17",
        "",
    )
    assert virtual_meets("__glibc ~=2.17", MACHINE)
    assert virtual_meets("__archspec 1.* x86_64_v3", MACHINE)
    assert not virtual_meets("__archspec 1.* skylake", MACHINE)


def test_what_a_machine_has_not_is_not_met_and_what_cannot_be_judged_is() -> None:
    assert not virtual_meets("__win", MACHINE)
    assert not virtual_meets("__win >=10 [build", MACHINE)
    assert virtual_meets("__cuda >=13 [build", MACHINE)


LONG = 100_000
# The work for a pattern is the product of its length and the text's: one grows, the other is so long.
SHORT = 1000
# Each takes a number of letters and gives what is matched: a specification, a version, a build.
HOSTILE: tuple[Callable[[int], tuple[str, str, str]], ...] = (
    lambda n: ('x[build="^(a+)+$"]', "1", "a" * n),
    lambda n: ('x[build="^%s$"]' % (".*" * (n // 2)), "1", "a" * SHORT),
    lambda n: ('x[build="^%s$"]' % (".*" * SHORT), "1", "a" * n),
    lambda n: ('x[build="^%sb$"]' % (".*a" * (n // 3)), "1", "a" * SHORT),
    lambda n: ('x[build="^%sb$"]' % (".*a" * SHORT), "1", "a" * n),
    lambda n: ('x[build="^%sb$"]' % ("(a|a)" * (n // 5)), "1", "a" * n),
    lambda n: ('x[build="^{}a{}$"]'.format("(" * n, ")" * n), "1", "a"),
    lambda n: ("x * %sb" % ("*a" * (n // 2)), "1", "a" * SHORT),
    lambda n: ("x * %sb" % ("*a" * SHORT), "1", "a" * n),
    lambda n: ("x {}1{}".format("(" * n, ")" * n), "1", "a"),
    lambda n: ("x %s" % ("(1," * (n // 3)), "1", "a"),
    lambda n: ("x %s" % ("=" * n), "1", "a"),
    lambda n: ("x %s" % ("1 , " * (n // 4)), "1", "a"),
    lambda n: ("x ~=%s" % ("1." * (n // 2) + "1"), "1." * (n // 2) + "2", "a"),
    lambda n: ("x >%s" % ("9" * n), "9" * n, "a"),
    lambda n: ("x %s*" % ("1a" * (n // 2)), "1a" * (n // 2), "a"),
    lambda n: ("x%s1" % (" " * n), "1", "a"),
    lambda n: ("x[%s" % ("a=b," * (n // 4)), "1", "a"),
    lambda n: ("x[a=%s]" % (" " * n), "1", "a"),
    lambda n: ("%s" % ("a::" * n), "1", "a"),
)


@pytest.mark.parametrize("hostile", HOSTILE, ids=[f"{number} {hostile(24)[0][:24]}" for number, hostile in enumerate(HOSTILE)])
def test_the_work_grows_with_the_spec(hostile: Callable[[int], tuple[str, str, str]]) -> None:
    def work(size: int) -> None:
        spec, version, build = hostile(size)
        meets(spec, version, build)
        spec_name(spec)
        least(spec)

    assert not too_fast(work, LONG)
