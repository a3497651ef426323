"""What a lock is made from: requirements files as pip reads them, projects with extras and groups, all faults with lines, and digests."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.declared.declaration import read_keys
from provisioner.declared.inputs import read_inputs
from provisioner.declared.requirements_file import logical_lines
from provisioner.errors import InputError
from provisioner.model.policy import Policy
from provisioner.model.team import Declaration, Index, Inputs, ProjectInput, Target
from tests.facts.fake_reader import FakeReader
from tests.growth import too_fast

LINUX = Target(name="linux", platform="linux-x86_64", device="cpu", python="3.11")


def read(texts=None, /, **said) -> Inputs:
    paths = {f"/team/{name}": text for name, text in (texts or {}).items()}
    declaration = Declaration(**{"file": "/team/tfsetup.yaml", "tensorflow": "2.20", "targets": (LINUX,), **said})
    return read_inputs(FakeReader({"/team/tfsetup.yaml": "", **paths}), declaration)


def faults(texts=None, /, **said) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(texts, **said)
    return list(caught.value.faults)


def attempt(texts=None, /, **said) -> Inputs | InputError:
    try:
        return read(texts, **said)
    except InputError as error:
        return error


def test_inline_requirements_are_spelt_one_way_sorted_and_told_once() -> None:
    assert read(requirements=("Scipy", "pandas >= 2", "scipy", "a; os_name=='nt'")).requirements == (
        'a; os_name == "nt"',
        "pandas>=2",
        "scipy",
    )


FILES = {
    "requirements.in": """\
# ours
-r base/more.in
--constraint=limits.txt
pandas>=2 \\
  ,<3  # why

h5py ; python_version < '3.12'
--only-binary :all:
""",
    "base/more.in": "-c ../limits.txt\r\nrich[jupyter]\r\n-rdeep/er.in",
    "base/deep/er.in": "six\n-r ../more-still.in",
    "base/more-still.in": "six",
    "limits.txt": "--require-hashes\nnumpy==1.26.4 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n-r other-limits.txt\n",
    "other-limits.txt": "scipy<1.14",
}


def test_files_with_all_that_they_include() -> None:
    found = read(FILES, files=("requirements.in",))
    assert found.requirements == ('h5py; python_version < "3.12"', "pandas<3,>=2", "rich[jupyter]", "six")
    assert found.constraints == ("numpy==1.26.4", "scipy<1.14")
    names = [digest.name for digest in found.digests if not digest.name.startswith("tfsetup.yaml")]
    assert names == sorted(FILES)


def test_a_file_can_be_requirements_and_limits_at_once() -> None:
    found = read({"a.in": "-c b.in\n-r b.in\n", "b.in": "six<2\n"}, files=("a.in",))
    assert (found.requirements, found.constraints) == (("six<2",), ("six<2",))


SHOWN = "https://***@example.com/simple"
WRITTEN = "https://${TFSETUP_INDEX_EXAMPLE_COM_USERNAME}:${TFSETUP_INDEX_EXAMPLE_COM_PASSWORD}@example.com/simple"
LOGIN = "holds a login, which would be written into the lock; leave it out, and let git or ~/.netrc give it"


def test_every_fault_of_every_file_with_its_line() -> None:
    text = """\
pandas>=2
-e ./ours  # editable
git+https://ada:pa55@example.com/x.git
./local
https://ada:pa55@example.com/x-1.whl
--index-url https://ada:pa55@example.com/simple
--pre
six==1.16 \\
  --hash=sha256:00
