"""Conda's environment file: what is read of it, and what becomes of each package in either kind of environment."""

from __future__ import annotations

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.declared.environment_file import Divided, Entry, EnvironmentFile, channels, divided, pep_440, read_environment_file, told
from provisioner.host.local import LocalHost

NAMES = Catalogue.open(LocalHost(), find_profiles()).conda_names()
WRITTEN = """
name: work
channels: [defaults, nvidia, conda-forge]
dependencies:
  - python=3.10
  - cudatoolkit=11.2
  - cudnn
  - numpy=1.22
  - pandas >=1,<2
  - tensorflow-gpu=2.10
  - "pytables[version='>=3.7']"
  - conda-forge::ffmpeg >=4
  - bioconda/label/main::samtools=1.15
  - gcc_linux-64
  - scipy>=1|<0.5
  - pip
  - sel(win): pywin32
  - pip:
    - -r requirements.txt
    - --requirement=more/base.txt
    - --extra-index-url https://packages.example.com/simple
    - tqdm==4.64
    - -e .
variables: {A: b}
prefix: /home/ada/miniconda3/envs/work
"""
EXPORT = """
dependencies:
  - _libgcc_mutex=0.1=main
  - ca-certificates=2022.3.29=h06a4308_1
  - certifi=2021.10.8=py39h06a4308_2
  - cudatoolkit=11.2.2=hbe64b41_10
  - ffmpeg=4.3=hf484d3e_0
  - libgcc-ng=9.3.0=h5101ec6_17
  - mkl=2021.4.0=h06a4308_640
  - numpy=1.21.5=py39he7a7128_1
  - numpy-base=1.21.5=py39hf524024_1
  - pandas=1.4.1=py39h295c915_1
  - pip=21.2.4=py39h06a4308_0
  - python=3.9.12=h12debd9_0
  - tensorflow=2.4.1=gpu_py39h8236f22_0
  - tensorflow-base=2.4.1=gpu_py39h29c2da4_0
"""


def read(text: str) -> EnvironmentFile:
    return read_environment_file(text, "environment.yml")


def test_what_a_person_has_written() -> None:
    found = read(WRITTEN)
    assert (found.python, found.tensorflow, found.gpu, found.exported) == ("==3.10.*", ("tensorflow-gpu==2.10.*",), True, False)
    assert found.channels == ("defaults", "nvidia", "conda-forge", "bioconda/label/main")
    assert (found.pip, found.files) == (("tqdm==4.64", "-e ."), ("requirements.txt", "more/base.txt"))
    assert found.options == ("--extra-index-url https://packages.example.com/simple",)
    assert found.left_out == (
        "environment.yml: `sel(win)` under `dependencies` is not taken over",
        "environment.yml: `variables` are not taken over: set them where the environment is used",
    )
    same = {"requirements": ("numpy==1.22.*", "pandas>=1,<2", "tables>=3.7", "scipy"), "cuda": ("cudatoolkit=11.2", "cudnn")}
    only = ("ffmpeg >=4", "samtools=1.15", "gcc_linux-64")
    assert divided(found, NAMES, "venv") == Divided(lacking=only, unsaid=("scipy>=1|<0.5",), **same)
    specs = ("ffmpeg>=4", "samtools=1.15", "gcc_linux-64")
    assert divided(found, NAMES, "conda") == Divided(conda=specs, unsaid=("scipy>=1|<0.5",), **same)


def test_an_export_names_what_nobody_asked_for() -> None:
    found = read(EXPORT)
    assert (found.python, found.tensorflow, found.gpu, found.exported) == ("==3.9.*", ("tensorflow==2.4.1",), True, True)
    assert divided(found, NAMES, "conda", proven={"numpy", "certifi"}) == Divided(
        requirements=("pandas==1.4.1",),
        conda=("ffmpeg=4.3",),
        cuda=("cudatoolkit=11.2.2=hbe64b41_10",),
        left=("_libgcc_mutex", "ca-certificates", "libgcc-ng", "mkl"),
        proven=("certifi", "numpy"),
    )
    plain = read("dependencies:\n  - openssl=1.1.1\n  - ca-certificates=2022.3\n  - zlib=1.2\n")
    assert (plain.exported, divided(plain, NAMES, "conda").conda) == (True, ())


