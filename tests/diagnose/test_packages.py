"""The checks of packages: what does not go with which release, and what is nobody's fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.diagnose import packages
from provisioner.judge.requirements import unmet
from provisioner.model.finding import Repair
from tests.diagnose.support import ROOT, case, distribution, failed, found, run_check, worked

TENSORFLOW_2_15 = distribution("tensorflow-cpu", "2.15.1", requires=("numpy<2.0.0,>=1.23.5", "keras<2.16,>=2.15.0", "wrapt<1.15,>=1.11.0"))
WRAPT = distribution("wrapt", "1.14.1")
KERAS = distribution("keras", "2.15.0")
NUMPY = distribution("numpy", "1.26.4")


def repairs(name, of):
    return [(item.kind, item.name, item.version) for finding in run_check(name, of)[1] for item in finding.repairs]


def test_a_set_that_fits_is_healthy():
    of = case(TENSORFLOW_2_15, NUMPY, KERAS, WRAPT, tensorflow="2.15.1")
    for name in ("requirements", "misfits", "addons", "rivals", "deprecated"):
        assert run_check(name, of)[0].result == "healthy"


def test_another_version_than_the_sets_that_fits_all_the_same_is_healthy():
    of = case(TENSORFLOW_2_15, distribution("numpy", "1.25.0"), KERAS, distribution("wrapt", "1.12.0"), tensorflow="2.15.1")
    assert found("requirements", of) == found("misfits", of) == []


def test_numpy_2_with_an_old_release():
    of = case(TENSORFLOW_2_15, distribution("numpy", "2.0.2"), KERAS, WRAPT, tensorflow="2.15.1")
    assert found("requirements", of) == [("error", "numpy-incompatible")]
    assert found("misfits", of) == [("error", "numpy-incompatible")]
    assert repairs("misfits", of) == [("restore", "numpy", "1.26.4")]


@pytest.mark.parametrize(("have", "stays"), [("1.25.2", "1.25.2"), ("1.21.6", "1.26.4")])
def test_what_a_package_of_ones_own_asks_for_is_met_by_another_version_of_it_beside_what_is_there(have, stays):
    """The command had the set's NumPy in it, where the one that is there goes with TensorFlow as well."""
    opencv = distribution("opencv-python", "5.0.0", requires=("numpy>=2",))
    of = case(TENSORFLOW_2_15, distribution("numpy", have), KERAS, WRAPT, opencv, tensorflow="2.15.1", child=worked())
    wanted = [finding.wants for finding in run_check("requirements", of)[1] if finding.cause == "dependency-incompatible"]
    assert wanted == [("opencv-python", f"numpy=={stays}")]


@pytest.mark.parametrize(
    ("child", "severity", "confidence"), [(None, "error", "likely"), (failed("no"), "error", "certain"), (worked(), "warning", "possible")]
)
def test_how_grave_it_is_depends_on_the_import(child, severity, confidence):
    of = case(TENSORFLOW_2_15, distribution("numpy", "2.0.2"), KERAS, WRAPT, tensorflow="2.15.1", child=child)
    (finding,) = run_check("misfits", of)[1]
    assert (finding.severity, finding.confidence) == (severity, confidence)


@pytest.mark.parametrize(
    ("tensorflow", "python", "package", "version", "cause"),
    [
        ("2.8.4", "3.10", "protobuf", "4.25.3", "protobuf-incompatible"),
        ("2.15.1", "3.11", "protobuf", "3.19.6", "protobuf-incompatible"),
        ("2.20.0", "3.12", "protobuf", "5.28.0", "protobuf-incompatible"),
        ("2.3.4", "3.8", "numpy", "1.24.0", "numpy-incompatible"),
        ("2.17.1", "3.12", "keras", "2.15.0", "keras-incompatible"),
        ("2.4.4", "3.8", "h5py", "3.1.0", "dependency-incompatible"),
        ("2.18.1", "3.12", "wrapt", "1.16.0", "dependency-incompatible"),
    ],
)
def test_what_metadata_allows_and_does_not_work(tensorflow, python, package, version, cause):
    of = case(
        distribution("tensorflow-cpu", tensorflow, python=python),
        distribution(package, version, python=python),
        tensorflow=tensorflow,
        python=python,
    )
    assert found("requirements", of) == []
    assert found("misfits", of) == [("error", cause)]


