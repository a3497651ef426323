"""A name is asked of tensorflow that is not there: of TensorFlow 1, of Keras, of a later release, or of files that do not belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.causes.grades import ALLOWS, GUESSES, HINTS, PROVES, TELLS
from provisioner.explain.context import numbers
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict, plain, says

# A file of the user's own that is imported in place of the package.
_OWN_FILE = re.compile(r"File \"(?![^\"\n]*(site|dist)-packages)([^\"\n]{0,200}[\\/])?tensorflow\.py\"")
# What Keras 2.2 and 2.3 take from tensorflow.python, which later releases moved.
_FOR_KERAS = frozenset(
    {
        "DistributedDatasetInterface",
        "_TensorLike",
        "is_dense_tensor_like",
        "_TENSOR_LIKE_TYPES",
        "_is_symbolic_tensor",
        "keras_export",
        "_get_graph_from_inputs",
    }
)
# The public interface of TensorFlow 2 names itself so; contrib and examples ended with TensorFlow 1.
_OF_TF1_MODULE = re.compile(r"_api\.v\d|summary\._tf|compat\.v2|^tensorflow\.(contrib|examples)")


def attribute(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A name that is not in tensorflow: one of TensorFlow 1, one that is always there, or one of Keras."""
    for hit in hits:
        if (
            hit.message.id == "module-attribute"
            and not re.search(r"\btf\.|tensorflow", case.log.text)
            and hit.group("name") not in case.knowledge.history.names.removed
        ):
            yield plain(hit)
        else:
            yield from _attribute(hit, case)


def _attribute(hit: Hit, case: Case) -> Iterator[Verdict]:
    module, name = hit.group("module").lower() or "tensorflow", hit.group("name")
    known = case.knowledge.history.names
    if module == "tensorflow" and _OWN_FILE.search(case.log.text):
        yield says(hit, "module-shadowed", grade=PROVES, why="a file called tensorflow.py is imported in place of TensorFlow")
    top = module in {"tensorflow", "tensorflow_core"}
    one = numbers(case.circumstances.tensorflow)[:1] in {(0,), (1,)}
    # tf.__internal__ is there for Keras alone (tensorflow/python/util/tf_export.py), and tf.compat.v2 is by what Keras asks for TensorFlow.
    of_keras = "keras" in module or "__internal__" in module or name in _FOR_KERAS or ("compat.v2" in module and name not in known.removed)
    if of_keras:
        yield from _in_order(hit, ("keras-incompatible", TELLS), ("conflicting-tf-packages", ALLOWS), ("install-corrupt", GUESSES))
    elif top and name in {"compat", "io", "__internal__"} and re.search(r"estimator|keras", case.log.text, re.IGNORECASE):
        yield says(
            hit, "keras-incompatible", grade=TELLS, why="the estimator or Keras beside TensorFlow asks for a name of another release"
        )
        yield says(hit, "install-corrupt", "possible", grade=HINTS)
    elif module == "tensorflow" and name == "estimator":
        yield says(
            hit, "keras-incompatible", grade=TELLS, why="tensorflow-estimator is missing, or TensorFlow is 2.16 or later and has none"
        )
        yield says(hit, "tf1-code-on-tf2", grade=HINTS)
    elif top and name in known.removed and _asking(hit, case) in {"keras", "tf_keras", "tensorflow_estimator", "keras_applications"}:
        yield says(hit, "keras-incompatible", grade=PROVES, why="it is Keras that asks for the name, a Keras of the time of TensorFlow 1")
        yield says(hit, "tf1-code-on-tf2", grade=TELLS)
    elif _OF_TF1_MODULE.search(module) or (
        (top or module.startswith(("tensorflow.", "tensorflow_core."))) and name in known.removed and not one
    ):
        yield says(hit, "tf1-code-on-tf2", grade=PROVES)
    elif top and one and name in known.removed and not case.circumstances.wanted:
        yield says(hit, "tf1-code-on-tf2", "possible", grade=HINTS, why="every TensorFlow 1 has that name, so it is not one that runs")
        yield from _in_order(hit, ("conflicting-tf-packages", ALLOWS), ("module-shadowed", ALLOWS), ("install-corrupt", ALLOWS), sure=False)
    elif top and name in known.always:
        yield from _empty(hit, case)
    else:
        yield from _other(hit, _asking(hit, case), module, later=name in known.later or one, top=top)


