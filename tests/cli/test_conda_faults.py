"""Channels that fail, packages that lie, disks that are full: a clear error with its cause, and everything as it was before."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change.execute import execute
from provisioner.commands import plan as flow
from provisioner.host.local import LocalHost
from provisioner.session import Session
from tests.channel import broken, build
from tests.channel.cuda import NEEDS_COMPILER
from tests.channel.packages import Package, write
from tests.channel.serve import Server
from tests.cli.support import Ended, Inside
from tests.conda_sets import PYTHON, libraries, variables
from tests.faults.fingerprint import differences, fingerprint
from tests.support import prove_by_import

pytestmark = NEEDS_COMPILER
SECRET = "s3cr3t-pass"


@dataclass
class Case:
    """One channel that a test may break; what a fault needs to be cleaned up is left to ``stack``."""

    root: Path
    stack: ExitStack
    channel: build.Channel = None
    server: Server | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def serve(self, **options: object) -> Server:
        self.server = self.stack.enter_context(Server(self.channel.folder, **options))
        return self.server

    @property
    def address(self) -> str:
        return self.server.url if self.server else str(self.channel.folder)

    def needs(self, package: Package) -> None:
        """Put a package into the channel, and let CUDA's libraries need it."""
        written = write(package, self.channel.folder / package.subdir)
        self.channel = build.Channel(self.channel.folder, (*self.channel.packages, written))
        self.channel.package("cudatoolkit").record["depends"] += [package.name]
        self.channel.index()


@pytest.fixture
def case(conda_shared: Path, tmp_path: Path) -> Iterator[Case]:
    with ExitStack() as stack:
        found = Case(tmp_path, stack)
        found.channel = build.build(tmp_path / "channel", [*build.pythons(PYTHON), *libraries()])
        yield found


@pytest.fixture
def apply(inside: Inside, case: Case, conda_shared: Path, work: Path, tmp_path: Path) -> Callable[..., Ended]:
    """Run ``tfsetup apply --kind conda --device cuda`` with caches of its own, against the case's channel."""
    own = {"RATTLER_CACHE_DIR": str(tmp_path / "rattler"), "TFSETUP_CACHE_DIR": str(tmp_path / "tool cache"), "TFSETUP_YES": "1"}
    (tmp_path / "tool cache").mkdir()

    def run(*arguments: str, **env: str) -> Ended:
        given = {**variables(conda_shared), **own, "TFSETUP_CHANNEL": case.address, **case.extra, **env}
        return inside("apply", "--kind", "conda", "--device", "cuda", "--env", "lab", "--json", *arguments, **given)

    return run


def down(case: Case) -> None:
    case.serve().stop()


def busy(case: Case) -> None:
    case.serve().fail("")


def forbidden(case: Case) -> None:
    case.serve(login=("ada", SECRET))


def misspelt(case: Case) -> None:
    case.serve().fail("", 404)


def no_folder(case: Case) -> None:
    shutil.rmtree(case.channel.folder)


def another_platform(case: Case) -> None:
    """A channel that has nothing for this platform answers 404 for it, and has only ``noarch``."""
    case.serve().fail("/linux-64/repodata_shards.msgpack.zst", 404)
    for name in ("repodata.json", "repodata.json.zst", "repodata.json.bz2"):
        case.server.fail(f"/linux-64/{name}", 404)


def cut_list(case: Case) -> None:
    broken.cut_repodata(case.channel)


def cut_list_served(case: Case) -> None:
    broken.cut_repodata(case.channel)
    case.serve()


def page(case: Case) -> None:
    broken.html_repodata(case.channel)
    case.serve()


def other_bytes(case: Case) -> None:
    broken.change_bytes(case.channel.package("cudnn"))


def other_bytes_served(case: Case) -> None:
    other_bytes(case)
    case.serve()


def other_hash(case: Case) -> None:
    broken.wrong_hash(case.channel, "cudnn")


def other_hash_served(case: Case) -> None:
    other_hash(case)
    case.serve()


def no_hash(case: Case) -> None:
    case.channel.package("cudnn").record.pop("sha256")
    case.channel.index()


def cut_package(case: Case) -> None:
    case.serve().truncate(case.channel.package("cudnn").path.name, 100)


def missing_package(case: Case) -> None:
    case.channel.package("cudnn").path.unlink()


def missing_package_served(case: Case) -> None:
    missing_package(case)
    case.serve()


