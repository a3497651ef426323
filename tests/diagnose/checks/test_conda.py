"""The checks of conda environments, each on a small environment on disk."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from provisioner.diagnose import conda as conda_case
from provisioner.diagnose.case import Case
from provisioner.diagnose.checks import conda_depends, conda_openmp, conda_pip, conda_records, conda_state
from provisioner.environment.receipt import Receipt
from provisioner.judge.integrity import check
from provisioner.model.conda_package import CondaPackage, CondaPart
from provisioner.model.plan import Edit
from tests.conda_env import SITE, distribution, install, package
from tests.diagnose.cases import codes, on_disk, run
from tests.diagnose.support import failed, worked
from tests.fixing import locked
from tests.support import make_lock, make_plan, verification

FORGE, MAIN = "https://mirror.example/conda-forge", "https://mirror.example/pkgs/main/linux-64"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    folder = tmp_path / "env"
    package(
        folder, "python", "3.11.9", {"bin/python3.11": "x", "lib/python3.11/os.py": "o\n"}, depends=["openssl >=3,<4", "__glibc >=2.17"]
    )
    package(folder, "openssl", "3.0", {"lib/libssl.so.3": "s"})
    package(folder, "r-base", "4.0", {"lib/R/lib/libR.so": "library"})
    package(folder, "numpy", "1.26.4", distribution("numpy", "1.26.4", {"numpy/__init__.py": "V = 1\n"}))
    install(folder, distribution("tensorflow", "2.15.1", {"tensorflow/__init__.py": "T = 1\n"}, installer="uv", requires=["numpy"]))
    return folder


def case(env: Path, **changes: object) -> Case:
    found = on_disk(env, "2.15.1")
    from provisioner.diagnose.case import PathEntry
    from provisioner.diagnose.installed import distributions

    here = distributions(found.reader, (PathEntry(path=str(env / SITE), origin="environment"),))
    return dataclasses.replace(found, distributions=here, integrity=check(found.reader, str(env)), **changes)


def receipt(env: Path, *, edits: tuple[Edit, ...] = (), wheels: tuple[str, ...] = (), conda: tuple[str, ...] = ()) -> Receipt:
    """A receipt of what made the environment; ``conda`` packages as name-version-build."""
    from provisioner.host.local import LocalHost

    made = make_plan(LocalHost(), env.parent / "elsewhere", make_lock(locked("six", "1")))
    part = CondaPart(
        specs=(),
        virtual=(),
        channels=(),
        packages=(),
        unchanged={text.rsplit("-", 2)[0]: text.split("-", 1)[1].replace("-", " ") for text in conda},
    )
    plan = dataclasses.replace(
        made,
        env=dataclasses.replace(made.env, path=str(env)),
        edits=edits,
        unchanged=dict(text.split("==") for text in wheels),
        packages=(),
        conda=part,
    )
    return Receipt(tool="test", started="", finished="", plan=plan, verification=verification(str(env), passed=True))


def repairs(findings) -> list[tuple[str, str]]:
    return [(item.kind, item.name) for finding in findings for item in finding.repairs]


EVERY = (*conda_records.CHECKS, *conda_pip.CHECKS, *conda_depends.CHECKS, *conda_openmp.CHECKS, *conda_state.CHECKS)


def test_nothing_is_said_of_a_virtual_environment(tmp_path: Path) -> None:
    said, findings = run(on_disk(tmp_path, "2.15.1"), *EVERY)
    assert findings == ()
    assert all(words.startswith("skipped: ") for words in said.values())


def test_nothing_is_wrong(env: Path) -> None:
    said, findings = run(case(env), *EVERY)
    assert findings == ()
    assert not any(words.startswith("could not tell") for words in said.values())


class TestFiles:
    def test_a_library_that_python_rests_on(self, env: Path) -> None:
        (env / "lib/libssl.so.3").write_text("")
        _, findings = run(case(env), *conda_records.CHECKS)
        assert [(item.cause, item.severity) for item in findings] == [("install-corrupt", "error")]
        assert repairs(findings) == [("relink", "openssl-3.0-0")]

    @pytest.mark.parametrize(("child", "severity"), [(worked(), "warning"), (failed("x"), "error"), (None, "warning")])
    def test_a_changed_module_counts_when_something_fails(self, env: Path, child, severity: str) -> None:
        (env / "lib/python3.11/os.py").write_text("p\n")
        _, findings = run(case(env, child=child), *conda_records.CHECKS)
        assert [item.severity for item in findings] == [severity]

    def test_what_tensorflow_does_not_need_is_worth_a_word(self, env: Path) -> None:
        (env / "lib/R/lib/libR.so").unlink()
        _, findings = run(case(env), *conda_records.CHECKS)
        assert [(item.severity, item.repairs) for item in findings] == [("info", ())]


class TestRecords:
    def test_a_broken_one(self, env: Path) -> None:
        (env / "conda-meta/openssl-3.0-0.json").write_text("{")
        _, findings = run(case(env), *conda_records.CHECKS)
        assert codes(findings) == {"install-corrupt"}
        assert repairs(findings) == [("relink", "openssl-3.0-0")]

    def test_of_two_the_one_whose_files_are_there_stays(self, env: Path) -> None:
        package(env, "openssl", "3.1", {"lib/libssl.so.3": "s", "lib/libcrypto.so.3": "c"})
        (env / "lib/libcrypto.so.3").unlink()
        _, findings = run(case(env), *conda_records.CHECKS)
        assert repairs(findings) == [("unlink", "openssl-3.1-0")]

    def test_of_two_that_are_right_the_newer_one_stays(self, env: Path) -> None:
        package(env, "openssl", "3.0.10", {})
        package(env, "openssl", "3.0.9", {})
        assert conda_case.left_behind(conda_case.state(case(env))) == {
            "openssl-3.0-0": "openssl-3.0.10-0",
            "openssl-3.0.9-0": "openssl-3.0.10-0",
        }


class TestPip:
    def over(self, env: Path, name: str = "numpy", version: str = "2.0") -> None:
        for path in (env / SITE).glob(f"{name}-*.dist-info/*"):
            path.unlink()
        install(env, distribution(name, version, {f"{name}/__init__.py": "V = 2\n"}, installer="pip"))

    def test_without_a_receipt_condas_comes_back_when_the_import_fails(self, env: Path) -> None:
        self.over(env)
        _, findings = run(case(env, child=failed("x")), *conda_pip.CHECKS)
        assert [(item.cause, item.severity) for item in findings] == [("install-corrupt", "error")]
        assert repairs(findings) == [("remove", "numpy"), ("relink", "numpy-1.26.4-0")]

    def test_without_a_receipt_what_works_stays_and_conda_forgets_its_own(self, env: Path) -> None:
        self.over(env)
        _, findings = run(case(env, child=worked()), *conda_pip.CHECKS)
        assert [item.severity for item in findings] == ["warning"]
        assert repairs(findings) == [("unlink", "numpy-1.26.4-0")]

    def test_a_package_that_others_of_conda_need_comes_back(self, env: Path) -> None:
        package(env, "pandas", "2", {}, depends=["numpy >=1.26,<2"])
        self.over(env)
        _, findings = run(case(env, child=worked()), *conda_pip.CHECKS)
        assert repairs(findings) == [("remove", "numpy"), ("relink", "numpy-1.26.4-0")]

    @pytest.mark.parametrize(
        ("known", "wanted"),
        [
            ({"wheels": ("numpy==2.0",)}, [("unlink", "numpy-1.26.4-0")]),
            ({"wheels": ("numpy==1.25",)}, [("unlink", "numpy-1.26.4-0"), ("restore", "numpy")]),
            ({"conda": ("numpy-1.26.4-0",)}, [("remove", "numpy"), ("relink", "numpy-1.26.4-0")]),
        ],
    )
    def test_the_receipt_says_what_is_known_good(self, env: Path, known, wanted) -> None:
        self.over(env)
        _, findings = run(case(env, child=worked(), receipt=receipt(env, **known)), *conda_pip.CHECKS)
        assert repairs(findings) == wanted

    def test_the_tensorflow_of_both(self, env: Path) -> None:
        package(env, "tensorflow-base", "2.15.0", distribution("tensorflow", "2.15.0", {}))
        _, findings = run(case(env), *conda_pip.CHECKS)
        assert codes(findings) == {"conflicting-tf-packages"}

    def test_what_tensorflow_does_not_need(self, env: Path) -> None:
        package(env, "tabulate", "0.8", distribution("tabulate", "0.8", {"tabulate/__init__.py": ""}))
        self.over(env, "tabulate", "0.9")
        _, findings = run(case(env), *conda_pip.CHECKS, *conda_records.CHECKS)
        assert [(item.severity, item.repairs) for item in findings] == [("info", ())]


class TestDepends:
    @pytest.mark.parametrize("child", [worked(), failed("x")])
    def test_one_that_is_gone(self, env: Path, child) -> None:
        (env / "conda-meta/openssl-3.0-0.json").unlink()
        _, findings = run(case(env, child=child), *conda_depends.CHECKS)
        assert codes(findings) == {"dependency-incompatible"}
        assert repairs(findings) == [], "without a receipt nobody knows which it was"

    def test_one_that_an_earlier_run_had_linked(self, env: Path) -> None:
        (env / "conda-meta/openssl-3.0-0.json").unlink()
        known = receipt(env)
        lost = CondaPackage(
            name="openssl",
            version="3.0",
            build="0",
            build_number=0,
            subdir="linux-64",
            filename="o",
            url="file:///o",
            channel="",
            sha256="a" * 64,
        )
        part = dataclasses.replace(known.plan.conda, packages=(lost,))
        known = dataclasses.replace(known, plan=dataclasses.replace(known.plan, conda=part))
        _, findings = run(case(env, receipt=known), *conda_depends.CHECKS)
        assert repairs(findings) == [("relink", "openssl-3.0-0")]

    def test_one_of_another_version(self, env: Path) -> None:
        package(env, "pandas", "2", distribution("pandas", "2", {}), depends=["numpy >=2", "r-base 3.*"])
        _, findings = run(case(env), *conda_depends.CHECKS)
        assert [item.severity for item in findings] == ["info"], "TensorFlow needs no pandas"

    @pytest.mark.parametrize(
        ("channel", "family"),
        [
            (FORGE, "conda-forge"),
            (f"{FORGE}/linux-64", "conda-forge"),
            (f"{FORGE}/label/cuda", "conda-forge"),
            ("conda-forge", "conda-forge"),
            (MAIN, "defaults"),
            ("pkgs/main", "defaults"),
            ("file:///mirror/main/", "defaults"),
            ("https://mirror.example/own", ""),
            ("file:///tmp/channel/", ""),
            ("", ""),
        ],
    )
    def test_whose_builds_a_channel_has(self, channel: str, family: str) -> None:
        assert conda_depends.family(channel) == family

    def test_channels_mixed(self, env: Path) -> None:
        for name, channel in (("openssl", MAIN), ("libprotobuf", FORGE)):
            for path in (env / "conda-meta").glob(f"{name}-*.json"):
                path.unlink()
            package(env, name, "3.0", {}, channel=channel)
        _, findings = run(case(env), *conda_depends.CHECKS)
        assert [(item.cause, item.severity) for item in findings] == [("dependency-incompatible", "warning")]
        assert "libprotobuf 3.0" in "".join(item.seen for item in findings[0].evidence)

    def test_packages_that_share_nothing_may_come_from_anywhere(self, env: Path) -> None:
        package(env, "r-base", "4.1", {}, channel=MAIN)
        package(env, "ripgrep", "1", {}, channel=FORGE)
        assert run(case(env), *conda_depends.CHECKS)[1] == ()


class TestOpenmp:
    def test_two_of_llvms_and_intels(self, env: Path) -> None:
        package(env, "llvm-openmp", "15", {"lib/libomp.so": "llvm", "lib/libiomp5.so": "-> libomp.so"})
        install(env, {f"{SITE}/torch/lib/libiomp5.so": "intel"})
        _, findings = run(case(env), *conda_openmp.CHECKS)
        assert [(item.cause, item.severity) for item in findings] == [("openmp-duplicate", "warning")]
        assert [item.seen for item in findings[0].evidence] == ["libomp.so of conda's llvm-openmp-15-0", "libiomp5.so of the wheel torch"]

    def test_gnus_beside_intels_mostly_get_along(self, env: Path) -> None:
        install(env, {"lib/libgomp.so.1": "gnu", f"{SITE}/mkl.libs/libiomp5-1a2b3c4d.so": "intel"})
        _, findings = run(case(env), *conda_openmp.CHECKS)
        assert [item.severity for item in findings] == ["info"]

    def test_condas_link_of_gnus_name_to_llvms_is_no_second_one(self, env: Path) -> None:
        package(env, "llvm-openmp", "15", {"lib/libomp.so": "llvm", "lib/libiomp5.so": "-> libomp.so", "lib/libgomp.so.1": "-> libomp.so"})
        assert run(case(env), *conda_openmp.CHECKS)[1] == ()


class TestState:
    def test_an_environment_that_is_never_changed(self, env: Path) -> None:
        (env / "conda-meta/frozen").write_text(json.dumps({"message": "ask us"}))
        _, findings = run(case(env), *conda_state.CHECKS)
        assert [(item.severity, item.title) for item in findings] == [("info", conda_state.PROTECTED)]
        assert "ask us" in findings[0].evidence[0].seen

    @pytest.mark.parametrize("text", [None, "changed\n"])
    def test_activation_files(self, env: Path, text: str | None) -> None:
        made = Edit(path="etc/conda/activate.d/tfsetup.sh", reason="r", text="as made\n")
        if text is not None:
            install(env, {made.path: text})
        _, findings = run(case(env, receipt=receipt(env, edits=(made,))), *conda_state.CHECKS)
        assert [(item.kind, item.path, item.target) for item in findings[0].repairs] == [("write", f"{env}/{made.path}", "as made\n")]

    def test_one_that_was_moved(self, env: Path) -> None:
        known = receipt(env)
        known = dataclasses.replace(known, plan=dataclasses.replace(known.plan, env=dataclasses.replace(known.plan.env, path="/old")))
        _, findings = run(case(env, receipt=known), *conda_state.CHECKS)
        assert [(item.cause, item.severity) for item in findings] == [("wrong-environment", "warning")]
