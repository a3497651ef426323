"""The catalogue's answers, their order, and that it reads no more than a question needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.errors import InputError
from provisioner.host.local import LocalHost
from tests.catalogue.profiles import Recorder, as_reader, lock_text, make_profiles

ORDER = ("2.22.0rc0", "2.20.1", "2.20.0", "2.15.0.post1", "2.15.0", "2.9.0")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_profiles(
        tmp_path / "profiles",
        ("2.15", ("2.15.0", "2.15.0.post1")),
        ("2.20", ("2.20.0", "2.20.1")),
        ("2.22", ("2.22.0rc0",)),
        ("2.9", ("2.9.0",)),
    )


def opened(root: Path) -> tuple[Catalogue, Recorder]:
    recorder = Recorder()
    return Catalogue.open(as_reader(recorder), str(root)), recorder


def test_versions_are_newest_first_and_cost_no_reading(root: Path) -> None:
    catalogue, recorder = opened(root)
    assert catalogue.versions() == ORDER
    assert recorder.files == []


@pytest.mark.parametrize(
    ("spec", "prereleases", "expected"),
    [
        ("", False, ORDER[1:]),
        ("", True, ORDER),
        ("==2.15.*", False, ("2.15.0.post1", "2.15.0")),
        ("==2.15.0", False, ("2.15.0",)),
        (">=2.10,<2.20.1", False, ("2.20.0", "2.15.0.post1", "2.15.0")),
        ("<=2.9", False, ("2.9.0",)),
        ("==2.22.0rc0", False, ("2.22.0rc0",)),
        (">=2.20.1", False, ("2.20.1",)),
        (">=2.20.1", True, ("2.22.0rc0", "2.20.1")),
        ("~=2.20.0", False, ("2.20.1", "2.20.0")),
        ("==3.*", False, ()),
    ],
)
def test_releases_match_the_specifier(root: Path, spec: str, prereleases: bool, expected: tuple[str, ...]) -> None:
    catalogue, _ = opened(root)
    assert tuple(release.version for release in catalogue.releases(spec, prereleases=prereleases)) == expected


def test_a_text_that_is_no_specifier_is_refused(root: Path) -> None:
    catalogue, _ = opened(root)
    with pytest.raises(InputError, match="not a version specifier"):
        next(catalogue.releases("newest"))


def test_a_minor_is_read_when_it_is_reached(root: Path) -> None:
    catalogue, recorder = opened(root)
    releases = catalogue.releases()
    next(releases)
    assert [os.path.basename(path) for path in recorder.files] == ["2.20.yaml"]
    next(releases)
    assert len(recorder.files) == 1
    next(releases)
    assert [os.path.basename(path) for path in recorder.files] == ["2.20.yaml", "2.15.yaml"]


@pytest.mark.parametrize("others", [0, 30])
def test_ten_times_as_many_profiles_are_not_read(tmp_path: Path, others: int) -> None:
    minors = [(f"1.{number}", (f"1.{number}.0",)) for number in range(others)]
    catalogue, recorder = opened(make_profiles(tmp_path / "p", ("2.20", ("2.20.0",)), *minors))
    release = next(catalogue.releases())
    catalogue.lock(release.version, "3.11", "linux-x86_64", "cpu")
    assert [os.path.basename(path) for path in recorder.files] == ["2.20.yaml", "2.20.0.lock"]


def test_a_lock_is_read_once_for_all_its_sets(root: Path) -> None:
    catalogue, recorder = opened(root)
    for python, device in catalogue.locks("2.20.0", "linux-x86_64"):
        lock = catalogue.lock("2.20.0", python, "linux-x86_64", device)
        assert lock is not None
        assert (lock.release, lock.python, lock.platform, lock.device) == ("2.20.0", python, "linux-x86_64", device)
    assert [os.path.basename(path) for path in recorder.files] == ["2.20.0.lock", "2.20.yaml"]


def test_what_is_not_there_is_none(root: Path) -> None:
    catalogue, _ = opened(root)
    assert catalogue.release("2.14.0") is None
    assert catalogue.release("no version") is None
    assert catalogue.locks("2.14.0", "linux-x86_64") == ()
    assert catalogue.locks("2.20.0", "macos-arm64") == ()
    assert catalogue.lock("2.20.0", "3.8", "linux-x86_64", "cpu") is None
    assert catalogue.platforms() == ("linux-x86_64",)


def test_a_lock_without_a_proof_is_resolved_only(root: Path) -> None:
    catalogue, _ = opened(root)
    lock = catalogue.lock("2.20.0", "3.11", "linux-x86_64", "cpu")
    assert lock is not None
    assert catalogue.proof(lock).level == "resolved"
    proof = f'{{"lock": "{lock.digest}", "level": "run", "date": "2024-02-01", "machine": "a machine", "checks": 12}}'
    (root / "proofs.json").write_text(f'{{"schema": "tfsetup/proofs/1", "proofs": [{proof}]}}')
    proven = opened(root)[0]
    assert (proven.proof(lock).level, proven.proof(lock).checks) == ("run", 12)
    other = proven.lock("2.20.0", "3.10", "linux-x86_64", "cpu")
    assert other is not None
    assert proven.proof(other).level == "resolved"


def test_digest_is_over_what_was_read(root: Path) -> None:
    def ask(folder: Path) -> str:
        catalogue, _ = opened(folder)
        next(catalogue.releases())
        return catalogue.digest

    first = ask(root)
    assert ask(root) == first
    other = root / "releases" / "2.15.yaml"
    other.write_text(other.read_text() + "# a remark\n")
    assert ask(root) == first, "a file that was not read does not count"
    chosen = root / "releases" / "2.20.yaml"
    chosen.write_text(chosen.read_text() + "# a remark\n")
    assert ask(root) != first


class TestStored:
    """What was parsed is kept, and used only while it is right."""

    def ask(self, root: Path, folder: Path) -> tuple[Catalogue, Recorder]:
        recorder = Recorder()
        catalogue = Catalogue.open(recorder, str(root), cache=recorder, cache_dir=str(folder))
        assert next(catalogue.releases()).version == "2.20.1"
        return catalogue, recorder

    def test_the_second_time_reads_no_yaml_and_answers_the_same(self, root: Path, tmp_path: Path) -> None:
        first, _ = self.ask(root, tmp_path / "cache" / "deep")
        second, recorder = self.ask(root, tmp_path / "cache" / "deep")
        assert not any(path.endswith(".yaml") for path in recorder.files)
        assert second.release("2.20.1") == first.release("2.20.1")
        assert second.digest == first.digest

    def test_a_changed_file_is_read_again(self, root: Path, tmp_path: Path) -> None:
        self.ask(root, tmp_path)
        path = root / "releases" / "2.20.yaml"
        path.write_text(path.read_text().replace('cudnn: "9.3"', 'cudnn: "9.9"'))
        os.utime(path, ns=(1, 1))
        catalogue, _ = self.ask(root, tmp_path)
        release = catalogue.release("2.20.1")
        assert release is not None
        assert release.builds[0].cuda is not None
        assert release.builds[0].cuda.cudnn == "9.9"

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"key": 1}', b"\xff", b"[" * 100_000])
    def test_a_spoilt_entry_is_no_error(self, root: Path, tmp_path: Path, content: bytes) -> None:
        self.ask(root, tmp_path)
        (entry,) = tmp_path.glob("*.json")
        good = entry.read_bytes()
        entry.write_bytes(content)
        _, recorder = self.ask(root, tmp_path)
        assert any(path.endswith("2.20.yaml") for path in recorder.files)
        assert entry.read_bytes() == good

    def test_a_cache_that_cannot_be_written_is_no_error(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        first, _ = self.ask(root, tmp_path / "file" / "cache")
        second, recorder = self.ask(root, tmp_path / "file" / "cache")
        assert any(path.endswith("2.20.yaml") for path in recorder.files), "nothing was kept"
        assert second.release("2.20.1") == first.release("2.20.1")

    def test_two_folders_share_a_cache(self, root: Path, tmp_path: Path) -> None:
        other = make_profiles(tmp_path / "other", ("2.20", ("2.20.1",)))
        self.ask(root, tmp_path / "cache")
        self.ask(other, tmp_path / "cache")
        _, recorder = self.ask(root, tmp_path / "cache")
        assert not any(path.endswith(".yaml") for path in recorder.files)


class TestFaults:
    """A folder that is not right is refused in words, when the question needs what is wrong."""

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no profiles are there"):
            opened(tmp_path)[0].versions()

    def test_a_lock_whose_name_is_no_version(self, root: Path) -> None:
        (root / "locks" / "linux-x86_64" / "latest.lock").write_text("")
        with pytest.raises(InputError, match="not a catalogue") as caught:
            opened(root)[0].versions()
        assert caught.value.faults == ("latest.lock: expected the name of a version",)

    def test_a_lock_under_another_name(self, root: Path) -> None:
        (root / "locks" / "linux-x86_64" / "2.20.0.lock").write_text(lock_text("2.20.1"))
        with pytest.raises(InputError, match="is not the lock that its name says"):
            opened(root)[0].locks("2.20.0", "linux-x86_64")

    def test_a_lock_of_a_release_that_has_no_profile(self, root: Path) -> None:
        (root / "locks" / "linux-x86_64" / "2.20.7.lock").write_text(lock_text("2.20.7"))
        with pytest.raises(InputError, match=r"2\.20\.7"):
            next(opened(root)[0].releases())

    def test_a_minor_that_is_missing(self, root: Path) -> None:
        (root / "releases" / "2.20.yaml").unlink()
        with pytest.raises(InputError) as caught:
            next(opened(root)[0].releases())
        assert caught.value.place.endswith("releases/2.20.yaml")

    def test_a_file_that_is_no_text(self, root: Path) -> None:
        (root / "releases" / "2.20.yaml").write_bytes(b"\xff\xfe")
        with pytest.raises(InputError):
            next(opened(root)[0].releases())

    @pytest.mark.parametrize("text", ["{", "[]", '{"schema": "tfsetup/proofs/1", "proofs": [{"lock": 1}]}'])
    def test_proofs_that_cannot_be_read(self, root: Path, text: str) -> None:
        (root / "proofs.json").write_text(text)
        catalogue, _ = opened(root)
        lock = catalogue.lock("2.20.0", "3.11", "linux-x86_64", "cpu")
        assert lock is not None
        with pytest.raises(InputError) as caught:
            catalogue.proof(lock)
        assert caught.value.place.endswith("proofs.json")


def test_the_profiles_that_belong_to_this_code_are_found() -> None:
    assert (Path(find_profiles()) / "releases").is_dir()


def test_a_warm_question_imports_neither_yaml_nor_packaging(tmp_path: Path) -> None:
    """The price of `plan`: those two modules cost 20 to 40 ms."""
    script = (
        "import sys\n"
        "from provisioner.host.local import LocalHost\n"
        "from provisioner.catalogue import Catalogue, find_profiles\n"
        "host = LocalHost()\n"
        "catalogue = Catalogue.open(host, find_profiles(), cache=host, cache_dir=sys.argv[1])\n"
        "release = next(catalogue.releases())\n"
        "assert catalogue.lock(release.version, release.builds[0].pythons[-1], 'linux-x86_64', 'cpu')\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'yaml', 'packaging'}))\n"
    )
    answers = [
        subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert answers == ["['yaml']", "[]"]


def test_wheels_that_contradict_their_own_record_are_known_by_their_hashes() -> None:
    """TensorFlow 1.15.0's METADATA is not the one that its RECORD has a hash for."""
    known = Catalogue.open(LocalHost(), find_profiles()).published()
    found = {digest for path, _, digest in known if path == "tensorflow-1.15.0.dist-info/METADATA"}
    assert "uSdnfbBkm2Q1WVjf9-_UGmjEDGnduR9hxbG7YxgopJY" in found
    assert any(path == "torch/lib/libtorch_cpu.so" for path, _, _ in known)
