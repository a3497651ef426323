"""Jupyter's kernels and the commands of PATH, as files of a recorded machine."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.diagnose.checks.kernels import CHECKS
from provisioner.environment.kernels import read_kernel
from tests.diagnose import cases
from tests.facts.fake_reader import FakeReader

USER = "/home/ada/.local/share/jupyter/kernels"
OWN = f"{cases.ENV}/share/jupyter/kernels"


def kernel(python: str, title: str = "Python 3 (ipykernel)", language: str = "python") -> str:
    return json.dumps(
        {"argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": title, "language": language}
    )


def found(files, env=None, distributions=("ipykernel",), **changes):
    reader = FakeReader({cases.PYTHON: "", "/opt/other/bin/python": "", **files}, env={"HOME": "/home/ada", **(env or {})})
    items = tuple(cases.distribution(name, "1.0") for name in distributions)
    case = cases.recorded("debian-12", "2.15.1", device="cpu", reader=reader, distributions=items, **changes)
    said, findings = cases.run(case, *CHECKS)
    return said, findings


@pytest.mark.parametrize(
    ("path", "python", "title", "severity"),
    [
        (f"{USER}/tf-env/kernel.json", "/opt/other/bin/python", "TF", "warning"),
        (f"{USER}/x/kernel.json", "/opt/other/bin/python", "Python (tf-env)", "warning"),
        (f"{USER}/x/kernel.json", "/gone/bin/python", "Python (tf-env)", "warning"),
        (f"{OWN}/python3/kernel.json", "/opt/other/bin/python", "Python 3", "warning"),
        (f"{USER}/python3/kernel.json", "/opt/other/bin/python", "Python 3", "info"),
        ("/usr/share/jupyter/kernels/python3/kernel.json", "/usr/bin/python3", "Python 3", "info"),
        (f"{USER}/torch/kernel.json", "/opt/other/bin/python", "PyTorch", ""),
        (f"{USER}/tf-env/kernel.json", cases.PYTHON, "TF", ""),
        (f"{USER}/tf-env/kernel.json", f"{cases.ENV}/bin/python3.11", "TF", ""),
        (f"{OWN}/python3/kernel.json", "python", "Python 3", ""),
    ],
)
def test_kernels(path: str, python: str, title: str, severity: str) -> None:
    _, findings = found({path: kernel(python, title)})
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    for finding in findings:
        assert (finding.cause, finding.evidence[0].where) == ("wrong-environment", path)
        assert python in finding.evidence[0].seen
        assert any("ipykernel install" in step for step in finding.remedy.steps)


def test_a_default_kernel_matters_only_beside_jupyter() -> None:
    files = {f"{USER}/python3/kernel.json": kernel("/opt/other/bin/python")}
    assert found(files, distributions=())[1] == ()


def test_jupyters_own_variables_are_followed() -> None:
    files = {"/data/kernels/tf-env/kernel.json": kernel("/opt/other/bin/python"), "/more/kernels/tf-env/kernel.json": kernel("/gone")}
    _, findings = found(files, env={"JUPYTER_DATA_DIR": "/data", "JUPYTER_PATH": "/more:/none"})
    assert {evidence.where for evidence in findings[0].evidence} == set(files)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"argv": []}', '{"argv": "python"}', '{"argv": [1]}', kernel("R", language="R"), kernel("/usr/bin/R", language="R")],
)
def test_what_is_no_python_kernel_is_left_out(text: str) -> None:
    assert read_kernel(text, path="/x/kernels/y/kernel.json", place="") is None


@given(
    # No absolute path: strings that begin with a slash or a drive are for the next test.
    st.recursive(
        st.none() | st.booleans() | st.text().map("x".__add__) | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_taken(data: object) -> None:
    for text in (json.dumps({"argv": data, "display_name": data, "language": "python"}), json.dumps(data)):
        assert read_kernel(text, path="/x/kernels/y/kernel.json", place="") is None, "none of it is the path of a Python"


# As large as a number in JSON may be (``model/json_text.py``).
INTEGERS = st.integers(-(10**18), 10**18)


@given(title=st.none() | INTEGERS | st.text() | st.lists(st.text()), rest=st.lists(st.text() | INTEGERS))
def test_of_a_pythons_kernel_the_rest_may_be_anything(title: object, rest: list[object]) -> None:
    text = json.dumps({"argv": ["/opt/python", *rest], "display_name": title})
    kernel = read_kernel(text, path="/x/kernels/y/kernel.json", place="")
    assert (kernel.name, kernel.python, kernel.title) == ("y", "/opt/python", str(title))


ACTIVE = {"VIRTUAL_ENV": cases.ENV}


def test_a_folder_before_the_active_environments() -> None:
    files = {"/opt/other/bin/pip": "", "/opt/other/bin/pip3": "", f"{cases.ENV}/bin/pip": "", f"{cases.ENV}/bin/activate": ""}
    files[f"{cases.ENV}/bin/pip3"] = ""
    said, findings = found(files, env={**ACTIVE, "PATH": f"/opt/other/bin:{cases.ENV}/bin"})
    assert {(finding.cause, finding.severity) for finding in findings} == {("wrong-environment", "warning")}
    assert {evidence.where for evidence in findings[0].evidence} == {"/opt/other/bin/pip", "/opt/other/bin/pip3"}
    assert "hash -r" in findings[0].remedy.steps
    assert "cannot be seen" in said["commands"]


def test_a_command_that_the_active_environment_lacks() -> None:
    _, findings = found({"/usr/bin/jupyter": ""}, env={**ACTIVE, "PATH": f"{cases.ENV}/bin:/usr/bin"})
    assert [(finding.cause, finding.severity) for finding in findings] == [("wrong-environment", "info")]
    assert findings[0].remedy.steps == (f"{cases.PYTHON} -m pip install jupyterlab",)


@pytest.mark.parametrize("env", [{}, {"VIRTUAL_ENV": "/home/ada/another"}, {"CONDA_PREFIX": "/opt/conda"}])
def test_an_environment_that_is_not_active_says_nothing_of_path(env: dict[str, str]) -> None:
    assert found({}, env={**env, "PATH": "/opt/other/bin"})[1] == ()