def contrib(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A part that ended with TensorFlow 1: where one runs, or another file is taken for it, the program is not what is wrong."""
    failing = re.compile(r"no module named|no attribute|cannot import|cannot be imported", re.IGNORECASE)
    hit = next((item for item in hits if failing.search(item.seen)), hits[0])
    if _OWN_FILE.search(case.log.text):
        yield says(hit, "module-shadowed", grade=PROVES, why="a file called tensorflow.py is imported in place of TensorFlow")
        yield says(hit, "install-corrupt", "possible", grade=ALLOWS)
    elif numbers(case.circumstances.tensorflow)[:1] in {(0,), (1,)} and not case.circumstances.wanted:
        why = f"TensorFlow {case.circumstances.tensorflow} still has that part"
        yield says(hit, "install-corrupt", "possible", grade=HINTS, why=why)
        yield says(hit, "module-shadowed", "possible", grade=ALLOWS)
        yield says(hit, "tf1-code-on-tf2", "possible", grade=ALLOWS)
    elif failing.search(hit.seen):
        yield plain(hit)
    else:
        # A line of a program that names it, beside whatever failed.
        yield says(hit, "tf1-code-on-tf2", "possible", grade=ALLOWS)


def _asking(hit: Hit, case: Case) -> str:
    """Return the package whose file asked for the name, "" where no frame shows it."""
    frames = re.findall(r"(?:site|dist)-packages[\\/](\w+)", case.log.text[max(0, hit.offset - 600) : hit.offset])
    return frames[-1].lower() if frames else ""


def _other(hit: Hit, asking: str, module: str, *, later: bool, top: bool) -> Iterator[Verdict]:
    """A name that says nothing by itself: who asks for it, then whose module it is, decides."""
    if asking in {"keras", "tf_keras", "tensorflow_estimator"}:
        yield from _in_order(hit, ("keras-incompatible", TELLS), ("install-corrupt", ALLOWS))
    elif asking.startswith("tensorflow_") and asking != "tensorflow_core":
        yield from _in_order(hit, ("extension-abi-mismatch", TELLS), ("dependency-incompatible", HINTS), ("install-corrupt", ALLOWS))
    elif module.startswith(("tensorflow.python", "tensorflow_core.python")):
        yield from _in_order(
            hit, ("install-corrupt", HINTS), ("conflicting-tf-packages", ALLOWS), ("keras-incompatible", ALLOWS), sure=False
        )
    elif later:
        why = "the name is of a later TensorFlow than the one that runs"
        yield says(hit, "user-code", "possible", grade=ALLOWS, why=why)
        yield from _in_order(hit, ("install-corrupt", ALLOWS), ("module-shadowed", GUESSES), sure=False)
    elif top:
        yield from _in_order(hit, ("tf1-code-on-tf2", ALLOWS), ("install-corrupt", ALLOWS), ("module-shadowed", GUESSES), sure=False)
    elif module.startswith("tensorflow_estimator"):
        yield says(hit, "keras-incompatible", grade=HINTS)
    elif module.startswith("tensorflow_"):
        yield from _in_order(hit, ("extension-abi-mismatch", ALLOWS), ("dependency-incompatible", GUESSES), sure=False)
    else:
        yield from _in_order(hit, ("install-corrupt", ALLOWS), ("dependency-incompatible", GUESSES), sure=False)


def _in_order(hit: Hit, *causes: tuple[str, int], sure: bool = True) -> Iterator[Verdict]:
    """Several causes, the first the likeliest; with ``sure`` it is likely and not only possible."""
    for number, (cause, grade) in enumerate(causes):
        yield says(hit, cause, "likely" if sure and number == 0 else "possible", grade=grade)


def _empty(hit: Hit, case: Case) -> Iterator[Verdict]:
    """The module has nothing in it: files are missing, or another file or folder called tensorflow was imported."""
    shadow = re.search(r"File \"[^\"\n]{0,200}[\\/]?tensorflow\.py\"|partially initialized", case.log.text)
    if shadow:
        yield says(hit, "module-shadowed", "likely", grade=PROVES)
        yield says(hit, "install-corrupt", "possible", grade=ALLOWS)
        return
    yield says(hit, "install-corrupt", "likely", grade=HINTS)
    yield says(hit, "module-shadowed", "possible", grade=ALLOWS)
    if hit.group("name") == "compat":
        yield says(hit, "keras-incompatible", "possible", grade=HINTS, why="tensorflow-estimator or Keras of another release leaves it so")
    yield says(hit, "conflicting-tf-packages", "possible", grade=ALLOWS)


def bare_name(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Python before 3.7 does not say from where: the line above does."""
    for hit in hits:
        before = case.log.text[max(0, hit.offset - 700) : hit.offset]
        lines = re.findall(r"from ([\w.]+) import", before)
        module = lines[-1] if lines else ""
        files = re.findall(r"(?:site|dist)-packages[\\/](\w+)", before)
        if re.match(r"tensorflow\.(python\.)?keras", module) and files and files[-1] == "tensorflow":
            yield says(
                hit,
                "conflicting-tf-packages",
                "possible",
                grade=HINTS,
                why="a part of TensorFlow asks another part for a name: they are of two releases",
            )
            yield says(hit, "install-corrupt", "possible", grade=ALLOWS)
            yield says(hit, "keras-incompatible", "possible", grade=ALLOWS)
        elif "keras" in module or (files and files[-1] in {"keras", "tensorflow_estimator", "tf_keras"}):
            yield says(hit, "keras-incompatible", grade=HINTS)
        elif "protobuf" in module:
            yield says(hit, "protobuf-incompatible", grade=TELLS)
        elif module.startswith("numpy"):
            yield says(hit, "numpy-incompatible", grade=TELLS)
        elif module.startswith(("tensorflow.contrib", "tensorflow.examples", "tensorflow.models")):
            yield says(hit, "tf1-code-on-tf2", grade=PROVES)
        elif module.startswith("tensorflow") or (files and files[-1].startswith("tensorflow")):
            yield says(hit, "install-corrupt", "possible", grade=HINTS)
            yield says(hit, "conflicting-tf-packages", "possible", grade=ALLOWS)
            yield says(hit, "tf1-code-on-tf2", "possible", grade=ALLOWS)
        else:
            yield plain(hit)


JUDGEMENTS = {"attribute": attribute, "contrib": contrib, "barename": bare_name}
