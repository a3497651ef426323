"""conda's configuration: the same as conda reads from the same files; what cannot be read is said, all of it at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provisioner.conda.channels import channel_urls
from provisioner.conda.config.parse import SHAPES, parse_condarc
from provisioner.conda.config.read import read_config, root_prefix, search_path
from provisioner.environment.conda_records import parse_record
from provisioner.errors import InputError
from provisioner.model.conda import CondaConfig, CondaRecord
from provisioner.model.facts import Tool
from tests.facts.fake_reader import FakeReader
from tests.support import FixedHost

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "condarc" / "merge.yaml").read_text())
EXPANDED = ("CONDA_PREFIX", "CONDARC", "XDG_CONFIG_HOME")
CONDA = (Tool(name="conda", path="/opt/conda/bin/conda"),)


def _real(case: dict, folder: Path) -> dict[str, str]:
    """Write a case's files below a folder; return its environment."""
    home, root = str(folder / "home"), str(folder / "root")
    files = {"~/.keep": "", "root/bin/conda": "", "root/conda-meta/history": "", **case["files"]}
    for name, text in files.items():
        path = folder / name.replace("~", "home")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    # Where the tools expand ~ themselves, they are to do it.
    env = {name: value.replace("~", home) if name in EXPANDED else value for name, value in case.get("env", {}).items()}
    return {"HOME": home, "PATH": "/usr/bin", "CONDA_ROOT": root, **env}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict, CondaConfig, list[str]]]:
    """What conda says to every case, and what we say."""
    asked, ours = [], []
    for number, case in enumerate(CASES.values()):
        folder = tmp_path_factory.mktemp(f"case{number}")
        env = _real(case, folder)
        root = str(folder / "root")
        asked.append({"env": {**env, "CONDA_ROOT_PREFIX": root}, "ask": case.get("ask", [])})
        ours.append(read_config(FixedHost(env), (Tool(name="conda", path=f"{root}/bin/conda"),)))
    done = subprocess.run([sys.executable, HERE / "ask_conda.py"], input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    return {name: (said[number], ours[number], case.get("ask", [])) for number, (name, case) in enumerate(CASES.items())}


@pytest.mark.parametrize("name", CASES)
def test_the_same_as_conda(answers: dict, name: str) -> None:
    theirs, ours, ask = answers[name]
    assert (list(ours.channels) or ["defaults"]) == theirs["channels"]
    for field in ("channel_priority", "offline", "ssl_verify", "proxies"):
        assert getattr(ours, field) == theirs[field], field
    for field in ("pkgs_dirs", "envs_dirs", "allowlist"):
        assert list(getattr(ours, field)) == theirs[field], field
    # conda does not tell of an empty file.
    assert [path for path in ours.files if Path(path).read_text()] == theirs["files"]
    if ours.channel_alias or ask == ["m"]:
        assert {item: list(channel_urls(ours, [item])) for item in ask} == theirs["urls"]


HOME = "/home/me"
ROOT = {"/opt/conda/bin/conda": "", "/opt/conda/conda-meta/history": ""}


def _read(files: dict, tools: tuple[Tool, ...] = CONDA, **env: str) -> CondaConfig:
    return read_config(FakeReader({**ROOT, f"{HOME}/.profile": "", **files}, env={"HOME": HOME, **env}), tools)


def test_nothing_is_read_where_nobody_uses_conda() -> None:
    assert read_config(FakeReader({}, env={"HOME": HOME, "CONDA_OFFLINE": "true"}), ()) == CondaConfig()
    assert read_config(FakeReader({}, env={"HOME": HOME}), (Tool(name="pixi", path="/usr/bin/pixi"),)) == CondaConfig()


def test_a_file_is_read_where_no_tool_is() -> None:
    found = _read({f"{HOME}/.condarc": "channels: [one]\npkgs_dirs: [~/p]\n"}, ())
    assert (found.root, found.channels, found.pkgs_dirs, found.envs_dirs) == ("", ("one",), (f"{HOME}/p",), ())


def test_defaults() -> None:
    found = _read({"/opt/conda/envs/x/y": ""})
    assert (found.root, found.pkgs_dirs) == ("/opt/conda", ("/opt/conda/pkgs", f"{HOME}/.conda/pkgs"))
    assert (found.envs_dirs, found.writable_envs_dirs) == (("/opt/conda/envs", f"{HOME}/.conda/envs"), ("/opt/conda/envs",))
    assert (found.environments, found.register, found.channels) == (f"{HOME}/.conda/environments.txt", True, ())
    assert found.custom_multichannels == {"local": ()}


def test_origins_name_the_source_that_counts_most_first() -> None:
    files = {"/opt/conda/.condarc": "channels: [one]\noffline: true\n", f"{HOME}/.condarc": "channels: [two]\noffline: false\n"}
    found = _read(files, CONDA_CHANNELS="three")
    assert found.origins["channels"] == f"$CONDA_CHANNELS, {HOME}/.condarc, /opt/conda/.condarc"
    assert found.origins["offline"] == f"{HOME}/.condarc"


def test_mamba_has_files_and_variables_of_its_own() -> None:
    files = {
        f"{HOME}/.condarc": "channels: [conda]\n",
        f"{HOME}/.mambarc": "channels: [mamba]\nmirrored_channels:\n  conda-forge: [https://a.invalid/cf, https://b.invalid/cf]\n",
        "/etc/conda/.mambarc": "channel_alias: https://c.invalid\n",
    }
    tools = (Tool(name="micromamba", path="/usr/bin/micromamba"),)
    found = _read(files, tools, MAMBA_ROOT_PREFIX="/data/mamba", MAMBA_SSL_VERIFY="<system>", MAMBA_OFFLINE="1")
    assert (found.root, found.channels, found.channel_alias) == ("/data/mamba", ("mamba", "conda"), "https://c.invalid")
    assert found.mirrors == {"conda-forge": ("https://a.invalid/cf", "https://b.invalid/cf")}
    assert (found.ssl_verify, found.offline) == ("true", True)


@pytest.mark.parametrize(
    ("names", "env", "files", "root"),
    [
        (["conda", "micromamba"], {"MAMBA_ROOT_PREFIX": "/data"}, {}, "/opt/conda"),
        (["micromamba"], {}, {f"{HOME}/micromamba/x": ""}, f"{HOME}/micromamba"),
        (["micromamba"], {}, {}, f"{HOME}/.local/share/mamba"),
        (["micromamba"], {"XDG_DATA_HOME": "/xdg"}, {}, "/xdg/mamba"),
        ([], {"MAMBA_ROOT_PREFIX": "/data"}, {}, ""),
    ],
)
def test_root_prefix(names: list[str], env: dict, files: dict, root: str) -> None:
    tools = [Tool(name=name, path="/opt/conda/bin/conda" if name == "conda" else f"/usr/bin/{name}") for name in names]
    assert root_prefix(FakeReader({**ROOT, **files}, env={"HOME": HOME, **env}), tools) == root


def test_the_file_of_the_environment_that_is_made_counts_and_not_the_active_ones() -> None:
    files = {"/active/.condarc": "channels: [active]\n", "/target/.condarc": "channels: [target]\n"}
    reader = FakeReader({**ROOT, **files}, env={"HOME": HOME, "CONDA_PREFIX": "/active"})
    assert read_config(reader, CONDA).channels == ("active",)
    assert read_config(reader, CONDA, "/target").channels == ("target",)


def test_a_file_counts_once_where_it_counts_least() -> None:
    paths = search_path(FakeReader({}, env={"HOME": HOME, "CONDA_PREFIX": "/opt/conda"}), "/opt/conda")
    assert paths.count("/opt/conda/.condarc") == 1
    assert paths.index("/opt/conda/.condarc") < paths.index(f"{HOME}/.condarc")


def test_folders_as_channels_become_addresses() -> None:
    found = _read({f"{HOME}/.condarc": "channels: [/srv/a b, ~/mine, ./here, file:///x, plain]\n", "/opt/conda/conda-bld/x": ""})
    assert found.channels == ("file:///srv/a%20b", f"file://{HOME}/mine", "file:///here", "file:///x", "plain")
    assert found.custom_multichannels["local"] == ("file:///opt/conda/conda-bld",)


BAD = yaml.safe_load((HERE / "condarc" / "bad.yaml").read_text())


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_with_its_place(name: str) -> None:
    case = BAD[name]
    with pytest.raises(InputError) as caught:
        _read({f"{HOME}/.condarc": case["text"]}, **case.get("env", {}))
    assert [fault.removeprefix(f"{HOME}/.condarc: ") for fault in caught.value.faults] == case["faults"]
    assert str(caught.value).startswith(("$CONDA_ENVS_DIRS" if "env" in case else f"{HOME}/.condarc") + ": cannot be read")


def test_all_faults_of_all_files_at_once() -> None:
    files = {"/opt/conda/.condarc": "offline: maybe\n", f"{HOME}/.condarc": "channels: x\nenvs_dirs: [~you/e]\n"}
    with pytest.raises(InputError) as caught:
        _read(files, CONDA_CHANNEL_PRIORITY="never")
    assert caught.value.place == "the configuration of conda"
    assert caught.value.faults == (
        f"{HOME}/.condarc: line 1, column 11: channels: expected a list of texts",
        "/opt/conda/.condarc: line 1: offline: expected true or false, found `maybe`",
        f"{HOME}/.condarc: line 2: envs_dirs: expected the path of a folder, found `~you/e`",
        "$CONDA_CHANNEL_PRIORITY: channel_priority: expected strict, flexible or disabled, found `never`",
    )


HOSTILE = {
    "a type": "channels: !!python/object/apply:os.system [touch /tmp/x]\n",
    "deep": "a: " + "[" * 100_000,
    "deep in blocks": "- " * 100_000,
    "deep but closed": "a: " + "[" * 40 + "]" * 40,
    "long": "#" * (1 << 26),
    "many": "channels: [" + "a," * 90_000 + "]",
    "bomb": "a: &a [" + "x," * 3000 + "]\ncustom_multichannels:\n" + "".join(f"  m{number}: *a\n" for number in range(3000)),
    "itself": "channels: &a [*a]\n",
    "no text": b"channels: [\xff\xfe]\n",
    "nul": "channels: [a\0b]\n",
    "two documents": "channels: [a]\n---\nchannels: [b]\n",
    "a line in a text": 'channels: ["a\\nb"]\n',
    "a list as key": "? [a]\n: b\n",
    "a list": "- a\n",
    "a text": "hello\n",
    "not closed": "channels: [a\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        _read({f"{HOME}/.condarc": HOSTILE[name]})
    assert len(caught.value.faults) < 3
    assert all(len(fault) < 300 for fault in caught.value.faults)


def test_a_file_that_cannot_be_read_is_said() -> None:
    with pytest.raises(InputError) as caught:
        _read({f"{HOME}/.condarc": PermissionError(13, "Permission denied")})
    assert caught.value.faults == (f"{HOME}/.condarc: cannot be read: permission denied",)


def test_condarc_names_no_other_file() -> None:
    with pytest.raises(InputError, match="cannot be read"):
        _read({"/etc/passwd": "root:x:0:0\n"}, CONDARC="/etc/passwd")


def test_no_secret_in_a_fault() -> None:
    with pytest.raises(InputError) as caught:
        _read({f"{HOME}/.condarc": "channel_alias: '${TOKEN}'\nssl_verify: https://me:pw@x.invalid\n"}, TOKEN="s3cret")
    assert "s3cret" not in str(caught.value.faults)
    assert "pw" not in str(caught.value.faults)


def test_of_very_many_faults_the_first_are_listed() -> None:
    with pytest.raises(InputError) as caught:
        _read({f"{HOME}/.condarc": "channels:\n" + "  - [a]\n" * 200})
    assert (len(caught.value.faults), caught.value.faults[-1]) == (51, "and 150 more")


_PIECES = st.sampled_from(
    [*SHAPES, ": ", "- ", "\n", "  ", "[", "]", "{", "}", "#!top", " #!final\n", "&a", "*a", "!x", "'", '"', "$H", "\x85", "\udc80"]
)


@given(st.lists(_PIECES, max_size=30).map("".join) | st.text())
def test_parsers_never_crash(text: str) -> None:
    settings, faults = parse_condarc(text, "x")
    assert all(setting.key in SHAPES for setting in settings)
    assert all("\n" not in fault for fault in faults)
    assert parse_record(text, CondaRecord(name="a", version="1", build="0", meta="")).problem
