"""One requirement: what can be locked by hash, and one spelling on the short way and on the long one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from provisioner.declared import requirement
from provisioner.declared.requirement import NotLockableError, parse


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("Pandas", "pandas"),
        ("  my_Own.Package >= 2 , < 3 ", "my-own-package<3,>=2"),
        ("dask[Distributed, data_frame]==2024.1", "dask[data-frame,distributed]==2024.1"),
        ("x[]>=1", "x>=1"),
        ("pandas~=2.2.0", "pandas~=2.2.0"),
        ("pandas==2.*", "pandas==2.*"),
        ("pandas (>=2)", "pandas>=2"),
        ("h5py;python_version<'3.12'", 'h5py; python_version < "3.12"'),
        ("h5py[a]>1 ; sys_platform == 'linux' and extra == 'x'", 'h5py[a]>1; sys_platform == "linux" and extra == "x"'),
        ("torch==2.1+cpu", "torch==2.1+cpu"),
        ("a>=1.0rc1", "a>=1.0rc1"),
    ],
)
def test_spelling(text: str, spelt: str) -> None:
    assert parse(text).text == spelt
    assert parse(spelt).text == spelt


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a requirement"),
        ("pandas>>2", "is not a requirement"),
        ("pandas 2", "is not a requirement"),
        ("pandas~=2", "is not a requirement"),
        ("-e .", "an option of pip"),
        ("--editable=.", "an option of pip"),
        ("git+https://example.com/x.git", "version control"),
        ("x @ git+ssh://git@example.com/x", "version control"),
        ("x @ https://example.com/x-1.whl", "names an address"),
        ("x @ file:///tmp/x", "names an address"),
        ("https://example.com/x-1.tar.gz", "is an address"),
        ("file:///tmp/x", "is an address"),
        (".", "local file or folder"),
        ("./x", "local file or folder"),
        ("../x[extra]", "local file or folder"),
        ("/opt/x", "local file or folder"),
        ("~/x", "local file or folder"),
        ("C:\\x", "local file or folder"),
        ("x-1.0-py3-none-any.whl", "local file or folder"),
        ("x==${VERSION}", "names a variable"),
    ],
)
def test_what_cannot_be_locked_by_hash(text: str, why: str) -> None:
    with pytest.raises(NotLockableError, match=why):
        parse(text)
    assert why in requirement.fault(text)


def test_a_message_shows_no_password() -> None:
    assert "pa55" not in requirement.fault("x @ https://ada:pa55@example.com/x.whl")


NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,2}){0,2}((a|b|rc)[0-9])?(\.post[0-9])?(\.dev[0-9])?", fullmatch=True)
CLAUSES = st.lists(st.tuples(st.sampled_from(["==", "!=", "<=", ">=", "<", ">"]), VERSIONS).map(" ".join), max_size=3).map(" , ".join)


@given(NAMES, st.lists(NAMES, max_size=2), CLAUSES)
def test_the_short_way_and_the_long_one_agree(name: str, extras: list[str], clauses: str) -> None:
    listed = f"[{','.join(extras)}]" if extras else ""
    text = f"{name}{listed} {clauses}"
    short = parse(text)
    assert short == requirement._parse_fully(text)
    assert Requirement(short.text) == Requirement(text)


@pytest.mark.parametrize("text", ["0_", "a-", "name[extra_]"])
def test_a_name_ends_with_a_letter_or_a_digit(text: str) -> None:
    assert requirement.fault(text).removeprefix(f"`{text}` ").startswith("is not a requirement")


@given(st.text(max_size=40))
def test_any_text_is_a_requirement_or_not(text: str) -> None:
    try:
        spelt = parse(text).text
    except NotLockableError:
        return
    assert parse(spelt).text == spelt
