"""Known messages: lines of real output, the examples of every message, and the faults of the files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from provisioner.causes import open_messages
from provisioner.causes.messages import classify
from provisioner.errors import InputError
from provisioner.explain.topics import TOPICS
from provisioner.host.local import LocalHost
from tests.verify.support import PROFILES, known_messages

LINES = yaml.safe_load((Path(__file__).parent / "lines.yaml").read_text(encoding="utf-8"))
FILES = sorted((PROFILES / "causes" / "messages").glob("*.yaml"))
EXAMPLES = [(path.stem, item) for path in FILES for item in yaml.safe_load(path.read_text(encoding="utf-8"))["messages"]]
SPEAKER = """
schema: tfsetup/messages/3
speaker: one
about: someone
messages:
- {id: first, pattern: 'a big (one|two)', kind: fault, cause: disk-full, means: m, reference: r, example: 'a big one'}
- {id: second, pattern: 'quiet', kind: harmless, means: m, reference: r, example: 'quiet'}
"""


@pytest.mark.parametrize("case", LINES, ids=[f"{number}-{item['id']}" for number, item in enumerate(LINES)])
def test_line(case):
    found = known_messages().match(case["line"])
    assert (found.id if found else None) == case["id"]


@pytest.mark.parametrize(("speaker", "item"), EXAMPLES, ids=[f"{speaker}-{item['id']}" for speaker, item in EXAMPLES])
def test_every_message_is_the_first_to_match_its_example(speaker, item):
    found = known_messages().match(item["example"])
    assert found is not None
    assert (found.speaker, found.id) == (speaker, item["id"])


def test_every_cause_is_one_of_the_contract():
    codes = {item.cause for item in known_messages().messages} | set(known_messages().titles)
    listed = yaml.safe_load((Path(__file__).parent / "causes.yaml").read_text(encoding="utf-8"))
    assert codes == set(listed)


def test_every_topic_has_its_judgement_and_every_judgement_a_message():
    assert {item.topic for item in known_messages().messages} - {""} == set(TOPICS)


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


def test_windows_speaks_only_on_windows():
    line = "ImportError: DLL load failed: The specified module could not be found."
    assert known_messages().spoken_on("win32").match(line).speaker == "windows"
    assert known_messages().spoken_on("linux").match(line) is None


@pytest.fixture
def small(tmp_path):
    """A profiles folder with two messages."""
    folder = tmp_path / "profiles"
    (folder / "causes" / "messages").mkdir(parents=True)
    for path in (PROFILES / "causes").glob("*.yaml"):
        shutil.copy(path, folder / "causes")
    (folder / "causes" / "messages" / "one.yaml").write_text(SPEAKER)
    shutil.copy(PROFILES / "history.yaml", folder / "history.yaml")
    return folder


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("a big (one|two)", "a big (", "messages[0].pattern: not a regular expression"),
        ("a big (one|two)", "(a+)+ big", "messages[0].pattern: a repeat inside a repeat"),
        ("a big (one|two)", "a big|.*", "messages[0].pattern: needs a text"),
        ("example: 'a big one'", "example: 'small'", "messages[0].example"),
        ("cause: disk-full, ", "", "messages[0].cause: a fault needs"),
        ("kind: harmless", "kind: harmless, cause: disk-full", "messages[1].cause: only a fault"),
        ("kind: fault", "kind: loud", "messages[0].kind"),
        ("kind: fault", "kind: fault, grade: shouts", "messages[0].grade"),
        ("kind: fault", "kind: fault, about: cpu", "messages[0].about"),
        ("id: second", "id: first", "messages[1].id: used twice"),
        ("means: m", "means: ''", "messages[0].means: is empty"),
        ("speaker: one", "speaker: two", "speaker: expected one"),
        ("cause: disk-full", "cause: no-such-cause", "one.yaml: first: no words for no-such-cause"),
    ],
)
def test_faults_of_a_speaker_are_named(small, old, new, place):
    assert len(open_messages(LocalHost(), str(small)).messages) == 2
    path = small / "causes" / "messages" / "one.yaml"
    assert old in SPEAKER
    path.write_text(SPEAKER.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        open_messages(LocalHost(), str(small))
    assert any(fault.startswith(place) for fault in caught.value.faults), caught.value.faults


def test_faults_of_the_history_and_missing_files_are_named(small):
    history = (small / "history.yaml").read_text()
    (small / "history.yaml").write_text(history.replace("'\\bgb10\\b|dgx spark'", "'('"))
    with pytest.raises(InputError) as caught:
        open_messages(LocalHost(), str(small))
    assert "not a regular expression" in caught.value.faults[0]
    (small / "history.yaml").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        open_messages(LocalHost(), str(small))


def test_one_id_for_one_message_in_all_files(small):
    (small / "causes" / "messages" / "two.yaml").write_text(SPEAKER.replace("speaker: one", "speaker: two"))
    with pytest.raises(InputError) as caught:
        open_messages(LocalHost(), str(small))
    assert caught.value.faults == ("two.yaml: first is in one.yaml, too", "two.yaml: second is in one.yaml, too")


def test_the_cache_serves_until_a_file_changes(small, tmp_path):
    host, cache = LocalHost(), str(tmp_path / "cache" / "deep")
    first = open_messages(host, str(small), cache=host, cache_dir=cache)
    kept = next(Path(cache).glob("causes-*.json"))
    again = open_messages(host, str(small), cache=host, cache_dir=cache)
    assert again.messages == first.messages
    assert (again.titles, again.order, again.history) == (first.titles, first.order, first.history)
    kept.write_text("{")
    assert open_messages(host, str(small), cache=host, cache_dir=cache).messages == first.messages
    path = small / "causes" / "messages" / "one.yaml"
    path.write_text(SPEAKER.replace("id: second", "id: third"))
    os.utime(path, (1, 1))
    assert {item.id for item in open_messages(host, str(small), cache=host, cache_dir=cache).messages} == {"first", "third"}


def test_no_registry_is_named():
    for path in (PROFILES / "history.yaml", *FILES):
        text = path.read_text(encoding="utf-8").lower()
        assert not any(name in text for name in ("pypi." + "org", "python" + "hosted", "anaconda." + "org")), path
