"""Addresses that only a file names: nobody is asked, and no secret is sent, without a word of this person's."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import VERSION, Tool, make_profiles
from tests.hostile.listener import Listener
from tests.lock.index import CUTOFF, Index
from tests.support import PYTHON

SECRETS = {"CLOUD_KEY": "AKIA-cloud-key", "GIT_TOKEN": "ghp-git-token", "UV_INDEX_TEAM_PASSWORD": "uv-own"}
DECLARATION = """\
tensorflow: "2.20"
pythons: ["{python}"]
targets: [{{name: ci, platform: linux-x86_64, device: cpu}}]
requirements: [pandas]
formats: [requirements]
{more}
"""


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.close()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    found = Index(tmp_path / "index")
    yield found
    found.close()


@pytest.fixture
def given(tmp_path: Path, index: Index) -> dict[str, str]:
    """A catalogue of one set, whose files are on the index."""
    files = (index.add("numpy", "1.26"), index.add("tensorflow-cpu", VERSION, "numpy"))
    index.add("pandas", "2.0", "numpy")
    return {"TFSETUP_PROFILES": str(make_profiles(tmp_path / "profiles", files))}


def declare(work: Path, more: str) -> None:
    (work / "tfsetup.yaml").write_text(DECLARATION.format(python=PYTHON, more=more))


ADDRESSES = {
    "channels": ("kind: conda\nchannels: ['http://{host}/channel']", (("plan",), ("apply", "--yes"), ("plan", "--json"))),
    "channels and source": ("source: conda\nchannels: ['http://{host}/channel']", (("plan",), ("apply", "--yes"))),
    "indexes": ("indexes: [{{url: 'http://{host}/simple'}}]", (("lock",), ("lock", "--upgrade"))),
    "indexes of a package": ("indexes: [{{url: 'http://{host}/simple', packages: [pandas]}}]", (("lock",),)),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_of_the_folder_s_file_is_not_asked(tool: Tool, given: dict[str, str], work: Path, listener: Listener, name: str) -> None:
    more, commands = ADDRESSES[name]
    declare(work, more.format(host=listener.host))
    for command in commands:
        ended = tool(*command, "--env", "env", **given) if command[0] != "lock" else tool(*command, **given)
        said = ended.out + ended.err
        assert ended.code == 15, said
        assert "--trust" in said
        assert listener.host in said
        assert "tfsetup.yaml" in said
        assert listener.heard == []


def test_it_is_shown_before_it_is_asked(tool: Tool, given: dict[str, str], work: Path, listener: Listener) -> None:
    declare(work, f"indexes: [{{url: 'http://{listener.host}/simple'}}]")
    ended = tool("lock", "--trust", **given)
    assert listener.heard
    assert ended.err.splitlines()[0].startswith(f"tfsetup.yaml: indexes[0].url names the index http://{listener.host}/simple")


@pytest.mark.parametrize("hostile", ["${CLOUD_KEY}:${GIT_TOKEN}@", "${CLOUD_KEY}@", "${UV_INDEX_TEAM_PASSWORD}@", "x:${HOME}@"])
@pytest.mark.parametrize("agreed", ["", "--trust"])
def test_a_variable_that_nobody_allowed_for_the_host_is_refused(
    tool: Tool, given: dict[str, str], work: Path, listener: Listener, hostile: str, agreed: str
) -> None:
    """S4: whatever else this person agrees to."""
    config = work.parent / "config.yaml"
    config.write_text("credentials: {packages.example.com: [CLOUD_KEY, GIT_TOKEN], '127.0.0.1': [CLOUD_KEY, GIT_TOKEN]}\n")
    variables = {**given, **SECRETS, "TFSETUP_CONFIG": str(config)}
    args = [agreed] if agreed else []
    for more, command in (
        (f"indexes: [{{url: 'http://{hostile}{listener.host}/simple', name: team}}]", ("lock",)),
        (f"kind: conda\nchannels: ['http://{hostile}{listener.host}/channel']", ("plan",)),
        (f"kind: conda\nchannels: ['http://{hostile}{listener.host}/channel']", ("apply", "--yes")),
    ):
        declare(work, more)
        ended = tool(*command, *args, **variables)
        assert ended.code == 2, ended.err
        assert "tfsetup.yaml: " in ended.err
        assert str(config) in ended.err
        assert not any(value in ended.err for value in SECRETS.values())
    declare(work, f"kind: conda\nchannels: ['http://{listener.host}/t/${{GIT_TOKEN}}/channel']")
    assert tool("plan", *args, **variables).code == 2
    assert listener.heard == []


@pytest.mark.parametrize(
    "address",
    [
        "http://${{CLOUD_KEY}}@{host}\\@allowed.example/simple",
        "http://${{CLOUD_KEY}}@{host}/@allowed.example/simple",
        "http://${{CLOUD_KEY}}@{host}?@allowed.example/simple",
        "http://${{CLOUD_KEY}}@allowed.example@{host}/simple",
        "http://allowed.example@{host}/t/${{CLOUD_KEY}}/x",
        "http://{host}/${{CLOUD_KEY}}/simple",
        "http://${{CLOUD_KEY}}.allowed.example/simple",
        "https://${{CLOUD_KEY}}@allowed.example:1/simple",
        "http://${{CLOUD_KEY}}@allowed.example/simple",
    ],
)
def test_no_spelling_of_an_address_passes_for_another_host(
    tool: Tool, given: dict[str, str], work: Path, listener: Listener, address: str
) -> None:
    config = work.parent / "config.yaml"
    config.write_text("credentials: {allowed.example: [CLOUD_KEY]}\nhosts: [allowed.example]\n")
    variables = {**given, **SECRETS, "TFSETUP_CONFIG": str(config)}
    url = address.format(host=listener.host)
    for more, command in ((f"indexes: [{{url: '{url}'}}]", ("lock",)), (f"kind: conda\nchannels: ['{url}']", ("plan",))):
        declare(work, more)
        assert tool(*command, "--trust", **variables).code == 2
    assert listener.heard == []


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_what_is_there_for_indexes_alone_is_sent_to_the_index_of_that_name(
    tool: Tool, given: dict[str, str], work: Path, index: Index, listener: Listener
) -> None:
    index.login = basic("ada", "p@ss/word")
    variables = {**given, "TFSETUP_INDEX_OUR_OWN_USERNAME": "ada", "TFSETUP_INDEX_OUR_OWN_PASSWORD": "p@ss/word"}
    login = "${TFSETUP_INDEX_OUR_OWN_USERNAME}:${TFSETUP_INDEX_OUR_OWN_PASSWORD}"
    declare(work, f"indexes: [{{url: 'http://{login}@{index.host}/simple', name: our-own}}]")
    ended = tool("lock", "--cutoff", CUTOFF[:10], **variables)
    assert (ended.code, "TFSETUP_INDEX_OUR_OWN_PASSWORD" in ended.err) == (15, True)
    assert index.seen == []
    ended = tool("lock", "--cutoff", CUTOFF[:10], "--trust", **variables)
    assert ended.code == 0, ended.err
    assert "p@ss" not in ended.err + (work / "tfsetup.lock.json").read_text()
    # An index of another name does not get them.
    declare(work, f"indexes: [{{url: 'http://{login}@{listener.host}/simple', name: other}}]")
    assert tool("lock", "--trust", **variables).code == 2
    assert listener.heard == []


def test_what_this_person_allowed_for_the_host_needs_no_word(tool: Tool, given: dict[str, str], work: Path, index: Index) -> None:
    """The honest team: once in each person's configuration, and nothing is asked any more, in CI neither."""
    index.login = basic("team", "secret")
    config = work.parent / "config.yaml"
    config.write_text(f"credentials:\n  '{index.host}': [TEAM_USER, TEAM_TOKEN]\n")
    variables = {**given, "TEAM_USER": "team", "TEAM_TOKEN": "secret", "TFSETUP_CONFIG": str(config)}
    declare(work, f"indexes: [{{url: 'http://${{TEAM_USER}}:${{TEAM_TOKEN}}@{index.host}/simple'}}]\nfolder: locks")
    ended = tool("lock", "--cutoff", CUTOFF[:10], **variables)
    assert ended.code == 0, ended.err
    assert tool("lock", **variables).code == 0
    # The wheels hold no TensorFlow that computes: it is installed, proven, and taken back.
    ended = tool("apply", "--locked", "--yes", "--env", "env", **variables)
    assert ended.code == 14, ended.err
    assert "secret" not in ended.err + ended.out


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "PIP_INDEX_URL", "UV_EXTRA_INDEX_URL"])
def test_a_host_of_this_person_s_own_settings_needs_no_word(
    tool: Tool, given: dict[str, str], work: Path, index: Index, variable: str
) -> None:
    declare(work, f"indexes: [{{url: '{index.url}'}}]")
    ended = tool("lock", "--cutoff", CUTOFF[:10], **given, **{variable: f"http://{index.host}/other"})
    assert ended.code == 0, ended.err


