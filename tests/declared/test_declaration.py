"""The reader of declarations: good and bad files as cases, their JSON Schema, where it looks, and texts that nobody wrote."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import example, given
from hypothesis import settings as how
from hypothesis import strategies as st

from provisioner.cli import settings
from provisioner.declared.declaration import read_declaration, read_keys
from provisioner.declared.keys import DECLARATION
from provisioner.declared.shape import json_schema
from provisioner.errors import InputError
from provisioner.model.policy import Policy, SignOff
from provisioner.model.team import Index, ProjectInput, Target
from tests.facts.fake_reader import FakeReader

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CASES = Path(__file__).parent / "declarations"
GOOD = sorted((CASES / "good").iterdir())
BAD = sorted((CASES / "bad").iterdir())
SCHEMA = json_schema(DECLARATION, "tfsetup/declaration/1")


def told(case: Path) -> list[str]:
    """What a case expects: its lines after ``#!``."""
    return [line[3:] for line in case.read_text("utf-8-sig").splitlines() if line.startswith("#! ")]


def folder_with(case: Path | str, name: str = "tfsetup.yaml") -> FakeReader:
    if isinstance(case, Path):
        return FakeReader({f"/team/{'tfsetup.yaml' if case.suffix == '.yaml' else 'pyproject.toml'}": case.read_bytes()})
    return FakeReader({f"/team/{name}": case})


def as_an_editor_reads_it(case: Path):
    """The data with numbers and dates of their own, as editors check them; as JSON, which has no dates."""
    text = case.read_text("utf-8-sig")
    data = yaml.safe_load(text) if case.suffix == ".yaml" else tomllib.loads(text)["tool"]["tfsetup"]
    return json.loads(json.dumps({} if data is None else data, default=str))


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_good_files(case: Path) -> None:
    reader = folder_with(case)
    targets = [line.removeprefix("target ") for line in told(case)]
    if targets:
        declaration = read_declaration(reader, "/team")
        assert [f"{target.name}: {target.python}" for target in declaration.targets] == targets
        assert declaration.file.startswith("/team/")
    else:
        with pytest.raises(InputError, match="names no targets"):
            read_declaration(reader, "/team")
    reader.cwd = "/team"
    assert settings.request({}, reader).origins, "every command reads the same file"
    jsonschema.validate(as_an_editor_reads_it(case), SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_bad_files_say_every_fault_and_its_place(case: Path) -> None:
    reader = folder_with(case)
    with pytest.raises(InputError) as caught:
        read_declaration(reader, "/team")
    expected = [line for line in told(case) if line != "schema refuses"]
    assert list(caught.value.faults) == expected
    assert "secret" not in str(caught.value.faults).replace("no secret", "")
    assert "pa55word" not in str(caught.value.faults)
    reader.cwd = "/team"
    with pytest.raises(InputError) as again:
        settings.request({}, reader)
    assert again.value.faults == caught.value.faults


@pytest.mark.parametrize("case", [case for case in BAD if "schema refuses" in told(case)], ids=lambda case: case.name)
def test_the_schema_refuses_what_one_key_can_say_wrong(case: Path) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_an_editor_reads_it(case), SCHEMA, cls=jsonschema.Draft202012Validator)


def test_everything_a_declaration_can_say() -> None:
    declaration = read_declaration(folder_with(CASES / "good" / "everything.yaml"), "/team")
    assert declaration.tensorflow == ">=2.16,<2.21"
    assert declaration.targets[0] == Target(
        name="gpu-py311", platform="linux-x86_64", device="cuda", python="3.11", floor="2.31", driver="550.54.14"
    )
    assert (declaration.targets[2].floor, declaration.targets[2].tensorflow) == ("13.0", "2.19")
    assert declaration.requirements == ("pandas>=2", 'scipy ; sys_platform != "win32"', "rich")
    assert declaration.files == ("requirements.in", "../shared/common.in")
    assert declaration.project == ProjectInput(file="pyproject.toml", extras=("gpu",), groups=("dev-tools",))
    assert declaration.indexes[:2] == (
        Index(url="https://packages.example.com/simple", name="mirror"),
        Index(url="https://${USER}:${PASSWORD}@packages.example.com/private/simple", packages=("other-package", "our-package")),
    )
    assert declaration.policy == Policy(
        releases="!=2.17.0",
        driver="525.60.13",
        source_builds=False,
        cool_down=7,
        proven=True,
        signed_off=(SignOff(release="2.19.1", by="Ada Lovelace", date="2026-03-31"),),
    )
    assert (declaration.folder, declaration.formats) == ("locks/tensorflow", ("requirements", "pylock"))


def test_versions_in_toml_need_no_quotes_either() -> None:
    """2.20 is a number to TOML, and 2.2 by the time most programs read it."""
    declaration = read_declaration(folder_with(CASES / "good" / "in-pyproject.toml"), "/team")
    assert declaration.tensorflow == "2.20"
    assert declaration.project == ProjectInput(file="pyproject.toml")
    assert declaration.policy.signed_off[0].date == "2026-03-31"


