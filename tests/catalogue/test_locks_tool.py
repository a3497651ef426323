"""``tools/locks.py``: what it asks the resolver, how it measures wheels, and when a lock counts as changed."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import io
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from provisioner.engines.wheels import Wheel
from provisioner.model.catalogue import Build, Constraint, CudaBuild, Release

# In the standard library from 3.11 on; tomli is the same code for 3.10.
tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
PATH = Path(__file__).parents[2] / "tools" / "locks.py"


@functools.lru_cache(maxsize=1)
def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("locks_tool", PATH)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["locks_tool"] = module
    spec.loader.exec_module(module)
    return module


CUDA = CudaBuild(
    version="12.5",
    cudnn="9.3",
    capabilities=("sm_80",),
    must_open=("libcudart.so.12",),
    may_open=(),
    driver="525.60.13",
    requirements=("nvidia-cudnn-cu12==9.3.0.75",),
)
BUILD = Build(
    platform="linux-x86_64",
    pythons=("3.11", "3.12"),
    glibc="2.17",
    cpu_features=("avx",),
    packages={"cpu": "tensorflow-cpu", "cuda": "tensorflow"},
    cuda=CUDA,
    constraints=(
        Constraint(requirement="wrapt<1.16", reason="r", reference="x", pythons=("3.12",)),
        Constraint(requirement="protobuf<6", reason="r", reference="x"),
    ),
)
OLD = replace(
    BUILD,
    constraints=(
        Constraint(requirement="Termcolor==1.1.0", reason="r", reference="x", source=True, requires=("six>=1",), pythons=("3.11",)),
        Constraint(requirement="wrapt>=1.13", reason="r", reference="x", until="2021-12-01"),
    ),
)
RELEASE = Release(version="2.20.0", released="2025-08-13", cutoff="2025-09-15", builds=(BUILD,))


def test_a_set_is_resolved_from_the_package_and_the_pins_by_name() -> None:
    tool = load()
    assert tool.requirements(RELEASE, BUILD, "3.11", "cpu") == ["tensorflow-cpu==2.20.0", *tool.EVERY_SET]
    assert tool.requirements(RELEASE, BUILD, "3.11", "cuda") == ["tensorflow==2.20.0", "nvidia-cudnn-cu12==9.3.0.75", *tool.EVERY_SET]


def test_a_set_for_conda_is_the_gpu_package_without_the_cuda_pins() -> None:
    tool = load()
    assert tool.requirements(RELEASE, BUILD, "3.11", "cuda-conda") == ["tensorflow==2.20.0", *tool.EVERY_SET]
    assert tool.cutoffs(RELEASE, BUILD, "3.11", "cuda-conda") == {"pip": RELEASE.cutoff}


@pytest.mark.parametrize(
    ("cuda", "devices"),
    [
        (None, ["cpu"]),
        (CUDA, ["cpu", "cuda"]),
        (replace(CUDA, conda=("cudnn 8.1.0.*",)), ["cpu", "cuda", "cuda-conda"]),
        (replace(CUDA, requirements=(), conda=("cudnn 8.1.0.*",)), ["cpu", "cuda-conda"]),
        (replace(CUDA, requirements=()), ["cpu"]),
    ],
)
def test_a_build_has_sets_for_what_has_its_libraries(cuda: CudaBuild | None, devices: list[str]) -> None:
    assert load().devices(replace(BUILD, cuda=cuda)) == devices


def test_limits_hold_for_their_pythons() -> None:
    assert [item.requirement for item in load().constraints(BUILD, "3.11")] == ["protobuf<6"]
    assert [item.requirement for item in load().constraints(BUILD, "3.12")] == ["wrapt<1.16", "protobuf<6"]


def test_what_source_distributions_are_built_with_is_locked_too() -> None:
    tool = load()
    assert tool.requirements(RELEASE, OLD, "3.11", "cpu") == ["tensorflow-cpu==2.20.0", "pip", "setuptools", "wheel"]
    assert tool.requirements(RELEASE, OLD, "3.12", "cpu") == ["tensorflow-cpu==2.20.0", "pip"]


def test_the_resolver_is_told_what_a_source_distribution_requires() -> None:
    (given,) = tomllib.loads(load().metadata(load().constraints(OLD, "3.11")[:1]))["dependency-metadata"]
    assert given == {"name": "Termcolor", "version": "1.1.0", "requires-dist": ["six>=1"]}


def test_a_cut_off_of_its_own_is_never_earlier_than_the_releases() -> None:
    tool = load()
    old = replace(RELEASE, cutoff="2020-05-01")
    assert tool.cutoffs(old, OLD, "3.11", "cpu") == {"pip": tool.PIP_FLOOR, "wrapt": "2021-12-01"}
    assert tool.cutoffs(RELEASE, OLD, "3.11", "cpu") == {"pip": RELEASE.cutoff}
    assert tool.cutoffs(RELEASE, OLD, "3.11", "cuda") == {"pip": RELEASE.cutoff, "nvidia-cudnn-cu12": tool.NO_CUTOFF}


def test_another_resolver_version_alone_changes_nothing() -> None:
    tool = load()
    old = "tfsetup-lock 1\nresolver uv 0.9.0\nsets 3.11/cpu\n\na-1-py3-none-any.whl 1 2 3 *\n"
    assert tool.same_but_resolver(old, old.replace("0.9.0", "0.13.8"))
    assert not tool.same_but_resolver(old, old.replace(" *", " 3.11"))
    assert not tool.same_but_resolver("", old)


class Ranges(http.server.BaseHTTPRequestHandler):
    """An index that serves parts of one file, and fails the first request."""

    content = b""
    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        if self.requests == 1:
            self.send_error(503)
            return
        if "Range" not in self.headers:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.content)
            return
        first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        size = len(self.content)
        start, end = (int(first), min(int(last), size - 1)) if first else (max(0, size - int(last)), size - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        self.end_headers()
        self.wfile.write(self.content[start : end + 1])

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Ranges]]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Ranges.requests = 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranges)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    Ranges.url = f"http://127.0.0.1:{server.server_address[1]}/a-1-py3-none-any.whl"
    yield Ranges
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("count", [3, 3000])
def test_sizes_come_from_the_wheels_directory_without_the_wheel(
    index: type[Ranges], tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = load()
    monkeypatch.setattr(tool.time, "sleep", lambda _: None)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            archive.writestr(f"a/{number}.py", b"x" * 1000)
    index.content = file.getvalue()
    found = Wheel(package="a", url=index.url, filename="a-1-py3-none-any.whl", sha256="f" * 64)
    sizes = tool.Sizes(tmp_path)
    assert sizes.get(found) == (len(index.content), count * 1000)
    assert index.requests <= 3, "one failed, one for the end, at most one for a long directory"
    sizes.save()
    before = index.requests
    assert tool.Sizes(tmp_path).get(found) == (len(index.content), count * 1000)
    assert index.requests == before, "what is known is not asked again"


def test_a_source_distribution_is_measured_whole(index: type[Ranges], tmp_path: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo("a-1/setup.py")
        member.size = 1234
        archive.addfile(member, io.BytesIO(b"x" * 1234))
    index.content, index.requests = file.getvalue(), 1
    url = index.url.replace("a-1-py3-none-any.whl", "a-1.tar.gz")
    sizes = load().Sizes(tmp_path)
    assert sizes.get(Wheel(package="a", url=url, filename="a-1.tar.gz", sha256="e" * 64)) == (len(index.content), 1234)


def test_a_version_without_a_profile_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert load().main(["9.9.9"]) == 2
    assert "no profile for 9.9.9" in capsys.readouterr().err
