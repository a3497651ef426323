"""C and C++ libraries: real ELF files that ask for more than there is, compiled here; the words of the loader."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest

from provisioner.diagnose.checks.clibrary import CHECKS
from provisioner.model.facts import Libc, known
from tests.diagnose import cases
from tests.facts.test_elf_links import COMPILER, compile_library, needs_compiler, versioned

TLS = "ImportError: /opt/env/lib/python3.8/site-packages/sklearn/libgomp-d22c30c5.so.1.0.0: cannot allocate memory in static TLS block\n"


def found(case):
    said, findings = cases.run(case, *CHECKS)
    return said, {finding.cause: finding for finding in findings}


def tensorflow(env: Path, *libraries: Path, code: str) -> Path:
    """An environment whose TensorFlow is linked with these libraries."""
    package = env / "lib/python3.11/site-packages/tensorflow"
    (env / "lib/python3.11/site-packages/tensorflow-2.15.1.dist-info").mkdir(parents=True)
    return compile_library(
        package / "libtensorflow_framework.so.2", code, *map(str, libraries), "-Wl,--enable-new-dtags,-rpath,$ORIGIN/:$ORIGIN/../none"
    )


CXX = "int glibcxx_3_4_21(void); int cxxabi_1_3_9(void); int f(void) { return glibcxx_3_4_21() + cxxabi_1_3_9(); }"


@needs_compiler
def test_an_old_libstdcxx_that_library_path_puts_first(tmp_path: Path) -> None:
    new = versioned(tmp_path / "new", "GLIBCXX_3.4.21", "CXXABI_1.3.9")
    old = versioned(tmp_path / "old", "GLIBCXX_3.4.11", "CXXABI_1.3.9")
    path = tensorflow(tmp_path / "env", new, code=CXX)
    variables = {"LD_LIBRARY_PATH": f"{old.parent}:/opt/other"}
    _, findings = found(cases.on_disk(tmp_path / "env", "2.15.1", variables=variables))
    finding = findings["libstdcxx-too-old"]
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert [evidence.where for evidence in finding.evidence] == [str(old), str(path)]
    assert "GLIBCXX_3.4.21" in finding.evidence[0].seen
    assert "CXXABI" not in finding.evidence[0].seen
    assert finding.remedy.steps == ("export LD_LIBRARY_PATH=/opt/other",)


@needs_compiler
def test_a_preloaded_libstdcxx_comes_before_all_others(tmp_path: Path) -> None:
    new = versioned(tmp_path / "new", "GLIBCXX_3.4.21", "CXXABI_1.3.9")
    old = versioned(tmp_path / "old", "GLIBCXX_3.4.11")
    tensorflow(tmp_path / "env", new, code=CXX)
    variables = {"LD_LIBRARY_PATH": str(new.parent), "LD_PRELOAD": f"libc.so.6 {old}"}
    _, findings = found(cases.on_disk(tmp_path / "env", "2.15.1", variables=variables))
    assert findings["libstdcxx-too-old"].remedy.steps == ("unset LD_PRELOAD",)
    said, findings = found(cases.on_disk(tmp_path / "env", "2.15.1", variables={"LD_LIBRARY_PATH": str(new.parent)}))
    assert {cause: finding.severity for cause, finding in findings.items()} == {"environment-leak": "info"}
    assert "LD_LIBRARY_PATH" in said["cxx-library"]


@needs_compiler
def test_a_libstdcxx_that_is_nowhere_is_not_judged(tmp_path: Path) -> None:
    new = versioned(tmp_path / "new", "GLIBCXX_3.4.21", "CXXABI_1.3.9", soname="libstdc++.so.6")
    path = tensorflow(tmp_path / "env", new, code=CXX)
    data = path.read_bytes()
    assert data.count(b"libstdc++.so.6\0") == 1
    path.write_bytes(data.replace(b"libstdc++.so.6\0", b"libstdX+.so.6\0"))
    said, findings = found(cases.on_disk(tmp_path / "env", "2.15.1"))
    assert said["cxx-library"].startswith("could not tell")
    assert not findings


@needs_compiler
def test_a_glibc_that_lacks_what_the_libraries_ask_for(tmp_path: Path) -> None:
    fake = versioned(tmp_path / "libc", "GLIBC_9.99", soname="libc_of_tomorrow.so.6")
    path = tensorflow(tmp_path / "env", fake, code="int glibc_9_99(void); int f(void) { return glibc_9_99(); }")
    _, findings = found(cases.on_disk(tmp_path / "env", "2.15.1"))
    finding = findings["glibc-too-old"]
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert "GLIBC_9.99" in finding.evidence[0].seen
    assert finding.evidence[0].where == str(path)
    assert finding.remedy.steps[0].startswith("tfsetup apply --tensorflow")


def program(path: Path, *options: str) -> Path:
    """An interpreter's stand-in."""
    assert COMPILER
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "main.c").write_text("int main(void) { return 0; }")
    subprocess.run([COMPILER, "-o", path, path.parent / "main.c", "-Wl,--no-as-needed", *options], check=True)
    return path


@needs_compiler
def test_an_interpreter_for_musl(tmp_path: Path) -> None:
    program(tmp_path / "env/bin/python", "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1")
    _, findings = found(cases.on_disk(tmp_path / "env", "2.15.1"))
    assert findings["platform-unsupported"].evidence[0].where == "/lib/ld-musl-x86_64.so.1"