@pytest.mark.parametrize(
    ("tensorflow", "python", "package", "version"),
    [
        ("2.8.4", "3.10", "protobuf", "3.20.3"),
        ("2.12.1", "3.11", "protobuf", "4.25.3"),
        ("2.18.1", "3.11", "wrapt", "1.16.0"),
        ("2.21.0", "3.12", "wrapt", "2.0.0"),
        ("2.18.1", "3.12", "numpy", "2.0.2"),
    ],
)
def test_what_works_is_not_complained_of(tensorflow, python, package, version):
    of = case(
        distribution("tensorflow-cpu", tensorflow, python=python),
        distribution(package, version, python=python),
        tensorflow=tensorflow,
        python=python,
    )
    assert found("misfits", of) == []


def test_what_a_stranger_asks_for_is_not_missed():
    keras = distribution("keras", "3.5.0", requires=("optree", "rich"))
    of = case(TENSORFLOW_2_15, NUMPY, keras, WRAPT, tensorflow="2.15.1")
    assert found("requirements", of) == [("error", "keras-incompatible")]


def test_requirements_of_packages_beside_tensorflow_count():
    other = distribution("pandas-ta", "1.0", requires=("numpy>=2",))
    of = case(TENSORFLOW_2_15, NUMPY, KERAS, WRAPT, other, tensorflow="2.15.1")
    assert found("requirements", of) == [("warning", "dependency-incompatible")]
    # Another version of it, around the set's NumPy: looked for by the repair.
    assert repairs("requirements", of) == [("restore", "pandas-ta", "1.0")]


def test_the_shell_without_the_build_that_holds_the_module_is_no_tensorflow():
    shell = distribution("tensorflow", "2.15.1", requires=("tensorflow-intel==2.15.1",))
    assert found("requirements", case(shell, NUMPY, KERAS, WRAPT, tensorflow="2.15.1")) == [("error", "tf-not-installed")]


def test_an_add_on_that_asks_for_tensorflow_is_content_with_tensorflow_cpu():
    text = distribution("tensorflow-text", "2.15.0", requires=("tensorflow<2.16,>=2.15.0",))
    of = case(TENSORFLOW_2_15, NUMPY, KERAS, WRAPT, text, tensorflow="2.15.1")
    assert found("requirements", of) == found("addons", of) == []


def test_an_add_on_of_another_release_has_a_version_that_fits():
    text = distribution("tensorflow-text", "2.13.0")
    of = case(TENSORFLOW_2_15, text, tensorflow="2.15.1")
    assert found("addons", of) == [("error", "extension-abi-mismatch")]
    assert repairs("addons", of) == [("restore", "tensorflow-text", "2.15.0")]


@pytest.mark.parametrize(("child", "severity"), [(None, "error"), (worked(), "warning")])
def test_what_goes_with_no_version_of_the_release_is_a_warning_where_tensorflow_works(child, severity):
    """`fix` put the whole set back and then made the environment anew for larq beside 2.21, and ended with 14; pip had the same larq once more."""
    larq = distribution("larq", "0.14.0")
    of = case(distribution("tensorflow-cpu", "2.18.1", python="3.10"), larq, tensorflow="2.18.1", python="3.10", child=child)
    (finding,) = run_check("addons", of)[1]
    assert (finding.severity, finding.cause, finding.repairs) == (severity, "keras-incompatible", ())
    assert finding.remedy.steps[0].startswith("tfsetup apply --tensorflow '<2.16' --env ")


@pytest.mark.parametrize(("version", "bad"), [("0.22.0", True), ("0.23.0", False)])
def test_addons_go_with_a_range_of_releases(version, bad):
    of = case(TENSORFLOW_2_15, distribution("tensorflow-addons", version), tensorflow="2.15.1")
    assert bool(found("addons", of)) is bad


