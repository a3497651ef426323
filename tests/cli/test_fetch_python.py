"""No Python that is here fits: fetching one is a step of the plan, announced, and left by undo."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change.execute import execute
from provisioner.commands.undo import undo
from provisioner.engines import uv_pythons
from provisioner.facts import interpreters
from provisioner.host.local import LocalHost
from provisioner.model.facts import Interpreter, PythonDownload
from provisioner.model.plan import Plan
from provisioner.report.apply_text import undo_text, undone_text
from provisioner.session import Session
from tests.channel.python import needs
from tests.channel.serve import Server
from tests.cli.support import LOCK, RELEASE, TABLES, VERSION, Tool, tiny_set
from tests.pythons import Mirror
from tests.support import PYTHON, make_lock, make_plan, prove_by_import, snapshot

OTHER = "3.12" if PYTHON != "3.12" else "3.13"
pytestmark = needs(OTHER)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    return Mirror(tmp_path_factory.mktemp("pythons"), OTHER)


@pytest.fixture
def server(mirror: Mirror) -> Iterator[Server]:
    with Server(mirror.folder) as served:
        yield served


@pytest.fixture
def lacking(shared: Path, tmp_path: Path, mirror: Mirror, server: Server, variables: dict[str, str]) -> dict[str, str]:
    """Variables of a catalogue whose one set is for a Python that is not here, of a mirror that has it, and of an own folder for it."""
    root = tmp_path / "profiles"
    (root / "releases").mkdir(parents=True)
    (root / "locks" / "linux-x86_64").mkdir(parents=True)
    for name in TABLES:
        (root / name).write_bytes((shared / "profiles" / name).read_bytes())
    (root / "releases" / "2.20.yaml").write_text(RELEASE.format(python=OTHER, version=VERSION))
    lines = "".join(f"{file.filename} {file.size} {file.unpacked} {file.sha256} *\n" for file in tiny_set(shared / "wheels"))
    (root / "locks" / "linux-x86_64" / f"{VERSION}.lock").write_text(LOCK.format(python=OTHER, version=VERSION) + lines)
    if any(Path(folder, f"python{OTHER}").exists() for folder in (*variables["PATH"].split(":"), *interpreters.OTHER_FOLDERS)):
        pytest.skip(f"Python {OTHER} is among those that every process here finds")
    return {
        "TFSETUP_PROFILES": str(root), "UV_FIND_LINKS": str(shared / "wheels"), "UV_HTTP_RETRIES": "0",
        # Their own: these runs may ask an index, and what it says of packages of these names is not for the other tests.
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        **mirror.variables(f"http://{server.host}"),
    }  # fmt: skip


def kept(tool: Tool) -> Path:
    return Path(tool.env["HOME"]) / ".local/share/uv/python"


def test_the_plan_says_what_is_fetched_and_where_it_is_kept(tool: Tool, lacking, mirror: Mirror) -> None:
    ended = tool("plan", **lacking)
    assert ended.code == 0, ended.err
    words = " ".join(ended.out.split())
    assert f"CPython {mirror.releases[OTHER]} by uv from 127.0.0.1, about 32 MB, kept in {kept(tool)}" in words
    verbose = tool("plan", "-v", **lacking).out
    assert "1.  Fetch CPython" in verbose
    assert "because no Python that is here fits" in verbose
    assert not kept(tool).exists(), "a plan fetches nothing"


def test_it_is_fetched_and_stays_when_the_change_is_taken_back(tool: Tool, lacking, mirror: Mirror) -> None:
    ended = tool("apply", "--yes", **lacking)
    assert ended.code == 14, ended.err
    release = mirror.releases[OTHER]
    assert f"Fetching Python {release}" in ended.err
    assert (kept(tool) / f"cpython-{release}-linux-x86_64-gnu/bin/python{OTHER}").exists()
    assert not (tool.cwd / "tf-env").exists()
    assert not (Path(tool.env["HOME"]) / ".local/bin").exists()
    again = tool("plan", **lacking)
    assert "by uv from" not in again.out, "one that is here is used"


def test_a_saved_plan_fetches_what_it_names(tool: Tool, lacking) -> None:
    assert tool("plan", "-o", "plan.json", **lacking).code == 0
    assert json.loads((tool.cwd / "plan.json").read_text())["choice"]["download"]["source"] == "127.0.0.1"
    ended = tool("apply", "plan.json", "--yes", **{**lacking, "UV_PYTHON_DOWNLOADS": "never"})
    assert ended.code == 13
    assert "uv would not fetch it" in ended.err
    assert tool("apply", "plan.json", "--yes", **lacking).code == 14, "it went as far as the proof"
    assert kept(tool).exists()


def test_for_a_recorded_machine_its_own_uv_counts_and_not_the_one_that_is_here(tool: Tool, lacking) -> None:
    """On Windows the plan of a Linux machine's facts was refused, and on Linux the uv that was there would have fetched a Python for it."""
    assert tool("detect", "-o", "facts.json", **lacking).code == 0
    here, there = (json.loads(tool("plan", "--json", *options, **lacking).out) for options in ((), ("--facts", "facts.json")))
    assert there["choice"] == here["choice"]
    facts = json.loads((tool.cwd / "facts.json").read_text())
    del facts["downloads"]
    (tool.cwd / "facts.json").write_text(json.dumps(facts))
    assert tool("plan", "--facts", "facts.json", **lacking).code == 12