def test_a_lock_s_addresses_are_the_lock_s_alone(tool: Tool, given: dict[str, str], work: Path, index: Index, listener: Listener) -> None:
    """A lock that was handed on: its index is asked after a word, its variables are never put in."""
    declare(work, f"indexes: [{{url: '{index.url}'}}]")
    assert tool("lock", "--cutoff", CUTOFF[:10], "--trust", **given).code == 0
    (work / "tfsetup.yaml").unlink()
    path = work / "tfsetup.lock.json"
    text = path.read_text()
    for login, args, code in (("", (), 15), ("", ("--yes",), 15), ("${CLOUD_KEY}@", ("--yes", "--trust"), 2)):
        path.write_text(text.replace(index.url, f"http://{login}{listener.host}/simple"))
        (work / "requirements.ci.txt").unlink(missing_ok=True)
        ended = tool("apply", "--locked", "--env", "env", *args, **given, **SECRETS)
        assert (ended.code, "tfsetup.lock.json: indexes[0].url" in ended.err) == (code, True), ended.err
    assert listener.heard == []


@pytest.mark.parametrize("login", ["", "${CLOUD_KEY}@"])
def test_a_saved_plan_s_addresses_are_not_asked(tool: Tool, tiny: dict[str, str], work: Path, listener: Listener, login: str) -> None:
    from provisioner.model import codec
    from provisioner.model.plan import Plan
    from provisioner.plan.seal import SCHEMA, seal

    assert tool("plan", "--env", "env", "-o", "plan.json", **tiny).code == 0
    data = json.loads((work / "plan.json").read_text())
    data["indexes"] = [{"url": f"http://{login}{listener.host}/simple", "name": "", "packages": []}]
    data["seal"] = seal(codec.from_data(Plan, data, file="plan.json", schema=SCHEMA))
    (work / "plan.json").write_text(json.dumps(data))
    ended = tool("apply", "plan.json", "--yes", **{**tiny, **SECRETS, "UV_OFFLINE": ""})
    assert ended.code == (2 if login else 15), ended.err
    assert listener.heard == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("credentials: [x]", "credentials: expected names of variables for each host"),
        ("credentials: {'a b': [X]}", "credentials: expected"),
        ("credentials: {host: [X-Y]}", "credentials: expected"),
        ("hosts: host", "hosts: expected a list"),
        ("trust: all", "trust: is not known"),
        ("- x", "expected `credentials` and `hosts`"),
        ("{", "not valid YAML"),
        ("[" * 5000, "not valid YAML"),
    ],
)
def test_a_configuration_with_faults_allows_nothing(
    tool: Tool, given: dict[str, str], work: Path, listener: Listener, text: str, told: str
) -> None:
    (work.parent / "config.yaml").write_text(text)
    declare(work, f"indexes: [{{url: 'http://${{CLOUD_KEY}}@{listener.host}/simple'}}]")
    ended = tool("lock", **given, **SECRETS, TFSETUP_CONFIG=str(work.parent / "config.yaml"))
    assert (ended.code, told in ended.err) == (2, True), ended.err
    assert listener.heard == []
