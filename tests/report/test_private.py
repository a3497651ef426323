"""What is private goes, the same always by the same words; what only looks like it stays."""

from __future__ import annotations

import pytest

from provisioner.report.private import Private
from tests.support import FixedHost

VARIABLES = {"HOME": "/home/ann", "USER": "ann", "HOSTNAME": "box7.corp.example", "MY_API_KEY": "abcdef123456"}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("/home/ann/tf-env/bin", "~/tf-env/bin"),
        ("/home/anna/tf-env", "/home/anna/tf-env"),
        ("ann runs it, annotations stay", "<user> runs it, annotations stay"),
        ("on box7.corp.example and box7", "on <host> and <host>"),
        ("https://me:pw@example.invalid/x?token=abc", "https://***@example.invalid/x?token=***"),
        ("mail me@example.org please", "mail <e-mail> please"),
        ("the key is abcdef123456.", "the key is ***."),
        ("ghp_" + "a" * 36, "***"),
    ],
)
def test_cleaning(text, clean):
    assert Private.of(FixedHost(VARIABLES)).clean(text) == clean


def test_ordinary_names_are_not_private():
    private = Private.of(FixedHost({"HOME": "/root", "USER": "root"}))
    assert private.clean("root certificates in /root/x") == "root certificates in ~/x"


def test_what_was_taken_out_is_said():
    private = Private.of(FixedHost(VARIABLES))
    private.clean("/home/ann, me@example.org")
    assert private.taken_out == ("e-mail addresses", "the home folder")