@needs_compiler
def test_the_glibc_beside_the_interpreters_own_loader_counts(tmp_path: Path) -> None:
    program(tmp_path / "env/bin/python")
    case = cases.on_disk(tmp_path / "env", "2.15.1", machine="alpine")
    said, findings = found(case)
    assert said["c-library"].startswith("glibc 2.")
    assert "libc.so.6" in said["c-library"]
    assert not findings


@needs_compiler
def test_an_interpreter_that_brings_an_old_libstdcxx(tmp_path: Path) -> None:
    """As conda's Pythons do: RPATH of the program, and loaded before TensorFlow."""
    new = versioned(tmp_path / "new", "GLIBCXX_3.4.21", "CXXABI_1.3.9")
    old = versioned(tmp_path / "env/lib", "GLIBCXX_3.4.11", "CXXABI_1.3.9")
    tensorflow(tmp_path / "env", new, code=CXX)
    program(tmp_path / "env/bin/python", str(old), "-Wl,--disable-new-dtags,-rpath,$ORIGIN/../lib")
    _, findings = found(cases.on_disk(tmp_path / "env", "2.15.1"))
    assert findings["libstdcxx-too-old"].evidence[0].where == str(old)
    assert "conda install" in findings["libstdcxx-too-old"].remedy.steps[0]


@needs_compiler
def test_an_old_libstdcxx_of_the_system(tmp_path: Path) -> None:
    fake = versioned(tmp_path / "new", "GLIBCXX_3.4.99", soname="libstdc++.so.6")
    tensorflow(tmp_path / "env", fake, code="int glibcxx_3_4_99(void); int f(void) { return glibcxx_3_4_99(); }")
    case = cases.on_disk(tmp_path / "env", "2.15.1")
    said, findings = found(case)
    if said["cxx-library"].startswith("could not tell"):
        pytest.skip("this machine has no libstdc++")
    assert findings["libstdcxx-too-old"].remedy.steps == ()
    assert "newer system" in findings["libstdcxx-too-old"].remedy.words


def test_the_wheels_floor_counts_where_no_library_can_be_read() -> None:
    _, facts, _ = cases.host("debian-12")
    old = dataclasses.replace(facts, system=dataclasses.replace(facts.system, libc=known(Libc(kind="glibc", version="2.26"), "test")))
    assert set(found(cases.make(old, "2.21.0"))[1]) == {"glibc-too-old"}
    assert not found(cases.make(old, "2.20.0"))[1]


def test_the_loaders_words_about_thread_local_data() -> None:
    case = cases.recorded("graviton", "2.15.1", device="cpu", child=cases.child(1, err=TLS, done=False))
    _, findings = found(case)
    assert findings["static-tls"].remedy.steps == (
        "export LD_PRELOAD=/opt/env/lib/python3.8/site-packages/sklearn/libgomp-d22c30c5.so.1.0.0",
    )


@pytest.mark.parametrize("err", ["", "ImportError: libx.so: cannot open shared object file"])
def test_other_words_are_not_about_thread_local_data(err: str) -> None:
    assert not found(cases.recorded("graviton", "2.15.1", device="cpu", child=cases.child(1, err=err, done=False)))[1]


BROKEN = "ImportError: {path}: version `GLIBC_9.9' not found (required by /env/x.so)"


@needs_compiler
def test_a_library_that_library_path_brings_in(tmp_path: Path) -> None:
    outer = compile_library(tmp_path / "outer/libz.so.1", "int g(void) { return 1; }", "-Wl,-soname,libz.so.1")
    tensorflow(tmp_path / "env", outer, code="int g(void); int f(void) { return g(); }")
    variables = {"LD_LIBRARY_PATH": f"{outer.parent}:/opt/other"}
    case = cases.on_disk(tmp_path / "env", "2.15.1", variables=variables)
    _, findings = found(case)
    assert (findings["environment-leak"].severity, findings["environment-leak"].evidence[0].where) == ("info", str(outer))
    broken = dataclasses.replace(case, child=cases.child(1, err=BROKEN.format(path=outer), done=False))
    _, findings = found(broken)
    assert (findings["environment-leak"].severity, findings["environment-leak"].confidence) == ("error", "likely")
    assert findings["environment-leak"].remedy.steps == ("export LD_LIBRARY_PATH=/opt/other",)
    elsewhere = dataclasses.replace(case, child=cases.child(1, err=BROKEN.format(path="/usr/lib/libz.so.1"), done=False))
    assert found(elsewhere)[1]["environment-leak"].severity == "info"


def test_a_preloaded_library_that_does_not_fit() -> None:
    reader = cases.environment(cuda=False, env={"LD_PRELOAD": "/opt/x/libjemalloc.so.2 libm.so.6"})
    case = cases.recorded("debian-12", "2.15.1", device="cpu", reader=reader)
    assert not found(case)[1]
    case = dataclasses.replace(case, child=cases.child(1, err=BROKEN.format(path="/opt/x/libjemalloc.so.2"), done=False))
    assert found(case)[1]["environment-leak"].remedy.steps == ("unset LD_PRELOAD",)
