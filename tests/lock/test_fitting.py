"""Which target of a lock fits a machine: by its facts alone, with the real catalogue and recorded machines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.catalogue import Catalogue
from provisioner.errors import InputError, NoProfileError, UsageError
from provisioner.lock.fitting import fit, set_of
from provisioner.model.facts import Facts, Libc, known
from provisioner.model.request import Request
from provisioner.model.team import LockedConda, LockedTarget, Needs, Target, TeamFile, TeamLock
from tests.choose.test_hosts import load
from tests.choose.values import HOSTS, NEW_ENV, a_gpu, machine, python, pythons, shipped_catalogue, with_driver, with_system

RELEASE = "2.20.0"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return shipped_catalogue()


def locked(name: str, platform: str = "linux-x86_64", device: str = "cpu", minor: str = "3.11", **needs: object) -> LockedTarget:
    return LockedTarget(
        target=Target(name=name, platform=platform, device=device, python=minor),
        release=RELEASE,
        profile="0",
        proof="",
        needs=Needs(platform=platform, python=minor, **needs),
        files=(TeamFile(name="six", version="1.0", filename="six-1.0-py3-none-any.whl", sha256="0" * 64),),
    )


GPU = locked("gpu", device="cuda", driver="525.60.13")
CI = locked("ci")
LAPTOP = locked("laptop", "macos-aarch64")
DESKTOP = locked("desktop", "windows-x86_64")


def lock(*targets: LockedTarget) -> TeamLock:
    return TeamLock(tool="0", engine="uv", cutoff="2026-01-01", catalogue="", inputs=(), targets=targets)


TEAM = lock(GPU, CI, LAPTOP, DESKTOP)


def here(**changes: object) -> Facts:
    return machine(interpreters=pythons(python("3.11.7")), **changes)


def with_gpu(driver: str) -> Facts:
    facts = here(gpus=known((a_gpu(),), "test"))
    return with_driver(facts, release=known(driver, "test"))


def taken(facts: Facts, catalogue: Catalogue, team: TeamLock = TEAM, *, name: str = "", **request: object) -> str:
    return fit(facts, Request(env=NEW_ENV.path, **request), catalogue, NEW_ENV, team, name=name).locked.target.name


def refused(facts: Facts, catalogue: Catalogue, team: TeamLock = TEAM, *, name: str = "", **request: object) -> NoProfileError:
    with pytest.raises(NoProfileError) as caught:
        taken(facts, catalogue, team, name=name, **request)
    return caught.value


def test_a_machine_gets_its_own_target(catalogue: Catalogue) -> None:
    assert taken(here(), catalogue) == "ci"
    assert taken(with_gpu("550.54.14"), catalogue) == "gpu"
    assert taken(with_gpu("550.54.14"), catalogue, device="cpu") == "ci"
    assert taken(with_gpu("550.54.14"), catalogue, name="ci") == "ci"
    # A machine that gets its GPU later, such as an image that is built.
    assert taken(here(), catalogue, device="cuda") == "gpu"


def test_a_recorded_mac_gets_the_mac_s(catalogue: Catalogue) -> None:
    facts = replace(load(HOSTS / "apple-m2.json")[2], interpreters=pythons(python("3.11.7", architecture="aarch64")))
    assert taken(facts, catalogue) == "laptop"


def test_a_gpu_that_cannot_be_used_is_not_passed_over_in_silence(catalogue: Catalogue) -> None:
    error = refused(with_gpu("470.82.01"), catalogue)
    assert error.cause == "driver-too-old"
    assert any(line.startswith("gpu: ") and "525.60.13" in line for line in error.refusals)
    assert any(line.startswith("ci: ") and "--device cpu" in line for line in error.refusals)
    assert taken(with_gpu("470.82.01"), catalogue, device="cpu") == "ci"


def test_without_a_target_for_the_gpu_the_cpu_s_is_what_the_team_wants(catalogue: Catalogue) -> None:
    assert taken(with_gpu("470.82.01"), catalogue, lock(CI, LAPTOP)) == "ci"


def test_what_is_not_met_is_said_for_each_target(catalogue: Catalogue) -> None:
    old = with_system(here(), libc=known(Libc(kind="glibc", version="2.27"), "test"))
    error = refused(old, catalogue, lock(locked("ci", glibc="2.28"), GPU, LAPTOP))
    assert error.exit_code == 12
    assert error.cause == "glibc-too-old"
    assert error.refusals[0] == "ci: needs glibc 2.28 or newer, and this system has 2.27 [glibc-too-old]"
    assert "none answers here" in error.refusals[1]
    assert error.refusals[2].startswith("laptop: is for macOS on aarch64, and this machine is Linux")


def test_a_python_that_is_not_there_is_said(catalogue: Catalogue) -> None:
    facts = machine(interpreters=pythons(python("3.12.1")))
    assert refused(facts, catalogue).cause == "python-unsupported"
    assert "`--python 3.12` was asked for" in " ".join(refused(here(), catalogue, python="3.12").refusals)


def test_of_two_pythons_the_one_that_is_there(catalogue: Catalogue) -> None:
    both = lock(locked("new", minor="3.12"), locked("old", minor="3.11"))
    assert taken(here(), catalogue, both) == "old"
    found = fit(machine(interpreters=pythons(python("3.11.7"), python("3.12.1"))), Request(env=NEW_ENV.path), catalogue, NEW_ENV, both)
    assert found.locked.target.name == "new"
    assert found.choice.reasons[1] == "old would fit, too: `--target` names another"


def test_a_target_that_is_not_in_the_lock_is_a_wrong_option(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match="no such target"):
        taken(here(), catalogue, name="server")
    assert "does not fit this machine" in refused(here(), catalogue, name="laptop").message


def test_a_release_that_the_catalogue_does_not_know_is_refused(catalogue: Catalogue) -> None:
    assert refused(here(), catalogue, lock(replace(CI, release="9.9.0"))).refusals


@pytest.mark.parametrize(
    ("field", "value"), [("name", "six --index-url x"), ("version", "1.0\n--pre"), ("sha256", "0"), ("filename", "../x.whl")]
)
def test_a_lock_cannot_smuggle_options_to_the_installer(field: str, value: str) -> None:
    bad = replace(CI, files=(replace(CI.files[0], **{field: value}),))
    with pytest.raises(InputError) as caught:
        set_of(bad, None, "/team")
    assert caught.value.faults[0].startswith(f"ci: {field} cannot be")


def test_the_set_is_exactly_the_lock_s_files() -> None:
    chosen = set_of(CI, None, "/team")
    assert [(file.name, file.version, file.sha256) for file in chosen.files] == [("six", "1.0", "0" * 64)]
    assert set_of(replace(CI, profile="1"), None, "/team").digest != chosen.digest


@pytest.mark.parametrize(("spec", "fits"), [("__glibc ~=2.17", True), ("__glibc (>=3,<4)|~=2.17", True), ("__glibc ~=2.99", False)])
def test_what_conda_packages_ask_of_the_machine(spec: str, fits: bool, catalogue: Catalogue) -> None:
    target = locked("conda", virtual=(spec,))
    target = replace(target, conda=LockedConda(specs=(), virtual=(), channels=(), packages=()))
    facts = here()
    facts = with_system(facts, libc=known(Libc(kind="glibc", version="2.35"), "test"))
    if fits:
        assert taken(facts, catalogue, lock(target)) == "conda"
    else:
        assert refused(facts, catalogue, lock(target)).refusals == (
            f"conda: has conda packages that need {spec}, and here is __glibc 2.35",
        )
