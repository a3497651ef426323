"""A plan that fits a screen: what is joined, what comes first, what is counted, and how many rows it takes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.host.local import LocalHost
from provisioner.model.plan import Neighbour, Package, Plan, Removal
from provisioner.report.plan_brief import COLUMNS, ROWS, moves, summary
from provisioner.report.plan_text import next_text, plan_text
from tests.cli.conftest import inside, shared, tiny, variables, work
from tests.plan.test_make import ABSENT, EVERYTHING, make, plan_of, site
from tests.support import PYTHON, SITE

__all__ = ["inside", "shared", "tiny", "variables", "work"]
NEW_ROWS_AT_MOST = 20


def package(name: str, version: str, size: int = 1000) -> Package:
    return Package(name=name, version=version, filename=f"{name}-{version}.whl", sha256="0" * 64, size=size, unpacked=3 * size)


def changing(*pairs: tuple[str, str, str], size: int = 1000) -> Plan:
    """A plan in which each (name, before, after) moves; "" is not there."""
    base = make("six==1.0")
    coming = tuple(package(name, after, size + number) for number, (name, _, after) in enumerate(pairs) if after)
    going = tuple(Removal(name=name, version=before, reason="it is replaced") for name, before, _ in pairs if before)
    return replace(base, packages=coming, removals=going, unchanged={"wrapt": "1.0"}, download=256_000_000, disk=1_200_000_000)


def rows(text: str) -> int:
    """The rows of a terminal of 80 columns that a text takes."""
    return sum(max(1, -(-len(line) // COLUMNS)) for line in text.splitlines())


def test_the_first_and_the_last_line_say_it_all() -> None:
    plan = changing(
        ("tensorflow", "2.8.4", "2.20.0"), ("numpy", "1.24.4", "1.26.4"), ("rich", "", "14.0"), ("keras-preprocessing", "1.1", "")
    )
    line = "TensorFlow 2.8.4 -> 2.20.0 (cpu): 2 change, 1 comes, 1 goes, 1 stays; 256 MB to download, 1.2 GB on disk; undoable"
    assert summary(plan) == line
    text = " ".join(plan_text(plan, interrupted=None, verbose=False).split())
    assert text.startswith(line)
    assert text.endswith(line)


def test_what_stays_of_ones_own_is_counted_in_the_line_and_told_where_it_does_not() -> None:
    plan = changing(("tensorflow", "2.8.4", "2.20.0"))
    own = tuple(Neighbour(name=f"mine-{number}", version="1.0", fate="whole") for number in range(51))
    text = plan_text(replace(plan, neighbours=own), interrupted=None, verbose=False)
    assert "1 changes, 51 of yours stay; " in " ".join(text.split())
    assert "What else you have installed" not in text
    broken = Neighbour(name="rich", version="13.0", fate="breaks", why=("it needs six 1",))
    text = plan_text(replace(plan, neighbours=(*own, broken), conflicts=("it needs six 1",)), interrupted=None, verbose=False)
    assert "rich 13.0 BREAKS: it needs six 1" in text


def test_a_new_one_and_one_that_is_as_planned() -> None:
    assert summary(plan_of(site(state=ABSENT))).startswith("TensorFlow 2.20.0 (cpu): 3 come; ")
    done = make(*EVERYTHING)
    assert summary(done) == "TensorFlow 2.20.0 (cpu): 3 stay"
    assert plan_text(done, interrupted=None, verbose=False).count("3 stay") == 1, "nothing is agreed to"


def test_a_tensorflow_under_another_name_is_one_that_changes() -> None:
    found = moves(changing(("tensorflow", "2.8.4", ""), ("tensorflow-cpu", "", "2.20.0")))
    assert [item.words for item in found.change] == ["tensorflow 2.8.4 -> tensorflow-cpu 2.20.0"]
    assert (found.come, found.go) == ((), ())
    # Of two, one is replaced and the other goes.
    found = moves(changing(("tensorflow", "2.8.4", ""), ("tensorflow-gpu", "2.8.4", ""), ("tensorflow-cpu", "", "2.20.0")))
    assert ([item.name for item in found.change], [item.words for item in found.go]) == (["tensorflow"], ["tensorflow-gpu 2.8.4"])


def test_the_big_movers_come_first() -> None:
    found = moves(
        changing(
            ("a", "1.0", "1.1"),
            ("leap", "1.9", "2.0"),
            ("numpy", "1.24.4", "1.26.4"),
            ("tensorflow-cpu", "2.8.4", "2.20.0"),
            ("z", "1", "1.2"),
        )
    )
    assert [item.name for item in found.change] == ["tensorflow-cpu", "numpy", "leap", "z", "a"]


def test_what_only_verbose_shows_is_counted_and_warnings_stand_at_the_end() -> None:
    plan = changing(("tensorflow", "2.8.4", "2.20.0"), *((f"package-{number}", "1.0", "2.0") for number in range(60)))
    plan = replace(plan, warnings=("the disk is nearly full",), conflicts=("rich 13 breaks",))
    lines = plan_text(plan, interrupted=None, verbose=False).splitlines()
    shown = sum(line.count(" -> ") for line in lines[1:-2])
    left = next(int(line.rsplit("and ", 1)[1].split()[0]) for line in lines if line.endswith(" more"))
    assert shown + left == 61
    assert "  rich 13 breaks" in lines
    assert lines.index("warning: the disk is nearly full") > lines.index("  rich 13 breaks")
    assert lines[-3] == "warning: the disk is nearly full"
    assert plan_text(plan, interrupted=None, verbose=True).count("package-59") == 3


@pytest.mark.parametrize("count", [1, 7, 40, 120])
def test_whatever_moves_it_fits_a_screen(count: int) -> None:
    pairs = [("tensorflow", "2.8.4", "2.20.0"), *((f"a-package-of-some-length-{number}", "1.10.0", "2.10.0") for number in range(count))]
    pairs += [(f"comes-{number}", "", "1.0") for number in range(count)] + [(f"goes-{number}", "1.0", "") for number in range(count)]
    plan = replace(changing(*pairs), warnings=("the disk is nearly full",))
    text = plan_text(plan, interrupted=None, verbose=False) + "\n\n" + next_text(plan, elsewhere=False, saved="")
    assert rows(text) <= ROWS
    assert max(len(line) for line in plan_text(plan, interrupted=None, verbose=False).splitlines()) < COLUMNS


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a name as people have them: pytest's are as long as a row."""
    with tempfile.TemporaryDirectory(prefix="ada-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("release", ["2.12", "2.15", "2.21"])
def test_plans_of_the_shipped_catalogue_fit(inside, short: Path, release: str, device: str) -> None:
    said = inside("plan", "--tensorflow", release, "--device", device, "--python", PYTHON, "--env", str(short / "new"))
    assert said.code == 0, said.err
    assert rows(said.out) <= NEW_ROWS_AT_MOST
    # An environment of another release, of which there are only names and versions.
    old = "2.20.0"
    env = short / "tf-env"
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "-p", sys.executable, str(env)], check=True)
    for file in Catalogue.open(LocalHost(), find_profiles()).lock(old, PYTHON, "linux-x86_64", "cpu").files:
        info = env / SITE / f"{file.name.replace('-', '_')}-{file.version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {file.name}\nVersion: {file.version}\n")
        (info / "RECORD").write_text(f"{info.name}/METADATA,,\n{info.name}/RECORD,,\n")
    said = inside("plan", "--tensorflow", release, "--device", device, "--env", str(short / "tf-env"))
    assert said.code == 0, said.err
    assert said.out.startswith(f"TensorFlow {old} -> {release}.")
    assert rows(said.out) <= ROWS
