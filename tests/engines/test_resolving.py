"""What both resolvers share: annotations, addresses with variables and passwords; the texts are those of real runs."""

from __future__ import annotations

import pytest

from provisioner.engines.resolving import canonical, check_variables, credentials, plain, read_annotations
from provisioner.errors import UsageError
from provisioner.model.team import Index

UV = """\
absl-py==2.3.1
    # via
    #   tfsetup-team (pyproject.toml)
    #   keras
    #   tensorflow
    # from https://index.example/simple
Jinja2[i18n]==3.1 \\
    --hash=sha256:abc
    # via -r requirements.in
    # from https://other.example/simple
scipy==1.17.1
    # via
    #   -c constraints.txt
    #   scikit_learn[extra]
"""


def test_annotations_tell_versions_origins_and_indexes() -> None:
    versions, via, indexes = read_annotations(UV)
    assert versions == {"absl-py": "2.3.1", "jinja2": "3.1", "scipy": "1.17.1"}
    assert via == {"absl-py": ("keras", "tensorflow"), "jinja2": (), "scipy": ("scikit-learn",)}
    assert indexes == {"absl-py": "https://index.example/simple", "jinja2": "https://other.example/simple"}


def test_names_are_compared_as_the_standard_says() -> None:
    assert canonical("Zope.Interface__x") == "zope-interface-x"


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://me:p%40ss@i.example/s?x=1", ("https://i.example/s?x=1", "me", "p@ss")),
        ("https://i.example/s", ("https://i.example/s", "", "")),
        ("https://token@i.example:8443/s", ("https://i.example:8443/s", "token", "")),
    ],
)
def test_user_and_password_are_parted_from_an_address(url: str, parts: tuple[str, str, str]) -> None:
    assert credentials(url) == parts


def test_what_is_written_down_has_no_secret() -> None:
    assert plain("https://me:pw@i.example/s/a-1.0.whl?token=x#sha256=1") == "https://i.example/s/a-1.0.whl"


@pytest.mark.parametrize("url", ["https://i.example/${TOKEN}/simple", "https://${HOST}/simple"])
def test_a_variable_in_the_address_itself_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="only stand for the user and the password"):
        check_variables(Index(url=url))
    check_variables(Index(url="https://${A}:${B}@i.example/simple"))