def test_only_one_file_may_speak() -> None:
    both = FakeReader({"/team/tfsetup.yaml": "device: cpu\n", "/team/pyproject.toml": "[tool.tfsetup]\ndevice = 'cpu'\n"})
    with pytest.raises(InputError, match="only one may speak"):
        read_keys(both, "/team")
    other = FakeReader({"/team/tfsetup.yaml": "device: cpu\n", "/team/pyproject.toml": "[project.scripts]\ntfsetup = 'a:b'\n[tool.ruff]\n"})
    assert read_keys(other, "/team").data == {"device": "cpu"}


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ('[tool."tfsetup"]\n', True),
        ("[ tool . tfsetup ]\n", True),
        ("tool.tfsetup.device = 'cpu'\n", True),
        ("tool = {tfsetup = {device = 'cpu'}}\n", True),
        ("[tool]\ntfsetup = {}\n", True),
        ("['tool'.'tfsetup'.policy]\n", True),
        ("[project]\nname = 'tfsetup'\n", False),
        ("[tool.other]\nname = 'tfsetup'\n", False),
        ("[tool]\nother.tfsetup = 1\n", False),
        ("not = toml = at all\n", False),
        (b"\xff\xfe", False),
        (PermissionError(13, "Permission denied"), False),
    ],
)
def test_a_pyproject_is_a_declaration_only_with_its_own_table(text, ours: bool) -> None:
    assert (read_keys(folder_with(text, "pyproject.toml"), "/team") is not None) is ours


def test_where_there_is_none() -> None:
    assert read_keys(FakeReader({"/team": None}), "/team") is None
    with pytest.raises(InputError, match=r"there is no tfsetup\.yaml") as caught:
        read_declaration(FakeReader({"/team": None}), "/team")
    assert "tfsetup init" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        PermissionError(13, "Permission denied"),
        None,
        "a: " + "x" * (1 << 20),
        "- cpu\n",
        "text\n",
        b"env: \xff\xfe\n",
        "[" * 5000,
        "a: *b\n",
    ],
    ids=["permission", "folder", "large", "list", "text", "bytes", "deep", "alias"],
)
def test_what_cannot_be_read_is_an_error_with_the_file(content) -> None:
    with pytest.raises(InputError) as caught:
        read_keys(folder_with(content), "/team")
    assert caught.value.place == "/team/tfsetup.yaml"


NOT_TOML = [
    "tool.tfsetup = 1\n",
    "[tool.tfsetup\n",
    "tool.tfsetup.a = " + "[" * 9000,
    b"[tool.tfsetup]\na='\xff'\n",
    "[tool.tfsetup]\na=2020-13-41\n",
]


@pytest.mark.parametrize("content", NOT_TOML)
def test_what_cannot_be_read_as_toml(content) -> None:
    with pytest.raises(InputError) as caught:
        read_keys(folder_with(content, "pyproject.toml"), "/team")
    assert caught.value.place == "/team/pyproject.toml"


NAMES = [*DECLARATION.keys, *DECLARATION.keys["targets"].item.keys, *DECLARATION.keys["policy"].keys, "nothing", ""]
SCALARS = st.one_of(
    st.sampled_from(["cpu", "cuda", "linux-x86_64", "3.11", "2.20", "550.54.14", "windows-x86_64", "../x", "https://u:p@h/s", "${A}", "7"]),
    st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.none(), st.dates(),
)  # fmt: skip
DATA = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)), max_leaves=25
)


def faults_of(reader: FakeReader) -> InputError | None:
    try:
        read_declaration(reader, "/team")
    except InputError as error:
        return error
    return None


@how(deadline=None)
@given(DATA)
@example({"targets": [{}]})
@example({"targets": [{"name": "x" * 64, "platform": "linux-x86_64", "device": "cpu"}], "pythons": ["3.11", "3.12"]})
@example({"targets": [None, 1], "indexes": [None], "policy": {"signed_off": [None]}})
def test_any_data_is_read_or_refused_with_faults(data) -> None:
    error = faults_of(folder_with(yaml.safe_dump(data, allow_unicode=True)))
    for fault in error.faults if error else ():
        assert fault.startswith(("tfsetup.yaml:", "document"))


@how(deadline=None)
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_any_text_is_read_or_refused(text) -> None:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    for content, name in ((data, "tfsetup.yaml"), (b"[tool.tfsetup]\n" + data, "pyproject.toml")):
        error = faults_of(folder_with(content, name))
        assert error is None or error.place.startswith("/team")


EVERYTHING = (CASES / "good" / "everything.yaml").read_text()


@how(deadline=None)
@given(st.integers(0, len(EVERYTHING)), st.integers(0, 12), st.text(alphabet="abc:-[]{}#'\"\n &*!%@2.", max_size=6))
def test_a_good_file_with_a_slip_is_read_or_refused_with_places(at: int, cut: int, put: str) -> None:
    error = faults_of(folder_with(EVERYTHING[:at] + put + EVERYTHING[at + cut :]))
    assert error is None or error.place == "/team/tfsetup.yaml"
