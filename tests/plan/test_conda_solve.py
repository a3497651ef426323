"""What conda environments are planned to be made of, solved against the tests' channel: every CUDA request, and recorded machines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.catalogue import conda_tables
from provisioner.choose import choose
from provisioner.commands import plan
from provisioner.conda.links import links
from provisioner.conda.sources import places
from provisioner.conda.virtual import virtual_packages
from provisioner.engines import rattler as engine
from provisioner.environment.read import Site
from provisioner.errors import NoProfileError, OperationError
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import CudaBuild
from provisioner.model.codec import document
from provisioner.model.conda_package import CondaPackage
from provisioner.model.plan import EnvState
from provisioner.model.request import Request
from provisioner.plan import conda_solve
from provisioner.session import Session
from tests.channel import build, cuda, metadata, tensorflow
from tests.channel.packages import Package
from tests.choose.test_hosts import HOSTS, SCHEMA, catalogue, load
from tests.choose.values import NEW_ENV, machine

pytest.importorskip("rattler")
MINORS = ("1.15", "2.0", "2.1", "2.2", "2.3", "2.4")
HOST = LocalHost()


def requests() -> Iterator[tuple[str, str, CudaBuild]]:
    """Yield every release that has its CUDA libraries from conda alone, with each Python that it has a set for."""
    for minor in MINORS:
        for release in catalogue().releases(f"=={minor}.*"):
            item = next(item for item in release.builds if item.platform == "linux-x86_64")
            for python in item.pythons:
                yield release.version, python, item.cuda


REQUESTS = list(requests())


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    """Stand-ins for CUDA's libraries, by what conda calls them, in a channel of Pythons that are only declared."""
    if not cuda.COMPILER:
        pytest.skip("there is no C compiler")
    return {package.stem: package for package in cuda.every()}


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory, libraries: dict[str, Package]) -> Path:
    pythons = [Package(name="python", version=f"{minor}.15", build="h1234567_0_cpython") for minor in ("3.5", "3.6", "3.7", "3.8", "3.9")]
    return build.build(tmp_path_factory.mktemp("cuda"), [*pythons, *libraries.values()]).folder


def test_there_are_requests_of_every_minor() -> None:
    assert {version.rpartition(".")[0] for version, _, _ in REQUESTS} == set(MINORS)
    assert len(REQUESTS) >= 60


def test_every_cuda_request_is_chosen_with_libraries_from_conda() -> None:
    for version, python, build_of in REQUESTS:
        request = Request(tensorflow=f"=={version}", python=python, device="cuda", kind="conda", env="/home/ada/tf-env")
        choice = choose(machine(), request, catalogue(), NEW_ENV)
        assert (choice.release, choice.python, choice.device, choice.road) == (version, python, "cuda", "libraries")
        assert catalogue().lock(version, python, "linux-x86_64", "cuda-conda") is not None
        assert conda_solve.wheel_specs(choice, catalogue().release(version)) == (f"python {python}.*", *build_of.conda)


@pytest.mark.slow
def test_every_cuda_request_is_solved_and_its_packages_bring_what_the_release_opens(
    channel: Path, libraries: dict[str, Package], tmp_path: Path
) -> None:
    """Releases that ask for the same packages are solved once."""
    table, solved = catalogue().conda(), {}
    for version, python, build_of in REQUESTS:
        key = (python, build_of.conda)
        if key not in solved:
            solved[key] = solution(channel, f"python {python}.*", *build_of.conda, version=build_of.version, cache=tmp_path)
        brought = {path.removeprefix("lib/") for package in solved[key] for path in libraries_of(libraries, package)}
        opened = {*build_of.must_open, *build_of.may_open}
        assert opened <= brought, f"{version} opens {opened - brought}"
        named = conda_tables.sonames(table, build_of.conda)
        assert opened <= set(named), f"profiles/conda.yaml does not name {opened - set(named)}"
        assert opened <= {Path(link.path).name for link in links(build_of, named)}
    assert len(solved) >= 8


def solution(channel: Path, *specs: str, version: str, cache: Path) -> tuple[CondaPackage, ...]:
    virtual = virtual_packages(machine(), cuda=version)
    given = engine.Channels(names=(channel.as_uri(),), config="")
    return engine.solve(HOST, given, subdir="linux-64", specs=specs, virtual=virtual, repodata=str(cache))


def libraries_of(libraries: dict[str, Package], package: CondaPackage) -> set[str]:
    return {path for path in (libraries[package.identity].files if package.identity in libraries else ()) if path.startswith("lib/lib")}


