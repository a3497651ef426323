"""The links beside libtensorflow_framework: where they lie, where they lead, and that a real loader follows them."""

from __future__ import annotations

import posixpath
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.catalogue.conda_tables import sonames
from provisioner.conda.links import links
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import CudaBuild
from tests.native.building import NEEDS_COMPILER, compile_library

CUDA = CudaBuild(
    version="11.2",
    cudnn="8.1",
    capabilities=("sm_80",),
    must_open=("libcudart.so.11.0", "libcudnn.so.8"),
    may_open=("libcupti.so.11.2",),
    driver="450.80.02",
)
SITE = "lib/python3.9/site-packages"


def test_each_library_has_a_link_with_its_reason() -> None:
    found = links(CUDA, ("libcudnn.so.8", "libcupti.so.11.2", "libcudnn_ops_infer.so.8"))
    assert [(link.path, link.target) for link in found] == [
        ("tensorflow/libcudnn.so.8", "../../../libcudnn.so.8"),
        ("tensorflow/libcupti.so.11.2", "../../../libcupti.so.11.2"),
        ("tensorflow/libcudnn_ops_infer.so.8", "../../../libcudnn_ops_infer.so.8"),
    ]
    assert ["libtensorflow_framework opens it" in link.reason for link in found] == [True, True, False]
    assert links(CUDA, ()) == ()


@pytest.mark.parametrize(
    ("version", "folder"),
    [
        ("1.15.5", "tensorflow_core"),
        ("2.0.4", "tensorflow_core"),
        ("2.1.4", "tensorflow_core"),
        ("2.2.0", "tensorflow"),
        ("2.11.1", "tensorflow"),
    ],
)
def test_the_links_of_what_is_shipped_lead_to_the_environments_lib(version: str, folder: str) -> None:
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    release = catalogue.release(version)
    assert release is not None
    cuda = next(build.cuda for build in release.builds if build.platform == "linux-x86_64")
    assert cuda is not None
    names = sonames(catalogue.conda(), cuda.conda)
    found = links(cuda, names)
    assert {posixpath.dirname(link.path) for link in found} == {folder}
    ends = [posixpath.normpath(posixpath.join(SITE, posixpath.dirname(link.path), link.target)) for link in found]
    assert ends == [f"lib/{name}" for name in names]
    assert set(cuda.must_open) <= {posixpath.basename(link.path) for link in found}


@NEEDS_COMPILER
@pytest.mark.parametrize("tag", ["--enable-new-dtags", "--disable-new-dtags"])
def test_a_loader_finds_a_library_through_its_link_and_the_siblings_of_that_too(tmp_path: Path, tag: str) -> None:
    """In a prefix with a blank; both kinds of search path that the wheels have (RUNPATH, RPATH), with no LD_LIBRARY_PATH."""
    prefix = tmp_path / "an env"
    lib, package = prefix / "lib", prefix / SITE / "tensorflow"
    package.mkdir(parents=True)
    for folder, name, text in (
        (lib, "libcudnn_ops_infer.so.8", "int ops(void) { return 8; }"),
        (lib, "libcudnn.so.8", '#include <dlfcn.h>\nint cudnn(void) { return dlopen("libcudnn_ops_infer.so.8", RTLD_LAZY) ? 8 : 0; }'),
        (package, "libtensorflow_framework.so.2", '#include <dlfcn.h>\nvoid *open_it(void) { return dlopen("libcudnn.so.8", RTLD_LAZY); }'),
    ):
        source = tmp_path / f"{name}.c"
        source.write_text(text)
        compile_library(source, folder / name, name, "-Wl,--no-as-needed", "-ldl", f"-Wl,{tag}", "-Wl,-rpath,$ORIGIN/")
    for link in links(CUDA, ("libcudnn.so.8", "libcudnn_ops_infer.so.8")):
        (package.parent / link.path).symlink_to(link.target)
    script = (
        "import ctypes, sys; framework = ctypes.CDLL(sys.argv[1]); framework.open_it.restype = ctypes.c_void_p; "
        "handle = framework.open_it(); print(bool(handle) and ctypes.CDLL('cudnn', handle=handle).cudnn())"
    )
    argv = [sys.executable, "-c", script, str(package / "libtensorflow_framework.so.2")]
    assert subprocess.run(argv, capture_output=True, text=True, check=True, env={}).stdout.strip() == "8"
