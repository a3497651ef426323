"""The order of findings: what is graver, surer and nearer to the root comes first; what follows is folded under it."""

from __future__ import annotations

from provisioner.diagnose.rank import once, ranked
from provisioner.model.finding import Evidence, Finding, Remedy, Repair
from tests.choose.values import shipped_order

ORDER = shipped_order()
RESTORE = Repair(kind="restore", reason="why", name="numpy", version="1.26.4")


def finding(cause, severity="error", confidence="likely", *, repairs=(), explains=()):
    evidence = (Evidence(seen=f"{cause} was seen", where=""),)
    return Finding(
        cause=cause,
        severity=severity,
        confidence=confidence,
        title=cause,
        evidence=evidence,
        remedy=Remedy(words=""),
        repairs=repairs,
        explains=explains,
    )


def causes(findings):
    return [(item.cause, [symptom.cause for symptom in item.symptoms]) for item in findings]


def test_graver_before_surer_before_nearer_to_the_root():
    given = [finding("disk-full", "warning"), finding("numpy-incompatible", confidence="possible"), finding("gpu-memory")]
    assert [cause for cause, _ in causes(ranked(given, ORDER))] == ["gpu-memory", "numpy-incompatible", "disk-full"]


def test_a_symptom_is_folded_under_its_cause():
    given = [finding("install-corrupt"), finding("conflicting-tf-packages")]
    assert causes(ranked(given, ORDER)) == [("conflicting-tf-packages", ["install-corrupt"])]


def test_a_graver_finding_is_no_symptom_of_a_lesser_one():
    given = [finding("install-corrupt"), finding("conflicting-tf-packages", "warning")]
    assert causes(ranked(given, ORDER)) == [("install-corrupt", []), ("conflicting-tf-packages", [])]


def test_what_nobody_could_name_follows_from_any_error_that_was_seen():
    given = [finding("unknown", confidence="possible"), finding("module-shadowed")]
    assert causes(ranked(given, ORDER)) == [("module-shadowed", ["unknown"])]


def test_what_a_finding_explains_is_its_symptom_but_for_what_can_be_mended_by_itself():
    """A NumPy that PYTHONPATH brings in is one error, not two; one of the environment's own is mended for itself."""
    leak = finding("environment-leak", confidence="certain", explains=("numpy-incompatible",))
    traced = frozenset()
    given = [leak, finding("numpy-incompatible", confidence="certain"), finding("protobuf-incompatible")]
    assert causes(ranked(given, ORDER, traced=traced)) == [("environment-leak", ["numpy-incompatible"]), ("protobuf-incompatible", [])]
    given = [leak, finding("numpy-incompatible", confidence="certain", repairs=(RESTORE,))]
    assert causes(ranked(given, ORDER, traced=traced)) == [("environment-leak", []), ("numpy-incompatible", [])]


def test_the_words_of_a_failed_import_give_way_to_what_files_tell():
    given = [finding("conflicting-tf-packages", confidence="certain"), finding("install-corrupt", confidence="certain")]
    traced = frozenset({"conflicting-tf-packages"})
    assert causes(ranked(given, ORDER, traced=traced)) == [("install-corrupt", ["conflicting-tf-packages"])]


def test_what_files_tell_does_not_follow_from_mere_words():
    given = [finding("conflicting-tf-packages", confidence="possible"), finding("install-corrupt", confidence="certain")]
    traced = frozenset({"conflicting-tf-packages"})
    assert causes(ranked(given, ORDER, traced=traced)) == [("install-corrupt", ["conflicting-tf-packages"])]


def test_the_words_of_a_failed_import_stay_where_no_check_could_have_seen_it():
    given = [finding("cpu-no-avx", confidence="certain"), finding("numpy-incompatible")]
    assert len(ranked(given, ORDER, traced=frozenset({"cpu-no-avx"}))) == 2


def test_a_root_without_repair_takes_over_those_of_its_symptoms():
    (root,) = ranked([finding("disk-full", repairs=()), finding("install-corrupt", repairs=(RESTORE,))], ORDER)
    assert (root.cause, root.repairs) == ("disk-full", (RESTORE,))
    assert [item.repairs for item in root.symptoms] == [(RESTORE,)]


def test_under_a_warning_nothing_is_hidden_that_can_be_mended():
    """That two packages of one's own write one file, explains nothing of an h5py that does not fit."""
    given = [finding("install-corrupt", "warning"), finding("dependency-incompatible", "warning", repairs=(RESTORE,))]
    assert causes(ranked(given, ORDER)) == [("install-corrupt", []), ("dependency-incompatible", [])]
    given = [finding("install-corrupt", "warning"), finding("dependency-incompatible", "warning")]
    assert causes(ranked(given, ORDER)) == [("install-corrupt", ["dependency-incompatible"])]


def test_each_change_once():
    other = Repair(kind="restore", reason="another reason", name="numpy", version="1.26.4")
    assert once([RESTORE, other]) == (RESTORE,)