name with blanks
h5py --config-settings=a=b
numpy==${VERSION}
-r
-r https://example.com/more.in
-c /etc/limits.txt
-r missing.in
-c limits.txt
"""
    found = faults({"a.in": text, "limits.txt": "dask[array]\n-e .\n"}, files=("a.in", "gone.in"), requirements=("six",))
    assert found == [
        f"a.in:3: `git+https://***@example.com/x.git` {LOGIN}",
        f"a.in:5: `https://***@example.com/x-1.whl` {LOGIN}",
        "a.in:7: `--pre` is an option that a lock does not take over; remove it",
        "a.in:8: `six==1.16` has a hash that is no SHA-256, which is what files are held against",
        "a.in:10: `name with blanks` is not a requirement: Expected semicolon (after name with no version specifier) or end",
        "a.in:11: `h5py --config-settings=a=b` has an option, which a lock cannot hold",
        "a.in:12: `numpy==${VERSION}` names a variable, so it would not be the same on every machine",
        "a.in:13: `-r` names no file",
        "a.in:14: `-r https://example.com/more.in` names an address, and nothing is fetched from there; keep the file beside this one",
        "a.in:15: `-c /etc/limits.txt` must name a file relative to this one, with `/` between folders, to be the same for everybody",
        "a.in:16: missing.in: cannot be read: /team/missing.in",
        "limits.txt:1: `dask[array]` names extras, which no constraint may",
        "limits.txt:2: `-e .` is editable, which no limit may be",
        "gone.in: cannot be read: /team/gone.in",
        "a.in:2: ours/pyproject.toml: cannot be read: /team/ours/pyproject.toml",
        "a.in:4: local/pyproject.toml: cannot be read: /team/local/pyproject.toml",
        f"a.in:6: `--index-url {SHOWN}` names an index: write `indexes: [{{url: '{WRITTEN}', name: example-com}}]` in the declaration",
    ]


def test_files_that_include_each_other_are_named() -> None:
    found = faults({"a.in": "six\n-r b.in\n", "b.in": "\n\n-r a.in\n"}, files=("a.in",))
    assert found == ["b.in:3: a.in includes itself (a.in -> b.in -> a.in)"]


def test_bytes_that_are_no_text() -> None:
    assert faults({"a.in": b"six\n\xff\n"}, files=("a.in",)) == ["a.in:2: is not UTF-8"]
    assert read({"a.in": b"\xef\xbb\xbfsix\n"}, files=("a.in",)).requirements == ("six",)


def test_an_index_that_the_declaration_names_may_stand_in_a_file() -> None:
    index = Index(url="https://packages.example.com/simple")
    assert read({"a.in": "-i https://packages.example.com/simple/\nsix\n"}, files=("a.in",), indexes=(index,)).requirements == ("six",)


PROJECT = """\
[project]
name = "Our.Project"
requires-python = ">=3.10"
dependencies = ["pandas>=2", "scipy; sys_platform == 'linux'"]
[project.optional-dependencies]
gpu = ["cupy"]
Test_Tools = ["pytest", "our-project[plots]"]
plots = ["matplotlib; python_version < '3.13'"]
all = ["our-project[gpu,test-tools]; os_name == 'posix'", "our_project[all]"]
[dependency-groups]
dev = ["ruff", {include-group = "lint"}]
Lint = ["mypy"]
whole = ["our-project[gpu]", {include-group = "dev"}]
around = [{include-group = "around"}]
"""


def project(extras=(), groups=(), text=PROJECT, **said) -> Inputs:
    return read({"pyproject.toml": text}, project=ProjectInput(file="pyproject.toml", extras=extras, groups=groups), **said)


def project_faults(extras=(), groups=(), text=PROJECT, **said) -> list[str]:
    return faults({"pyproject.toml": text}, project=ProjectInput(file="pyproject.toml", extras=extras, groups=groups), **said)


OWN = {"pandas>=2", 'scipy; sys_platform == "linux"'}


@pytest.mark.parametrize(
    ("extras", "groups", "more"),
    [
        ((), (), set()),
        (("gpu",), (), {"cupy"}),
        (("test-tools",), (), {"pytest", 'matplotlib; python_version < "3.13"'}),
        (
            ("all",),
            (),
            {
                'cupy; os_name == "posix"',
                'pytest; os_name == "posix"',
                'matplotlib; os_name == "posix" and python_version < "3.13"',
            },
        ),
        ((), ("dev",), {"ruff", "mypy"}),
        ((), ("whole",), {"ruff", "mypy", "cupy"}),
    ],
)
def test_a_projects_dependencies_with_extras_and_groups(extras, groups, more) -> None:
    assert set(project(extras, groups).requirements) == OWN | more


def test_a_group_without_a_project_and_one_that_names_the_project() -> None:
    assert project((), ("dev",), "[dependency-groups]\ndev = ['ruff']\n").requirements == ("ruff",)
    circle = '[project]\nname = "a"\nversion = "1"\ndependencies = ["a[x]", "six"]\n[project.optional-dependencies]\nx = ["a", "rich"]\n'
    assert project(text=circle).requirements == ("rich", "six")


@pytest.mark.parametrize(
    ("extras", "groups", "text", "told"),
    [
        (("gpus",), ("devs",), PROJECT, ["has no extra `gpus` (there are all, gpu, plots, test-tools)", "has no dependency group `devs`"]),
        ((), ("around",), PROJECT, ["dependency-groups.around: Cyclic dependency group include"]),
        ((), (), "[project]\nname='x'\ndynamic=['dependencies']\n", ["project.dependencies: are dynamic"]),
        ((), (), "[tool.black]\nx='*'\n", ["has no [project] table"]),
        ((), (), "[project]\nname='x'\ndependencies='six'\n", ["project.dependencies: expected a list"]),
        ((), (), "[project]\nname='x'\ndependencies=[1, 'a @ file:///x', 'b>>1']\n", ["[0]: expected a text", "[1]: ", "[2]: "]),
        ((), (), "[project]\nname='x'\nrequires-python='>=3.12'\n", ["does not allow Python 3.11 of the target linux"]),
        ((), (), "[project]\nname='x'\nrequires-python='new'\n", ["is no list of versions"]),
        ((), ("dev",), "[dependency-groups]\nDev=[]\ndev=[]\n", ["Duplicate dependency group names"]),
        ((), ("dev",), "[dependency-groups]\ndev=[{a='b'}, 'b>>1', 1]\n", ["dependency-groups.dev: "] * 3),
        ((), ("dev",), "dependency-groups=1\n", ["expected a table"]),
        ((), (), "[project\n", ["pyproject.toml:1:9: "]),
    ],
)  # fmt: skip
def test_faults_of_a_project(extras, groups, text, told) -> None:
    found = project_faults(extras, groups, text)
    assert len(found) == len(told), found
    for fault, part in zip(found, told, strict=True):
        assert fault.startswith("pyproject.toml:")
        assert part in fault


def test_a_project_that_is_not_there() -> None:
    assert faults(project=ProjectInput(file="sub/pyproject.toml")) == ["sub/pyproject.toml: cannot be read: /team/sub/pyproject.toml"]


def changed(before: Inputs, after: Inputs) -> set[str]:
    """The names of the inputs that say something else."""
    first, second = ({digest.name: digest.sha256 for digest in inputs.digests} for inputs in (before, after))
    return {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}


def test_digests_do_not_count_comments_blanks_order_and_spelling() -> None:
    other = {
        **FILES,
        "requirements.in": "h5py;python_version<'3.12'\nPandas<3,>=2\n-c limits.txt\n-r base/more.in # that\n",
        "limits.txt": "-r other-limits.txt\nnumpy == 1.26.4\n",
    }
    before = read(FILES, files=("requirements.in",), requirements=("a", "b"))
    after = read(other, files=("./requirements.in".removeprefix("./"),), requirements=("B", "a"))
    assert changed(before, after) == set()
    assert (before.requirements, before.constraints) == (after.requirements, after.constraints)


def test_digests_name_what_changed() -> None:
    before = read(FILES, files=("requirements.in",))
    assert changed(before, read({**FILES, "base/deep/er.in": "six>1\n-r ../more-still.in"}, files=("requirements.in",))) == {
        "base/deep/er.in"
    }
    assert changed(before, read({**FILES, "limits.txt": "numpy==1.26.4\n"}, files=("requirements.in",))) == {
        "limits.txt",
        "other-limits.txt",
    }
    assert changed(before, read(FILES, files=("requirements.in",), tensorflow="2.19")) == {"tfsetup.yaml: tensorflow"}
    assert changed(before, read(FILES, files=("requirements.in",), policy=Policy(cool_down=3))) == {"tfsetup.yaml: policy"}
    assert changed(before, read(FILES, files=("requirements.in",), requirements=("six",))) == {"tfsetup.yaml: requirements"}
    assert changed(before, read(FILES, files=("requirements.in",), formats=("pylock",))) == {"tfsetup.yaml: formats"}
    assert changed(project(), project(text=PROJECT.replace("pandas>=2", "pandas>=3"))) == {"pyproject.toml"}
    assert changed(project(), project(text=PROJECT.replace('"cupy"', '"jax"') + "[tool.ruff]\nline-length = 1\n")) == set()


def test_digests_are_those_of_other_days() -> None:
    """A lock that is in a repository must not become stale by a new tfsetup: what counts here changes only on purpose."""
    found = {digest.name: digest.sha256[:12] for digest in read(FILES, files=("requirements.in",)).digests}
    assert found == DIGESTS


DIGESTS = {
    "base/deep/er.in": "c5017cf8f95a",
    "base/more-still.in": "7e385b851c3c",
    "base/more.in": "a9ddbf9d6a86",
    "limits.txt": "5a580bfab4aa",
    "other-limits.txt": "2ef9a7ea4bd5",
    "requirements.in": "b47a97c1c44a",
    "tfsetup.yaml: files": "3e7405745b61",
    "tfsetup.yaml: formats": "d090be394098",
    "tfsetup.yaml: targets": "934c5e7ec51f",
    "tfsetup.yaml: tensorflow": "4b3fed87faec",
}


PIECES = st.sampled_from(
    ["six", "a>=1", "\\", "#", " ", "\n", "\r\n", " # x", "-r b", "\\\n", "\t", "x\\\\", "--hash=sha256:0", "\f", "\u2028"]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_lines_are_joined_and_stripped_as_pip_does_it(text: str) -> None:
    from pip._internal.req.req_file import ignore_comments, join_lines

    theirs = list(ignore_comments(join_lines(enumerate(text.splitlines(), start=1))))
    assert list(logical_lines(text)) == theirs


@given(
    st.lists(st.one_of(PIECES, st.text(max_size=8), st.sampled_from(["-c ", "-e .", "--pre", "a @ file:b", "${A}"])), max_size=20).map(
        "".join
    )
)
def test_any_text_is_a_requirements_file_or_has_faults_with_lines(text: str) -> None:
    found = attempt({"a.in": text.encode("utf-8", "surrogatepass"), "b": "six"}, files=("a.in",))
    if isinstance(found, InputError):
        assert [fault for fault in found.faults if not re.match(r"a\.in:\d+: ", fault)] == []
    else:
        assert found.requirements == tuple(sorted(found.requirements))


TOML = st.recursive(
    st.one_of(st.sampled_from(["six", "x[a]", "x", "a>>1", "dependencies", ">=3.8"]), st.integers(0, 3), st.booleans()),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
GROUP = st.lists(st.one_of(TOML, st.sampled_from(["{include-group = 'a'}", "{include-group = 1}", "{b = 'c'}"])), max_size=3)


@given(
    st.dictionaries(st.sampled_from(["name", "dependencies", "dynamic", "requires-python", "optional-dependencies"]), TOML, max_size=4),
    st.dictionaries(st.sampled_from(["a", "A", "b"]), TOML, max_size=3),
    st.dictionaries(st.sampled_from(["a", "A", "b"]), GROUP, max_size=3),
)
def test_any_project_is_read_or_has_faults(table, extras, groups) -> None:
    def written(values) -> str:
        return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()).replace('"{', "{").replace('}"', "}")

    text = f"[project]\n{written(table)}"
    text += "" if "optional-dependencies" in table else f"[project.optional-dependencies]\n{written(extras)}"
    text += f"[dependency-groups]\n{written(groups)}"
    wanted = ProjectInput(file="pyproject.toml", extras=("a",), groups=("a",))
    found = attempt({"pyproject.toml": text}, project=wanted)
    if isinstance(found, InputError):
        assert [fault for fault in found.faults if not fault.startswith("pyproject.toml:")] == []


def test_the_work_grows_with_runs_of_blanks() -> None:
    def requirements(size: int) -> None:
        blanks = " " * size
        assert len(faults({"a.in": f"a{blanks}b\n{blanks}\nc{blanks}#\n"}, files=("a.in",))) == 1

    assert not too_fast(requirements, 300_000)
    assert not too_fast(lambda size: read_keys(FakeReader({"/team/pyproject.toml": "\n" * size}), "/team"), 1_000_000)
