"""Reading environments: made by uv, venv's and virtualenv's configuration, leftovers; and RECORDs that nobody should believe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.base.names import is_rival, normalise
from provisioner.change.contents import recorded
from provisioner.environment.config import parse_config
from provisioner.environment.distributions import Installed, installed
from provisioner.environment.owners import read_owners
from provisioner.environment.read import read_site
from provisioner.errors import InputError
from provisioner.host.local import LocalHost
from tests.support import PYTHON, SITE

HOST = LocalHost()


@pytest.fixture
def env(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(tmp_path / "env")], check=True)
    return tmp_path / "env"


def recorded_files(env: Path, item: Installed) -> tuple[str, ...]:
    return tuple(sorted(recorded(HOST, str(env), read_owners(HOST, str(env), [item]), item.metadata)))


def distribution(env: Path, name: str, record: str | bytes | None) -> Installed:
    folder = env / SITE / f"{name}.dist-info"
    folder.mkdir()
    if record is not None:
        (folder / "RECORD").write_bytes(record if isinstance(record, bytes) else record.encode())
    return next(item for item in read_site(HOST, str(env)).distributions if item.metadata == f"{SITE}/{name}.dist-info")


@pytest.mark.parametrize(
    "name",
    [
        "tensorflow",
        "tensorflow-cpu",
        "tensorflow-gpu",
        "tensorflow-intel",
        "tensorflow-macos",
        "tensorflow-rocm",
        "tensorflow-aarch64",
        "tensorflow-cpu-aws",
        "tf-nightly",
        "tf-nightly-cpu",
        "tf-nightly-gpu-2-0-preview",
        "intel-tensorflow",
        "intel-tensorflow-avx512",
        "nvidia-tensorflow",
    ],
)
def test_rivals(name: str) -> None:
    assert is_rival(name)


@pytest.mark.parametrize(
    "name",
    [
        "tensorflow-estimator",
        "tensorflow-text",
        "tensorflow-io",
        "tensorflow-hub",
        "tensorboard",
        "keras",
        "tf-keras",
        "tf-models-official",
    ],
)
def test_what_lives_beside_tensorflow_is_no_rival(name: str) -> None:
    assert not is_rival(name)


def test_names_are_compared_as_pep_503_says() -> None:
    assert normalise("Foo__Bar.-baz") == "foo-bar-baz"


def test_a_configuration_as_each_tool_writes_it() -> None:
    text = "home = /usr/bin\nimplementation = CPython\nversion_info=3.11.7\n\n# x\nprompt = a = b\n"
    assert parse_config(text) == {"home": "/usr/bin", "implementation": "CPython", "version_info": "3.11.7", "prompt": "a = b"}


def test_a_new_environment(env: Path) -> None:
    site = read_site(HOST, str(env))
    assert (site.state.kind, site.state.site_packages, site.state.python) == ("venv", SITE, f"{env}/bin/python")
    assert site.state.python_version.startswith(PYTHON)
    assert (site.distributions, site.leftovers, site.shared, site.state.managed) == ((), (), (), False)


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("version = 3.X.4", "3.X.4"),
        ("version_info = 3.X.4.final.0", "3.X.4"),
        ("version_info = 3.Xrc1", "3.Xrc1"),
        ("version = 3.X.4+", "3.X.4"),
    ],
)
def test_versions_of_venv_and_virtualenv(env: Path, line: str, version: str) -> None:
    minor = PYTHON.split(".")[1]
    (env / "pyvenv.cfg").write_text("home = /usr/bin\n" + line.replace("X", minor) + "\n")
    if "rc1" in line:
        with pytest.raises(InputError):
            read_site(HOST, str(env))
        return
    assert read_site(HOST, str(env)).state.python_version == version.replace("X", minor)


def test_distributions_old_and_new_and_twice(env: Path) -> None:
    packages = env / SITE
    distribution(env, "Foo_Bar-1.0", "")
    distribution(env, "foo.bar-2.0", None)
    (packages / "old_egg-3.0-py3.11.egg-info").mkdir()
    (packages / "old_egg-3.0-py3.11.egg-info" / "installed-files.txt").write_text("../old.py\nPKG-INFO\n")
    (packages / "flat-4.0-py3.11.egg-info").write_text("Name: flat\n")
    (packages / "noversion.egg-info").mkdir()
    (packages / "~ensorflow-1.0.dist-info").mkdir()
    (packages / "~ensorflow").mkdir()
    (packages / "tensorflow").mkdir()
    site = read_site(HOST, str(env))
    found = [(item.name, item.version, item.recorded) for item in site.distributions]
    assert found == [("flat", "4.0", False), ("foo-bar", "1.0", True), ("foo-bar", "2.0", False), ("old-egg", "3.0", True)]
    assert site.leftovers == (f"{SITE}/~ensorflow", f"{SITE}/~ensorflow-1.0.dist-info")
    assert site.shared == (f"{SITE}/tensorflow",)
    assert recorded_files(env, site.named("old-egg")) == (f"{SITE}/old_egg-3.0-py3.11.egg-info",), "old.py is not there"
    (packages / "old.py").write_text("")
    assert f"{SITE}/old.py" in recorded_files(env, site.named("old-egg"))


@pytest.mark.parametrize(("installer", "named", "requested"), [("pip", True, True), ("pip", False, False), ("uv", True, False)])
def test_what_a_person_named_to_pip_was_asked_for(env: Path, installer: str, named: bool, requested: bool) -> None:
    """uv writes REQUESTED for everything, and so says nothing by it."""
    folder = env / SITE / "demo-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\n")
    (folder / "INSTALLER").write_text(f"{installer}\n")
    if named:
        (folder / "REQUESTED").touch()
    (item,) = (item for item in installed(HOST, str(env)) if item.name == "demo")
    assert item.requested == requested


def test_the_digest_covers_names_and_versions(env: Path) -> None:
    digests = {read_site(HOST, str(env)).state.digest}
    for name in ("a-1.0", "a-2.0", "b-1.0"):
        distribution(env, name, "")
        digests.add(read_site(HOST, str(env)).state.digest)
    assert len(digests) == 4


FORGED = {
    "outside": "../../../../../etc/passwd,,\n/etc/passwd,,\n../../../../secret,,\n",
    "the environment's own": "../../../pyvenv.cfg,,\n../../../bin/python,,\n../../../bin/python3,,\n../../../bin/activate,,\n",
    "folders": ',"",\n,,\n.,,\n..,,\n../..,,\n../../..,,\n../../../bin,,\n../site-packages,,\nother,,\n',
    "our state": "../../../.tfsetup/receipt.json,,\n",
    "not text": b"\xff\xfe,,\n",
    "a null byte": b"a\x00b,,\n",
    "a huge field": '"' + "x" * 200_000 + '",,\n',
    "an open quote": '"abc',
    "missing files": "never.py,,\n",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_record_dooms_nothing_but_its_own_metadata(env: Path, name: str) -> None:
    (env / SITE / "other").mkdir()
    (env / SITE / "other" / "file.py").write_text("")
    (env.parent / "secret").write_text("")
    (env / ".tfsetup").mkdir()
    (env / ".tfsetup" / "receipt.json").write_text("")
    forged = distribution(env, "forged-1.0", FORGED[name])
    assert recorded_files(env, forged) == (f"{SITE}/forged-1.0.dist-info",)


def test_a_record_names_files_scripts_and_data(env: Path) -> None:
    (env / SITE / "pkg").mkdir()
    (env / SITE / "pkg" / "a,b.py").write_text("")
    (env / "bin" / "tool").write_text("")
    (env / "share").mkdir()
    (env / "share" / "link").symlink_to("nowhere")
    record = '"pkg/a,b.py",sha256=x,1\n../../../bin/tool,,\n../../../share/link,,\npkg-1.0.dist-info/METADATA,,\n'
    made = distribution(env, "pkg-1.0", record)
    assert recorded_files(env, made) == ("bin/tool", f"{SITE}/pkg-1.0.dist-info", f"{SITE}/pkg/a,b.py", "share/link")
