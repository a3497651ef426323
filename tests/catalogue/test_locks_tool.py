"""``tools/locks.py``: what it asks the resolver, how it measures wheels, and when a lock counts as changed."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import io
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from provisioner.engines.wheels import Wheel
from provisioner.model.catalogue import Build, Constraint, CudaBuild, Release

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
RELEASE = Release(version="2.20.0", released="2025-08-13", cutoff="2025-09-15", builds=(BUILD,))


def test_a_set_is_resolved_from_the_package_and_the_pins_by_name() -> None:
    tool = load()
    assert tool.requirements(RELEASE, BUILD, "cpu") == ["tensorflow-cpu==2.20.0", *tool.EVERY_SET]
    assert tool.requirements(RELEASE, BUILD, "cuda") == ["tensorflow==2.20.0", "nvidia-cudnn-cu12==9.3.0.75", *tool.EVERY_SET]


def test_limits_hold_for_their_pythons() -> None:
    assert load().constraints(BUILD, "3.11") == ["protobuf<6"]
    assert load().constraints(BUILD, "3.12") == ["wrapt<1.16", "protobuf<6"]


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


def test_a_version_without_a_profile_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert load().main(["9.9.9"]) == 2
    assert "no profile for 9.9.9" in capsys.readouterr().err
