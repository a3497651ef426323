"""Who needs what, in a resolver's words."""

from __future__ import annotations

import pytest

from provisioner.lock.reasons import absent, reasons

KNOWN = {"tensorflow-cpu": "TensorFlow 2.13.1"}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (
            "Because tensorflow-cpu==2.13.1 depends on typing-extensions>=3.6.6,<4.6.0 and psycopg==3.2.13 depends on typing-extensions{x<'3'}>=4.6",
            ("TensorFlow 2.13.1 needs typing-extensions>=3.6.6,<4.6.0", "psycopg 3.2.13 needs typing-extensions>=4.6"),
        ),
        (
            "Because opencv-python==4.9.0.80 depends on numpy>=1.23.5 and you require numpy==1.22.3, we can conclude that",
            ("opencv-python 4.9.0.80 needs numpy>=1.23.5",),
        ),
        (
            "Because tensorflow==2.5.0 depends on numpy>=1.19.2,<1.20.dev0 and you require numpy==1.20.3",
            ("tensorflow 2.5.0 needs numpy>=1.19.2,<1.20",),
        ),
        (
            "And because segmentation-models>=1.0.1 depends on efficientnet==1.0.0",
            ("segmentation-models>=1.0.1 needs efficientnet==1.0.0",),
        ),
        ("Because fast==2.0 has no wheels with a matching platform tag and tfsetup-team==0 depends on fast==2.0", ()),
        ("Because nosuch was not found in the package registry and you require nosuch", ()),
        ("depends on " * 2000, ()),
        ("a" * 20_000 + "==1 depends on ", ()),
    ],
)
def test_what_two_sides_say_is_read_out_of_the_chain(said: str, found: tuple[str, ...]) -> None:
    assert reasons(said, KNOWN) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Because only jaxlib>=0.4.13 is available and you require jaxlib>=0.1.76,<0.2.dev0", ("the index has only jaxlib>=0.4.13",)),
        ("Because there is no version of jaxlib==9.0 and you require jaxlib==9.0", ("the index has no jaxlib==9.0",)),
        (
            "Because jaxlib==0.4.13 has no wheels with a matching Python ABI tag (e.g., `cp313`)",
            ("jaxlib 0.4.13 has no wheel for this Python",),
        ),
        ("Because jaxlib>=0.4,<0.5 has no wheels with a matching Python version tag", ("jaxlib>=0.4,<0.5 has no wheel for this Python",)),
        ("Because only other>=1 is available and jaxlib-extra==1 has no wheels with a matching Python ABI tag", ()),
        ("only jaxlib" * 2000, ()),
    ],
)
def test_what_is_not_there_is_a_reason(said: str, found: tuple[str, ...]) -> None:
    assert absent(said, "jaxlib") == found
