"""Packages beside TensorFlow: which of them a message is about, and whether it is a fault."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.causes.grades import ALLOWS, GUESSES, HINTS, PROVES, TELLS
from provisioner.explain.context import numbers
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict, plain, says
from provisioner.remedies.names import own_module


def numpy_binary(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """``size changed`` is a warning until it says so as an error; then it is a fault for sure."""
    warning = all("RuntimeWarning" in hit.seen for hit in hits)
    yield says(hits[0], "numpy-incompatible", grade=HINTS if warning else PROVES)
    del case


def numpy_name(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A removed name; asked by the user's own file it is the user's program as well."""
    hit = hits[0]
    before = case.log.text[max(0, hit.offset - 500) : hit.offset]
    files = re.findall(r"File \"([^\"\n]+)\"", before)
    yield plain(hit)
    if files and not re.search(r"site-packages|dist-packages", files[-1]):
        yield says(hit, "user-code", "possible", grade=ALLOWS)


def symbolic(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """Most often NumPy 1.20 under an older TensorFlow; a program can do it, too."""
    yield plain(hits[0])
    yield says(hits[0], "user-code", "possible", grade=ALLOWS)


def node(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """The binding of tfjs-node: built for another Node.js, of another processor, or not there."""
    words = " ".join(hit.seen for hit in hits)
    if re.search(r"NODE_MODULE_VERSION|different Node\.js version", words + _case.log.text):
        yield says(hits[0], "extension-abi-mismatch", grade=PROVES, why="it was made for another Node.js")
    elif re.search(r"not a valid Win32|invalid ELF|incompatible architecture|wrong architecture", _case.log.text):
        yield says(hits[0], "wrong-arch-binary", grade=PROVES)
    else:
        yield plain(hits[0])


def numpy_future(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """The warning that stands before the error of NumPy 1.24: where the error is cut off and something failed, it was that."""
    others = any(hit.message.kind == "fault" and hit.message.grade > GUESSES for hit in case.hits)
    if case.has("traceback") and not others:
        yield says(hits[0], "numpy-incompatible", "likely", grade=HINTS)


def numpy_import(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """NumPy does not import at all."""
    hit = hits[0]
    if "No module named" in hit.seen:
        yield says(hit, "numpy-incompatible", "possible", grade=HINTS)
        yield says(hit, "dependency-incompatible", "likely", grade=ALLOWS)
    else:
        yield plain(hit)
        yield says(hit, "install-corrupt", "possible", grade=GUESSES)
        grade = HINTS if "source directory" in case.log.text else GUESSES
        yield says(hit, "environment-leak", "possible", grade=grade, why="NumPy of another Python says so, where a path brings it in")


def keras_module(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """No module keras: another generation; ``tensorflow.keras`` of a TensorFlow that is not whole is damage."""
    hit = hits[0]
    yield plain(hit)
    if "tensorflow." in hit.seen:
        yield says(hit, "install-corrupt", "possible", grade=ALLOWS)
        yield says(hit, "tf-not-installed", "possible", grade=GUESSES)
    else:
        yield says(hit, "dependency-incompatible", "possible", grade=ALLOWS)
    del case


def decode(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Where a model or its weights are loaded it is h5py 3; anywhere else it may be any program."""
    loading = re.search(r"h5|hdf5|keras|load_(model|weights)|weights", case.log.text, re.IGNORECASE)
    if loading:
        yield plain(hits[0])
    else:
        yield says(hits[0], "dependency-incompatible", "possible", grade=ALLOWS)
        yield says(hits[0], "user-code", "possible", grade=ALLOWS)


def dependency(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A package that is not there: a dependency of TensorFlow, or something the user's own program wants."""
    hit = hits[0]
    yield plain(hit)
    before = case.log.text[max(0, hit.offset - 500) : hit.offset]
    if not re.search(r"(site|dist)-packages", before):
        yield says(hit, "wrong-environment", "possible", grade=ALLOWS)
        yield says(hit, "user-code", "possible", grade=GUESSES)


def stdlib(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A module that Python dropped: the Python is too new for what is installed."""
    hit = hits[0]
    name = "dependency-incompatible" if re.search(r"collections|inspect|pkgutil|importlib|NewBase", hit.seen) else "python-unsupported"
    yield says(hit, name, grade=TELLS)
    yield says(hit, "python-unsupported" if name == "dependency-incompatible" else "dependency-incompatible", "likely", grade=HINTS)
    del case


def addon_version(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """An add-on's own check; TensorFlow Addons only warns."""
    hit = hits[0]
    if "supports using Python ops" in hit.seen or "versions of TensorFlow you are currently using" in hit.seen:
        yield says(hit, "extension-abi-mismatch", "possible", grade=ALLOWS)
        return
    if re.search(r"keras", hit.seen, re.IGNORECASE):
        yield says(hit, "keras-incompatible", grade=HINTS)
    # These have no compiled part, so that nothing of theirs was made for a TensorFlow in particular.
    names = r"probability|hub|datasets|agents|transformers|keras|tfx|metadata|estimator|slim|graphics|federated|privacy"
    pure = re.search(names, hit.seen, re.IGNORECASE)
    first, second = ("dependency-incompatible", "extension-abi-mismatch") if pure else ("extension-abi-mismatch", "dependency-incompatible")
    yield says(hit, first, grade=HINTS)
    yield says(hit, second, "likely", grade=ALLOWS)
    del case


def permission(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Not every file that may not be read is of the installation: devices of NVIDIA have a cause of their own."""
    hit = hits[0]
    if "/dev/nvidia" in hit.seen:
        yield says(hit, "gpu-not-visible", grade=PROVES)
    else:
        yield plain(hit)
    del case


def uninstall(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Another installer's package stands in the way."""
    yield plain(hits[0])
    yield says(hits[0], "dependency-incompatible", "possible", grade=ALLOWS)
    del case


def operation(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A compiled operation did not load; the words after it say more, and where there are none the add-on is all that is known."""
    more = any(hit.message.kind == "fault" and hit.message.grade > ALLOWS for hit in case.hits)
    if not more and re.search(r"NotFoundError|OSError|ImportError", case.log.text):
        yield says(hits[0], "extension-abi-mismatch", "possible", grade=ALLOWS)


def get_prototype(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """Protobuf 6 without what TensorFlow before 2.20 asks for: a fault where nothing computes, else noise; the line does not tell which."""
    yield says(hits[0], "protobuf-incompatible", "likely", grade=ALLOWS)
    yield says(hits[0], "harmless-message", "possible", grade=ALLOWS)


def unix_module(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A module that Windows never had; on the systems that have it, this Python was built without it."""
    if case.circumstances.os in {"linux", "macos"} and own_module(hits[0].seen):
        yield says(hits[0], "install-corrupt", grade=TELLS, why="on this system it belongs to Python itself, which was built without it")
        return
    yield plain(hits[0])


def keras_name(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A name of Keras that is not there; with TensorFlow 1 the name may be of a later one."""
    hit = hits[0]
    yield plain(hit)
    if numbers(case.circumstances.tensorflow)[:1] == (1,):
        yield says(hit, "tf1-code-on-tf2", "possible", grade=GUESSES)
    yield says(hit, "install-corrupt", "possible", grade=GUESSES)


JUDGEMENTS = {
    "getprototype": get_prototype,
    "numpyabi": numpy_binary,
    "numpyname": numpy_name,
    "symbolic": symbolic,
    "numpyfuture": numpy_future,
    "node": node,
    "numpyimport": numpy_import,
    "kerasmodule": keras_module,
    "kerasname": keras_name,
    "decode": decode,
    "dependency": dependency,
    "stdlib": stdlib,
    "addonversion": addon_version,
    "permission": permission,
    "uninstall": uninstall,
    "unixmodule": unix_module,
    "oplibrary": operation,
}
