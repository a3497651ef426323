"""What may stand after `--tensorflow` and `--python`."""

import pytest

from provisioner.choose.versions import matches, minor, names_prerelease, some_patch_matches, specifier
from provisioner.errors import UsageError


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("", ""), ("latest", ""), ("*", ""), ("2", "==2.*"), ("2.15", "==2.15.*"), (" 2.15 ", "==2.15.*"), ("2.15.*", "==2.15.*"),
        ("2.15.0.*", "==2.15.0.*"), ("2.15.1", "==2.15.1"), ("2.15.0.post1", "==2.15.0.post1"), ("2.22.0rc0", "==2.22.0rc0"),
        ("==2.15", "==2.15"), (">=2.16,<2.19", ">=2.16,<2.19"), ("~=2.15.0", "~=2.15.0"), ("!=2.16.1", "!=2.16.1"),
    ],
)  # fmt: skip
def test_forms(text, spec):
    assert specifier(text, "--tensorflow") == spec


@pytest.mark.parametrize(
    "text", ["newest", "2.x", ">=", ",", "2.15 2.16", "tensorflow==2.15", "==2.15;", "-1", "2..15", "\uff12.15", "\x00", "=2.15"]
)
def test_nonsense(text):
    with pytest.raises(UsageError) as caught:
        specifier(text, "--tensorflow")
    assert text.strip() in caught.value.message
    assert "2.15" in caught.value.hint


def test_hint_names_a_python_for_python():
    with pytest.raises(UsageError) as caught:
        specifier("three", "--python")
    assert "3.11" in caught.value.hint


@pytest.mark.parametrize(
    ("spec", "named"),
    [("==2.22.0rc0", True), (">=2.22.0rc0", True), ("==2.22.*", False), ("!=2.22.0rc0", False), ("<2.22.0rc0", False), ("", False)],
)
def test_prerelease_must_be_named(spec, named):
    assert names_prerelease(spec) is named


def test_comparisons():
    assert minor("3.11.7") == "3.11"
    assert matches("==3.11.*", "3.11.7")
    assert not matches("==3.11.*", "3.12.0")
    assert not matches("==3.11.*", "not a version")
    assert matches("", "anything")
    assert matches(">=3.13", "3.15.0rc1")


def test_a_version_that_is_none_matches_nothing_but_no_restriction():
    assert matches("", "")
    assert not matches(">=3", "")


def test_a_minor_may_meet_a_patch():
    assert some_patch_matches("==3.11.7", "3.11")
    assert not some_patch_matches("==3.11.7", "3.12")
    assert some_patch_matches("", "3.12")