def taken_out(case: Case) -> None:
    """A package that lists a file that it does not have."""
    case.needs(
        Package(name="lacking", version="1", files={"share/there.txt": "x\n"}, listed={"share/there.txt": {"_path": "share/gone.txt"}})
    )


def broken_package(case: Case) -> None:
    """Its hash is as listed, but it is no archive."""
    written = case.channel.package("cudnn")
    broken.cut(written.path)
    from tests.channel.packages import fingerprint as of

    written.record.update(of(written.path.read_bytes()))
    case.channel.index()


def climbing(case: Case) -> None:
    case.needs(broken.climbing_listed())


def climbing_archive(case: Case) -> None:
    case.needs(broken.climbing())


def absolute(case: Case) -> None:
    case.needs(broken.climbing_listed(str(case.root / "outside.txt")))


def through_link(case: Case) -> None:
    (case.root / "outside").mkdir()
    case.needs(broken.through_link(case.root / "outside"))


def over_tensorflow(case: Case) -> None:
    """A conda package with a file that a wheel of the set brings, too."""
    case.needs(Package(name="squatter", version="1", files={f"lib/python{PYTHON}/site-packages/six.py": "import os\n"}))


DOWN = "could not be reached, or the download broke off"
LIST = "list of packages (repodata) is broken off, or is none"
HASH = "is not the one that the channel's repodata describes"
THERE = "is not there"
Fault = tuple[Callable[[Case], None], str, str]
FAULTS: list[Fault] = [
    (down, "download-failed", "could not be reached: nobody answers there (from 127.0.0.1:"),
    (busy, "download-failed", "or a proxy before it, has a fault of its own (from 127.0.0.1:"),
    (forbidden, "download-failed", "the channel refused the request"),
    (misspelt, "download-failed", THERE),
    (no_folder, "download-failed", THERE),
    (another_platform, "download-failed", "has nothing for linux-64"),
    (cut_list, "download-failed", LIST),
    (cut_list_served, "download-failed", LIST),
    (page, "download-failed", LIST),
    (other_bytes, "download-failed", HASH),
    (other_bytes_served, "download-failed", HASH),
    (other_hash, "download-failed", HASH),
    (other_hash_served, "download-failed", HASH),
    (no_hash, "download-failed", "gives no SHA-256 for cudnn-8.0.5.39"),
    (cut_package, "download-failed", DOWN),
    (missing_package, "download-failed", THERE),
    (missing_package_served, "download-failed", THERE),
    (broken_package, "download-failed", "is no conda package"),
    (taken_out, "download-failed", "lacks a file that it lists"),
    (climbing, "download-failed", "names paths outside the environment"),
    (absolute, "download-failed", "names paths outside the environment"),
    (climbing_archive, "download-failed", "names paths outside the environment"),
    (through_link, "download-failed", "outside the environment"),
    (over_tensorflow, "", "bring the same file"),
]


# What is found before anything is begun is the same for every environment.
BEGUN = [
    fault for fault in FAULTS if fault[0] not in {busy, forbidden, misspelt, no_folder, another_platform, cut_list, cut_list_served, page}
]


# What rattler tries again takes seconds, and what is served is judged as what lies in a folder. Of an existing environment two tell enough: one
# while fetching, one while linking.
SLOWER = {down, busy, cut_package, cut_list_served, other_bytes_served, other_hash_served, missing_package_served}
TELLING = {other_hash, over_tensorflow}
SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("fault", "existing"),
    [
        *(pytest.param(fault, False, id=f"{fault[0].__name__}-new", marks=SLOW if fault[0] in SLOWER else ()) for fault in FAULTS),
        *(pytest.param(fault, True, id=f"{fault[0].__name__}-existing", marks=() if fault[0] in TELLING else SLOW) for fault in BEGUN),
    ],
)
def test_a_fault_of_a_channel_is_told_and_changes_nothing(
    apply, case: Case, conda, work: Path, tmp_path: Path, fault: Fault, existing: bool
) -> None:
    if existing:
        conda.foreign(work / "lab", f"python {PYTHON}.*", "own", channel=conda.earlier)
    break_it, cause, told = fault
    break_it(case)
    before = fingerprint(work)
    ended = apply()
    assert ended.code == 1, ended.out + ended.err
    error = ended.json["error"]
    assert told in error["message"], error
    assert error.get("cause", "") == cause, error
    assert error["hint"]
    assert differences(before, fingerprint(work)) == []
    assert {path.name for path in tmp_path.iterdir()} <= {"own home", "work", "channel", "rattler", "tool cache", "outside"}
    assert list((tmp_path / "outside").glob("*")) == []
    assert SECRET not in ended.out + ended.err


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for 8 MB: less than a Python."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("place", ["environment", "packages", "repodata"])
def test_a_full_disk_is_told_and_leaves_nothing(apply, case: Case, work: Path, small: Path, place: str) -> None:
    """The environment's disk, that of the packages, and that of the channels' lists."""
    case.serve()
    before = fingerprint(work)
    if place == "repodata":
        (small / "filler").write_bytes(bytes((8 << 20) - 4096))
    held = {path.name for path in small.iterdir()}
    options = {"environment": ["--env", str(small / "lab")]}.get(place, [])
    variable = {"packages": "RATTLER_CACHE_DIR", "repodata": "TFSETUP_CACHE_DIR"}.get(place)
    ended = apply(*options, **({variable: str(small)} if variable else {}))
    assert ended.code == 1, ended.out + ended.err
    error = ended.json["error"]
    assert "no space is left on the disk" in error["message"], error
    assert (error["cause"], bool(error["hint"])) == ("disk-full", True)
    assert differences(before, fingerprint(work)) == []
    if place == "environment":
        assert {path.name for path in small.iterdir()} == held


