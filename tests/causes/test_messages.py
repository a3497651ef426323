"""Known messages: cases as lines of real output, and the file's own faults."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from verify.support import PROFILES, known_messages

from provisioner.causes.messages import classify, load_messages
from provisioner.errors import InputError

LINES = yaml.safe_load((Path(__file__).parent / "lines.yaml").read_text(encoding="utf-8"))
SMALL = """
schema: tfsetup/messages/1
messages:
- {id: one, pattern: 'a b', kind: fault, cause: disk-full, explanation: e, reference: r}
causes:
  disk-full: {title: t, remedy: r}
  harmless-message: {title: t, remedy: r}
ranking: [disk-full, harmless-message]
"""


@pytest.mark.parametrize("case", LINES, ids=[f"{number}-{item['id']}" for number, item in enumerate(LINES)])
def test_line(case):
    found = known_messages().match(case["line"])
    assert (found.id if found else None) == case["id"]


def test_every_cause_is_one_of_the_contract():
    codes = {item.cause for item in known_messages().messages} | set(known_messages().causes)
    listed = yaml.safe_load((Path(__file__).parent / "causes.yaml").read_text(encoding="utf-8"))
    assert codes <= set(listed)


def test_equal_lines_are_counted_and_unknown_ones_kept():
    text = (
        "2024-06-11 13:04:08.609697: I x.cc:1] brand new 0x55f0a44c9110\n"
        "I0000 00:00:1795201689.721920    5268 port.cc:153] oneDNN custom operations are on.\n\n"
        "2024-06-11 13:04:09.000000: I x.cc:1] brand new 0x55f0a44c9999"
    )
    seen = classify(text, known_messages())
    assert [(item.message.id if item.message else None, item.line, item.count) for item in seen] == [
        (None, "I x.cc:1] brand new", 2),
        ("onednn", "port.cc:153] oneDNN custom operations are on.", 1),
    ]


def test_remedy_quotes_paths():
    messages = known_messages()
    assert messages.remedy("disk-full", env="/x", python="/p").steps == ()
    assert messages.remedy("install-corrupt", env="/tmp/a b", python="/p").steps == ("tfsetup apply --env '/tmp/a b'",)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("'a b'", "'a ('", "messages[0].pattern"),
        ("cause: disk-full", "cause: no-such-cause", "messages[0].cause"),
        ("cause: disk-full, ", "", "messages[0].cause: a fault needs"),
        ("kind: fault", "kind: loud", "messages[0].kind"),
        ("ranking: [disk-full, ", "ranking: [", "causes.disk-full: is not in ranking"),
        ("ranking: [disk-full, ", "ranking: [disk-full, unheard-of, ", "ranking: no words"),
        ("explanation: e, ", "explanation: e, extra: 1, ", "messages[0].extra"),
    ],
)
def test_faults_of_the_file_are_named(old, new, place):
    assert load_messages(SMALL, file="m.yaml").messages[0].id == "one"
    with pytest.raises(InputError) as caught:
        load_messages(SMALL.replace(old, new), file="m.yaml")
    assert any(fault.startswith(place) for fault in caught.value.faults), caught.value.faults


def test_double_id_and_bad_yaml():
    line = next(line for line in SMALL.splitlines() if line.startswith("- {id"))
    with pytest.raises(InputError) as caught:
        load_messages(SMALL.replace(line, f"{line}\n{line}"), file="m.yaml")
    assert caught.value.faults == ("messages[1].id: used twice: one",)
    with pytest.raises(InputError, match="not valid YAML"):
        load_messages("a: [", file="m.yaml")


def test_no_registry_is_named():
    assert "http" not in (PROFILES / "messages.yaml").read_text(encoding="utf-8")