@pytest.mark.parametrize(
    ("text", "version", "spec"),
    [
        ("x", "", "x"), ("x=1.2", "==1.2.*", "x=1.2"), ("x==1.2", "==1.2", "x==1.2"), ("x 1.2", "==1.2", "x 1.2"), ("x 1.2.*", "==1.2.*", "x 1.2.*"),
        ("x=1.2*", "==1.2.*", "x=1.2*"), ("x=1.2.3=py39_0", "==1.2.3", "x=1.2.3"), ("x>=1,<2", ">=1,<2", "x>=1,<2"), ("x ~=1.4", "~=1.4", "x~=1.4"),
        ("x !=1.5", "!=1.5", "x!=1.5"), ("x>=1|3", None, "x>=1|3"), ("c::x=1", "==1.*", "x=1"), ("X=1", "==1.*", "x=1"),
        ("x=2022a", None, "x=2022a"),
    ],
)  # fmt: skip
def test_a_version_in_both_languages(text: str, version: str | None, spec: str) -> None:
    (entry,) = read(f"dependencies:\n  - '{text}'\n").entries
    assert (pep_440(entry), entry.spec) == (version, spec)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ((), ((), ())),
        (("conda-forge",), ((), ())),
        (("defaults",), ((), ("defaults",))),
        (("https://conda.example.com/conda-forge", "nodefaults"), ((), ())),
        (("nvidia", "defaults"), (("nvidia", "conda-forge"), ("defaults",))),
        (("https://conda.example.com/pkgs/main", "./own"), (("./own", "conda-forge"), ("https://conda.example.com/pkgs/main",))),
        (("https://ada:s3cret@conda.example.com/own",), ((), ("https://conda.example.com/own",))),
        (("https://conda.example.com/t/s3cret/own", "bioconda"), (("bioconda", "conda-forge"), ("https://conda.example.com/own",))),
        (("~/own",), ((), ("~/own",))),
    ],
)
def test_channels(written: tuple[str, ...], expected: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    assert channels(written, ("conda-forge",)) == expected


@pytest.mark.parametrize(
    ("text", "python", "entries"),
    [
        ("", "", ()),
        ("- a\n", "", ()),
        ("dependencies: x\n", "", ()),
        ("dependencies: [python>=3.8, a]\n", ">=3.8", (Entry(name="a", text="a"),)),
        ("dependencies: ['python ==3.9.7', python]\n", "==3.9.*", ()),
        ("dependencies: [{pip: tqdm}]\n", "", ()),
    ],
)
def test_files_of_other_forms(text: str, python: str, entries: tuple[Entry, ...]) -> None:
    found = read(text)
    assert (found.python, found.entries) == (python, entries)
    assert found.pip == (("tqdm",) if "tqdm" in text else ())


def test_what_is_no_package_is_told() -> None:
    found = read("dependencies: ['a b c d', 'https://ada:s3cret@example.com/x.conda', '', b]\n")
    assert [entry.name for entry in found.entries] == ["b"]
    assert len(found.left_out) == 3
    assert "s3cret" not in "".join(found.left_out)


def test_each_thing_is_told() -> None:
    found = read(EXPORT)
    words = list(told(found, divided(found, NAMES, "conda", proven={"numpy"}), NAMES, "conda", ("defaults",), ("conda-forge",)))
    assert words == [
        "environment.yml: cudatoolkit=11.2.2=hbe64b41_10: TensorFlow's release decides which CUDA it is",
        "environment.yml: as wheels of PyPI, which the known-good set was run with: certifi and pandas",
        "environment.yml: the known-good set has its own versions of numpy",
        "environment.yml is an export: 4 libraries that it names for others are left to them (_libgcc_mutex, ca-certificates, libgcc-ng, mkl)",
        "environment.yml: the channel defaults is not asked, but conda-forge; `channels:` says otherwise",
    ]


def test_slips_are_told() -> None:
    found = read("dependencies: [nunpy, 'ffmpeg>=']\n")
    assert list(told(found, divided(found, NAMES, "conda"), NAMES, "conda", (), ())) == [
        "environment.yml: ffmpeg>=: no channel can be asked for that; write a name with versions under `conda`",
        "environment.yml: nunpy: did you mean numpy?",
    ]
    assert list(told(found, divided(found, NAMES, "venv"), NAMES, "venv", (), ())) == [
        "environment.yml: nothing that is known to be on PyPI: nunpy and ffmpeg>=; if it is, name it under `requirements`",
        "environment.yml: nunpy: did you mean numpy?",
    ]