@pytest.mark.parametrize(
    ("tensorflow", "version", "repair"),
    [("2.18.1", "0.23.0", "0.25.0"), ("2.8.4", "0.24.0", "0.16.0"), ("2.15.1", "0.23.0", ""), ("2.18.1", "0.25.0", "")],
)
def test_tensorflow_probability_goes_with_releases_on_both_sides(tensorflow, version, repair):
    """It refuses an older TensorFlow; and up to 0.23 it calls what Keras 3 does not have, which an import alone does not show."""
    of = case(
        distribution("tensorflow-cpu", tensorflow), distribution("tensorflow-probability", version), tensorflow=tensorflow, python="3.10"
    )
    assert repairs("addons", of) == ([("restore", "tensorflow-probability", repair)] if repair else [])


def test_rivals_are_named_and_one_stays():
    rival = distribution("tensorflow", "2.15.0")
    of = case(TENSORFLOW_2_15, rival, tensorflow="2.15.1")
    assert found("rivals", of) == [("error", "conflicting-tf-packages")]
    assert repairs("rivals", of) == [("remove", "tensorflow", "2.15.0"), ("restore", "tensorflow-cpu", "2.15.1")]


def test_the_shell_around_another_build_is_no_rival():
    shell = distribution("tensorflow", "2.15.1", requires=('tensorflow-intel==2.15.1; platform_system == "Windows"', "six"))
    real = distribution("tensorflow-intel", "2.15.1")
    of = case(shell, real, tensorflow="2.15.1")
    from dataclasses import replace

    of = replace(of, integrity=replace(of.integrity, owners=("tensorflow-intel",)))
    assert found("rivals", of) == []


def test_an_empty_package_that_no_longer_serves():
    of = case(distribution("tensorflow-gpu", "2.12.0"), tensorflow="2.12.0")
    assert found("deprecated", of) == [("warning", "deprecated-package")]
    assert found("deprecated", case(distribution("tensorflow-gpu", "2.10.1"), tensorflow="2.10.1", python="3.10")) == []


def test_variables_that_turn_keras_away():
    newer = distribution("tensorflow-cpu", "2.17.1", python="3.12")
    assert found("keras-variables", case(newer, tensorflow="2.17.1", python="3.12", env={"KERAS_BACKEND": "jax"})) == [
        ("warning", "keras-incompatible")
    ]
    assert found("keras-variables", case(newer, tensorflow="2.17.1", python="3.12", env={"TF_USE_LEGACY_KERAS": "1"})) == [
        ("error", "keras-incompatible")
    ]
    assert found("keras-variables", case(newer, tensorflow="2.17.1", python="3.12", env={"KERAS_BACKEND": "tensorflow"})) == []


def test_a_package_from_outside_is_not_put_back():
    from dataclasses import replace

    numpy = replace(distribution("numpy", "2.0.2"), origin="PYTHONPATH", site="/libs", metadata="/libs/numpy-2.0.2.dist-info")
    of = case(numpy, TENSORFLOW_2_15, NUMPY, KERAS, WRAPT, tensorflow="2.15.1")
    assert repairs("misfits", of) == []
    assert found("leaks", of) == [("error", "environment-leak")]
    assert not any(isinstance(item, Repair) for item in repairs("leaks", of))


def without_an_answer(*tags: str):
    """An environment of Windows' shape without its pyvenv.cfg: neither its Python nor a path tells the version."""
    site = f"{ROOT}/Lib/site-packages"
    wheels = [
        distribution(f"p{number}", "1", site=site, wheel_tags=(tag,), requires_python=">=3.7,<3.11") for number, tag in enumerate(tags)
    ]
    return replace(case(*wheels), survey=None, config={})


@pytest.mark.parametrize(
    ("tags", "python"),
    [
        (("cp310-cp310-win_amd64", "cp36-abi3-win_amd64", "py3-none-any"), "3.10"),
        (("cp37-cp37m-win_amd64", "py2.py3-none-any"), "3.7"),
        (("cp310-cp310-win_amd64", "cp39-cp39-win_amd64"), ""),
        (("py3-none-any",), ""),
    ],
)
def test_which_python_packages_are_for_their_wheels_tell_where_nothing_else_does(tags, python):
    of = without_an_answer(*tags)
    assert packages.made_for(of) == python


def test_no_package_is_refused_for_a_python_that_nobody_knows():
    """It was judged as if it were 3.11."""
    judged = [unmet(of.distributions, packages.markers(of)) for of in map(without_an_answer, ("py3-none-any", "cp312-cp312-win_amd64"))]
    assert [len(faults) for faults in judged] == [0, 1]
