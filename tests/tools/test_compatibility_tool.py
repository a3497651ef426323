"""``tools/compatibility.py``: what it says of a set and of a plain install, how it counts, and that no address gets into the document."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import compatibility
import pytest
from compatibility import Cell, Ours
from naive_record import Naive

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Build, CudaBuild, KnownBad, Release

CUDA = CudaBuild(
    version="11.2",
    cudnn="8.1",
    capabilities=("sm_70", "compute_80"),
    must_open=("libcudart.so.11.0",),
    may_open=(),
    driver="450.80.02",
    driver_ptx="460.27.03",
)
BUILD = Build(
    platform="linux-x86_64", pythons=("3.9", "3.10"), glibc="2.17", cpu_features=("avx",), packages={"cpu": "tensorflow"}, cuda=CUDA
)
BLACKWELL = KnownBad(reason="no code", reference="issue 1", cause="gpu-too-new", devices=("cuda",), capabilities=("12.0",))
RELEASE = Release(version="2.10.1", released="2022-11-16", cutoff="2022-12-16", builds=(BUILD,), known_bad=(BLACKWELL,))
PROVEN = Ours(state="proven", date="2026-11-20")
NONE = Ours(state="no set")


def plain(outcome: str, *, error: str = "", resolver: str = "uv 0.13.8") -> Naive:
    return Naive(
        release="2.10.1",
        python="3.9",
        outcome=outcome,
        resolver=resolver,
        date="2026-11-20",
        error=error,
        versions={"numpy": "2.0.2", "h5py": "3"},
    )


def cell(
    python: str = "3.9", *, release: Release = RELEASE, cpu: Ours = PROVEN, cuda: Ours = NONE, conda: Ours = NONE, **results: Naive
) -> Cell:
    return Cell(release=release, python=python, ours={"cpu": cpu, "cuda": cuda, "cuda-conda": conda}, **results)


@pytest.mark.parametrize(
    ("known", "python", "device", "expected"),
    [
        (KnownBad(reason="r", reference="r", cause="c"), "3.9", "cpu", True),
        (KnownBad(reason="r", reference="r", cause="c", pythons=("3.8",)), "3.9", "cpu", False),
        (KnownBad(reason="r", reference="r", cause="c", pythons=("3.9",), devices=("cuda",)), "3.9", "cpu", False),
        (KnownBad(reason="r", reference="r", cause="c", devices=("cuda",)), "3.9", "cuda", True),
        # Some GPUs only.
        (BLACKWELL, "3.9", "cuda", False),
    ],
)
def test_known_bad_for_every_machine(known: KnownBad, python: str, device: str, expected: bool) -> None:
    assert compatibility.is_bad(known, python, device) is expected


def test_totals() -> None:
    everything = [
        cell(by_uv=plain("works")),
        cell("3.10", by_uv=plain("does not import", error="E: x")),
        cell("3.11", cpu=Ours(state="resolved"), by_uv=plain("crashes")),
        cell("3.12", cpu=NONE),
    ]
    text = "\n".join(compatibility.introduction(everything))
    assert "wheel for Linux on x86-64: 4 combinations" in text
    assert "**With tfsetup**, 2 of them" in text
    assert "The others: 1 resolved and not run, 1 without a set." in text
    assert "run for 3 of the 4 combinations on 2026-11-20" in text
    assert "- 1 crash\n" in text
    assert "cannot be installed" not in text
    assert "So 2 of 3 plain installs do not work as they come. For 1 of those 2, tfsetup has a proven set." in text


def test_totals_before_anything_was_run() -> None:
    assert compatibility.introduction([cell()])[-1] == "Plain installs were not run yet."


def test_overview_shows_the_newest_patch_only() -> None:
    older = dataclasses.replace(RELEASE, version="2.10.0")
    half = plain("imports, does not train")
    lines = compatibility.overview([cell(by_uv=half), cell("3.10"), cell(release=older, by_uv=plain("works"))])
    assert lines[-3:] == ["| release | 3.9 | 3.10 |", "|---|---|---|", "| 2.10.1 | proven / half | proven / ? |"]


def test_a_minor_in_full() -> None:
    error = "TypeError: `x` | y"
    group = [cell(by_uv=plain("does not import", error=error)), cell("3.10", cuda=Ours(state="resolved"))]
    assert compatibility.minor_lines("2.10", group) == [
        "## 2.10",
        "",
        "| release | released | | 3.9 | 3.10 |",
        "|---|---|---|---|---|",
        "| **2.10.1** | 2022-11-16 | tfsetup, CPU | proven 2026-11-20 | proven 2026-11-20 |",
        "| | | tfsetup, GPU | no set | resolved |",
        "| | | plain install | does not import | not run |",
        "",
        "Where the plain install fails:",
        "",
        "- `TypeError: 'x' | y` with numpy 2.0.2: 2.10.1 on 3.9",
        "",
        "GPU build: CUDA 11.2, cuDNN 8.1, driver 450.80.02 or newer, or 460.27.03 where PTX must be compiled; compiled for sm_70, compute_80.",
        "",
        "Known bad:",
        "",
        "- cuda; compute capability 12.0: no code (issue 1)",
    ]


def test_sets_for_conda_have_a_row_where_there_are_any() -> None:
    cuda = dataclasses.replace(CUDA, conda=("cudatoolkit 11.2.*", "cudnn 8.1.0.*"))
    release = dataclasses.replace(RELEASE, builds=(dataclasses.replace(BUILD, cuda=cuda),))
    group = [cell(release=release, conda=Ours(state="resolved")), cell("3.10", release=release, conda=PROVEN)]
    lines = compatibility.minor_lines("2.10", group)
    assert lines[4:8] == [
        "| **2.10.1** | 2022-11-16 | tfsetup, CPU | proven 2026-11-20 | proven 2026-11-20 |",
        "| | | tfsetup, GPU | no set | no set |",
        "| | | tfsetup, GPU by conda | resolved | proven 2026-11-20 |",
        "| | | plain install | not run | not run |",
    ]
    assert any(line.endswith("compute_80; from conda: cudatoolkit 11.2.*, cudnn 8.1.0.*.") for line in lines)
    text = "\n".join(compatibility.introduction(group))
    assert "(GPU by conda), there are 2 sets for releases up to 2.11:\n1 installed and verified, 1 resolved and not run. They" in text


def test_what_differs_between_releases_names_them() -> None:
    older = dataclasses.replace(RELEASE, version="2.10.0", builds=(dataclasses.replace(BUILD, cuda=None),), known_bad=())
    lines = "\n".join(compatibility.minor_lines("2.10", [cell(), cell(release=older)]))
    assert "GPU build of 2.10.1: CUDA 11.2" in lines
    assert "GPU build of 2.10.0: there is none." in lines
    assert "- 2.10.1; cuda; compute capability 12.0: no code" in lines


def test_a_prerelease_is_shown_and_not_counted() -> None:
    early = dataclasses.replace(RELEASE, version="2.22.0rc0", prerelease=True)
    text = compatibility.document([cell(release=early), cell()])
    assert "from 2.10.1 to 2.10.1: 1." in text
    assert text.index("## 2.22") < text.index("A pre-release") < text.index("**2.22.0rc0**")


def test_where_pip_and_uv_differ() -> None:
    by_pip = plain("cannot be installed", error="ERROR: none", resolver="pip 18.1")
    lines = compatibility.pip_lines(
        [cell(by_uv=plain("works"), by_pip=by_pip), cell("3.10", by_uv=plain("works"), by_pip=plain("works", resolver="pip 23.0.1"))]
    )
    assert "Run by both: 2. They end differently in 1 of them" in "\n".join(lines)
    assert lines[-1] == "| 2.10.1 | 3.9 | 18.1 | cannot be installed: `ERROR: none` | works |"
    assert not any("Run by both" in line for line in compatibility.pip_lines([cell(by_uv=plain("works"))]))


@pytest.mark.parametrize(("pip", "expected"), [("23.0.1", "works"), ("20.3", "works"), ("18.1", "crashes")])
def test_the_result_of_pip_counts_unless_it_is_too_old(pip: str, expected: str) -> None:
    both = cell(by_uv=plain("crashes"), by_pip=plain("works", resolver=f"pip {pip}"))
    assert both.plain is not None
    assert both.plain.outcome == expected


def test_the_catalogue_says_what_ours_is(tmp_path: Path) -> None:
    profiles = tmp_path / "profiles"
    (profiles / "locks" / "linux-x86_64").mkdir(parents=True)
    (profiles / "releases").mkdir()
    shutil.copy(Path(find_profiles()) / "releases" / "2.10.yaml", profiles / "releases")
    lock = (
        "tfsetup-lock 1\nrelease 2.10.1\nplatform linux-x86_64\ncutoff 2022-12-16\nresolver uv 0.9.0\nsets 3.9/cpu 3.10/cpu\n\n"
        f"numpy-1.21.6-cp310-cp310-manylinux_2_17_x86_64.whl 1 2 {'a' * 64} 3.10\nsix-1.16.0-py2.py3-none-any.whl 10 40 {'b' * 64} *\n"
    )
    (profiles / "locks" / "linux-x86_64" / "2.10.1.lock").write_text(lock, "utf-8")
    catalogue = Catalogue.open(LocalHost(), str(profiles))
    found = catalogue.lock("2.10.1", "3.9", "linux-x86_64", "cpu")
    assert found is not None
    proof = {"lock": found.digest, "level": "run", "date": "2026-11-20", "machine": "m", "checks": 13, "gpu": ""}
    (profiles / "proofs.json").write_text(json.dumps({"schema": "tfsetup/proofs/1", "proofs": [proof]}), "utf-8")
    catalogue = Catalogue.open(LocalHost(), str(profiles))
    bad = dataclasses.replace(RELEASE, known_bad=(KnownBad(reason="r", reference="r", cause="c", devices=("cuda",), pythons=("3.9",)),))
    assert compatibility.ours(catalogue, bad, "3.9", "cpu") == PROVEN
    assert compatibility.ours(catalogue, bad, "3.10", "cpu").words == "resolved"
    assert compatibility.ours(catalogue, bad, "3.9", "cuda").words == "known bad"
    assert compatibility.ours(catalogue, bad, "3.10", "cuda").words == "no set"
    assert compatibility.ours(catalogue, bad, "3.9", "cuda-conda").words == "no set"
    one, two = compatibility.cells(catalogue, [RELEASE], {("2.10.1", "3.10", "uv"): plain("works")})
    assert (one.python, one.plain, two.python, two.plain and two.plain.outcome) == ("3.9", None, "3.10", "works")


def test_the_shipped_document_has_no_address() -> None:
    assert "://" not in compatibility.DOCUMENT.read_text("utf-8")