def test_scripts_of_packages_are_not_run_and_that_is_said(case: Case, conda, tmp_path: Path) -> None:
    case.needs(broken.with_script())
    notes: list[str] = []

    class Listening(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    host = LocalHost()
    plan = conda.plan(tmp_path / "env", channels=(str(case.channel.folder),), device="cuda")
    assert execute(plan, host, prove=prove_by_import, progress=Listening(), wait=0).kept
    assert not (tmp_path / "env/post-link-ran").exists()
    assert len(notes) == 1
    assert "scripted-1.0-0" in notes[0]
    assert "never run" in notes[0]


def everything_below(*folders: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


@pytest.mark.slow
@pytest.mark.parametrize("where", ["option", "variable", "condarc"])
@pytest.mark.parametrize("kind", ["token", "login"])
def test_a_channel_with_credentials_works_and_tells_them_nobody(
    inside: Inside, case: Case, conda_shared: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, where: str
) -> None:
    server = case.serve(token=SECRET) if kind == "token" else case.serve(login=("ada", SECRET))
    address = server.url if kind == "token" else f"http://ada:{SECRET}@{server.host}"
    given = {**variables(conda_shared), "RATTLER_CACHE_DIR": str(tmp_path / "rattler"), "TFSETUP_YES": "1"}
    options = ["--kind", "conda", "--env", "lab"]
    if where == "option":
        options += ["--channel", address]
    elif where == "variable":
        given["TFSETUP_CHANNEL"] = address
    else:
        given["CONDARC"] = str(tmp_path / "condarc.yaml")
        (tmp_path / "condarc.yaml").write_text(f"channels: [{address}]\n")
    said = [inside("plan", *options, "--json", "-o", "plan.json", **given), inside("plan", *options, "--verbose", **given)]
    assert [ended.code for ended in said] == [0, 0], said[0].err
    said.append(inside("apply", *options, "--json", **given))
    # The tiny TensorFlow computes nothing, so the environment is taken away again after it was proven.
    assert said[-1].code == 14, said[-1].out + said[-1].err
    for one in said:
        assert SECRET not in one.out + one.err
    found = everything_below(work, tmp_path / "rattler/pkgs")
    assert [name for name, content in found.items() if SECRET.encode() in content] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["token", "login"])
def test_what_an_environment_keeps_of_its_channel_is_no_secret(case: Case, conda, tmp_path: Path, kind: str) -> None:
    server = case.serve(token=SECRET) if kind == "token" else case.serve(login=("ada", SECRET))
    address = server.url if kind == "token" else f"http://ada:{SECRET}@{server.host}"
    env, host = tmp_path / "env", LocalHost()
    for device in ("cpu", "cuda"):
        planned = flow.plan(Session(host), conda.request(env, channels=(address,), device=device))
        done = execute(planned.plan, host, prove=prove_by_import, progress=Silent(), wait=0, channels=planned.channels)
        assert done.kept
    found = everything_below(env)
    assert str(env / "conda-meta/history") in found
    assert str(env / ".tfsetup/undo/2/record.json") in found
    assert [name for name, content in found.items() if SECRET.encode() in content] == []
    again = flow.plan(Session(host), conda.request(env, channels=(address,), device="cuda"))
    assert not again.plan.changes