@pytest.mark.slow
def test_an_older_driver_is_refused_by_the_solver_with_its_reason(channel: Path, tmp_path: Path) -> None:
    with pytest.raises(NoProfileError) as caught:
        solution(channel, "python 3.8.*", "cudatoolkit 11.0.*", version="10.2", cache=tmp_path)
    assert caught.value.cause == "resolver-conflict"
    assert any("__cuda" in line for line in caught.value.refusals)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel of what conda-forge declares of its own TensorFlow."""
    toolkits = [dataclasses.replace(package, files={}) for package in cuda.every()] if cuda.COMPILER else []
    pip = Package(name="pip", version="25.2", build="pyh1234567_0", noarch="generic")
    return build.build(tmp_path_factory.mktemp("stack"), [pip, *metadata.stack(), *tensorflow.releases(), *toolkits]).folder


def pick(stack: Path, name: str, cache: Path, **changes: object):
    _, _, facts, request, _ = load(HOSTS / f"{name}.json")
    asked = Request(
        **{"env": "/home/ada/tf-env", "kind": "conda", "source": "conda", "channels": (str(stack),), "device": request.device, **changes}
    )
    site = Site(state=EnvState(path=asked.env, kind="absent", digest="absent"), distributions=(), leftovers=())
    return conda_solve.pick_channel(HOST, facts, asked, catalogue(), site, places(HOST, asked, ()), repodata=str(cache))


# The build strings say it all: cuda128 or cpu; h3… was built for level 3 of x86-64, h1… for level 1, h0… for none.
MACHINES = [
    ("debian-12", "linux-64", "2.19.1", "cpu_py312h3234567_55"),
    ("sandy-bridge", "linux-64", "2.19.1", "cpu_py312h1234567_5"),
    ("qemu-tcg", "linux-64", "2.19.1", "cpu_py312h1234567_5"),
    ("h100", "linux-64", "2.19.1", "cuda128py312h3234567_255"),
    ("gtx-1080", "linux-64", "2.19.1", "cuda128py312h3234567_255"),
    ("wsl2-gpu", "linux-64", "2.19.1", "cuda128py312h3234567_255"),
    ("wsl2-no-driver", "linux-64", "2.19.1", "cpu_py312h3234567_55"),
    ("t4-driver-450", "linux-64", "2.14.0", "cuda118py310h0234567_0"),
    ("driver-missing", "linux-64", "2.19.1", "cpu_py312h3234567_55"),
    ("driver-missing-cuda", "linux-64", "2.19.1", "cuda128py312h3234567_255"),
    ("graviton", "linux-aarch64", "2.19.1", "cpu_py312h0234567_3"),
    ("apple-m1", "osx-arm64", "2.19.1", "cpu_py312h0234567_5"),
]


@pytest.mark.skipif(not cuda.COMPILER, reason="there is no C compiler")
@pytest.mark.parametrize(("name", "subdir", "release", "built"), MACHINES, ids=[item[0] for item in MACHINES])
def test_a_recorded_machine_gets_the_build_that_it_can_run(
    stack: Path, tmp_path: Path, name: str, subdir: str, release: str, built: str
) -> None:
    picked = pick(stack, name, tmp_path)
    found = next(package for package in picked.conda.packages if package.name == "tensorflow")
    assert (found.subdir, found.version, found.build) == (subdir, release, built)
    assert {package.subdir for package in picked.conda.packages} <= {subdir, "noarch"}
    assert (picked.choice.release, picked.choice.road) == (release, "conda")
    assert any("nobody has recorded a run" in text for text in picked.choice.warnings)
    assert any(name.startswith("__cuda=") for name in picked.conda.virtual) == built.startswith("cuda")


@pytest.mark.skipif(not cuda.COMPILER, reason="there is no C compiler")
def test_the_python_and_the_release_can_be_asked_for(stack: Path, tmp_path: Path) -> None:
    picked = pick(stack, "debian-12", tmp_path, tensorflow=">=2.10,<2.15", python="3.10")
    assert (picked.choice.release, picked.choice.python) == ("2.14.0", "3.10")
    assert picked.conda.specs == ("tensorflow >=2.10,<2.15 cpu*", "python 3.10.*", "pip")


@pytest.mark.parametrize(
    ("name", "cause", "told"),
    [
        ("linux-i686", "platform-unsupported", "have no TensorFlow for Linux on i686"),
        ("dgx-spark-cuda-asked", "platform-unsupported", "computes on a GPU of Linux on aarch64"),
        ("windows-11-rtx", "resolver-conflict", "do not go together, or are not in"),
        ("alpine", "resolver-conflict", "do not go together, or are not in"),
    ],
)
def test_a_machine_that_the_channel_has_nothing_for(stack: Path, tmp_path: Path, name: str, cause: str, told: str) -> None:
    with pytest.raises(NoProfileError, match=told) as caught:
        pick(stack, name, tmp_path)
    assert caught.value.cause == cause
    assert caught.value.refusals


def test_a_platform_that_the_channel_does_not_have_is_no_matter_of_versions(stack: Path, tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="has nothing for osx-64"):
        pick(stack, "intel-mac", tmp_path)


def test_a_plan_for_another_machine_is_the_same_every_time(stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a file of facts, as the command does it; whatever this machine is."""
    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(tmp_path))
    _, _, facts, _, _ = load(HOSTS / "debian-12.json")
    (tmp_path / "facts.json").write_text(json.dumps(document(SCHEMA, facts)))
    request = Request(env="/home/ada/tf-env", kind="conda", source="conda", channels=(str(stack),))
    there = plan.elsewhere(Session(HOST), str(tmp_path / "facts.json"))
    first, second = (plan.plan(Session(HOST), request, there=there).plan for _ in range(2))
    assert dataclasses.replace(first, made="", seal="") == dataclasses.replace(second, made="", seal="")
    assert len(first.conda.packages) > 40
    assert all(package.sha256 and package.size and package.url for package in first.conda.packages)