def test_what_forbids_it_is_a_refusal_with_the_reason(tool: Tool, lacking) -> None:
    for options, variable, reason in ((("--offline",), {}, "--offline forbids"), ((), {"UV_PYTHON_DOWNLOADS": "never"}, "=never forbids")):
        ended = tool("plan", *options, **{**lacking, **variable})
        assert ended.code == 12
        assert reason in ended.err
        assert f"install Python {OTHER}" in ended.err
        assert "uv python install" not in ended.err


def test_a_mirror_that_is_a_folder_is_no_network(tool: Tool, lacking, mirror: Mirror) -> None:
    ended = tool("plan", "--offline", **{**lacking, **mirror.variables()})
    assert ended.code == 0, ended.err
    assert "by uv from file:///" in ended.out


def test_a_download_that_fails_leaves_nothing_and_names_the_settings(tool: Tool, lacking, server: Server) -> None:
    server.status[""] = 404
    ended = tool("apply", "--yes", **lacking)
    assert ended.code == 1
    assert "UV_PYTHON_INSTALL_MIRROR" in ended.err
    assert [path.name for path in tool.cwd.iterdir() if not path.name.endswith("lock")] == []


def made(env: Path, shared: Path, download: PythonDownload) -> Plan:
    """Make an environment with a Python that is fetched."""
    host = LocalHost()
    plan = make_plan(host, env, make_lock(*tiny_set(shared / "wheels")))
    fetched = Interpreter(
        path=download.path, version=download.version, bits=64, architecture="x86_64", implementation="cpython", origin="uv"
    )
    plan = replace(plan, choice=replace(plan.choice, python=OTHER, interpreter=fetched, download=download))
    assert execute(plan, host, prove=prove_by_import, progress=Silent(), wait=0).kept
    return plan


@pytest.fixture
def here(shared: Path, tool: Tool, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> PythonDownload:
    """What can be fetched in this process, too, into the folder of the tool's user."""
    for name, value in {**mirror.variables(), "UV_FIND_LINKS": str(shared / "wheels"), "UV_OFFLINE": "1"}.items():
        monkeypatch.setenv(name, value)
    (download,) = uv_pythons.downloads(LocalHost(), str(kept(tool)), offline=False).value or ()
    return download


def test_undo_says_what_stays(shared: Path, tool: Tool, here: PythonDownload) -> None:
    env = tool.cwd / "env"
    made(env, shared, here)
    done = undo(Session(LocalHost()), str(env), agree=lambda _: None, wait=0, progress=Silent())
    assert not env.exists()
    assert Path(here.path).exists()
    for text in (undo_text(done[0]), undone_text(done)):
        assert f"Python {here.version}, which uv fetched, stays in {kept(tool)}" in text


def test_fix_fetches_the_python_of_an_environment_that_lost_its_own(shared: Path, tool: Tool, lacking, here: PythonDownload) -> None:
    env = tool.cwd / "env"
    made(env, shared, here)
    shutil.rmtree(kept(tool))
    before = snapshot(env)
    shown = tool("fix", "--dry-run", "--env", str(env), **lacking)
    assert "Make the environment anew" in shown.err
    assert f"CPython {here.version} by uv from" in shown.err
    ended = tool("fix", "--yes", "--env", str(env), **lacking)
    assert ended.code == 14, ended.out + ended.err
    assert Path(here.path).exists(), "it was fetched, and made an environment that does not compute"
    assert {name: value for name, value in snapshot(env).items() if ".tfsetup" not in name} == {
        name: value for name, value in before.items() if ".tfsetup" not in name
    }
