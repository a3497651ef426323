"""What to do where Keras, its estimator or what was written for an older one does not fit."""

from __future__ import annotations

import re

from provisioner.base.versions import numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.addons import addon_of, addons_ended
from provisioner.remedies.knowledge import NO_ADDON, View, release_of, specifier
from provisioner.remedies.names import ADDONS, DISTRIBUTIONS, asking_package, restarted
from provisioner.remedies.subject import Subject
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import ONE_PACKAGE, either, install, mend, uninstall


def keras(subject: Subject, view: View) -> Remedy:
    """Keras, its estimator or tf-keras of the release's own number; or, of an add-on that ended, what takes its place."""
    asking = asking_package(subject)
    if "tensorflow_addons" in asking:
        return addons_ended(subject, view)
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    if "_keras_internal" in subject.seen:
        return Remedy(
            words="Take the last TensorFlow that has that name: 2.13",
            steps=(install(subject, "tensorflow==2.13.*"),),
            why="the program uses a private name of Keras 2, which went with 2.14",
            cost="the release changes; its Pythons are 3.8 to 3.11",
            others=(*mend(subject), Way(words="Or take a newer release of the program, or change the line: tf.keras.models is public")),
        )
    if re.search(
        r"KERAS_BACKEND|No module named '?(jax|torch|theano)|keras\.src\.backend\.(jax|torch)", subject.seen + subject.text[-600:]
    ):
        return _backend(subject)
    legacy = re.search(
        r"tf[-._]keras|Keras 3|Only instances of .keras\.Layer|KerasTensor|legacy|`to_\w+` can|to a shape", subject.seen, re.IGNORECASE
    ) and (release is None or numbers(release.version)[:2] >= (2, 16))
    estimator = re.search(r"estimator|MeanMetricWrapper", subject.text, re.IGNORECASE)
    package = "tensorflow-estimator" if estimator else "tf-keras" if legacy or asking == "tf_keras" else "keras"
    outside = asking and asking not in {"keras", "tf_keras", "tensorflow", "tensorflow_core", "tensorflow_estimator", "tensorboard"}
    if asking in ADDONS and outside:
        return addon_of(subject, view, ADDONS[asking])
    if outside and re.search(r"has no attribute '?__version__|cannot import name|has no attribute", subject.seen):
        return _asked_by(subject, asking)
    moved = _moved(subject) if not outside else None
    if moved is not None:
        return moved
    spec = _keras_spec(subject, view, package)
    if not spec and package == "tf-keras":
        return _keras_2(subject, view)
    if not spec:
        return Remedy(
            words=f"Give {package} the number of TensorFlow: see which two are there, then install {package} of the same X.Y",
            steps=(
                subject.pip("show", "tensorflow", package),
                install(subject, package, "tensorflow", options="--upgrade"),
            ),
            why=f"{package} and TensorFlow before 2.16 belong together by their numbers; brought up to date together they fit",
            cost="the second line takes the newest of both that this Python can have",
            others=either(subject, view),
        )
    remnant = re.search(r"cannot import name '?__version__|unknown location|namespace", subject.seen)
    steps = (uninstall(subject, package), install(subject, f"{package}{spec}")) if remnant else (install(subject, f"{package}{spec}"),)
    more = (
        (
            Way(
                words="Tell Keras to be Keras 2, before TensorFlow is imported",
                steps=(assigned("TF_USE_LEGACY_KERAS", "1", windows=subject.windows),),
            ),
        )
        if package == "tf-keras"
        else ()
    )
    return Remedy(
        words=f"Install the {package} of this release: {package}{spec}"
        + (", after what is left of the old one is gone" if remnant else ""),
        steps=steps,
        why=(
            f"TensorFlow {subject.tensorflow or 'of one number'} goes with the {package} of its own number; another one asks for names that it does"
            " not have"
        ),
        cost=restarted(subject, ONE_PACKAGE),
        others=(*more, *either(subject, view)),
    )


def _keras_spec(subject: Subject, view: View, package: str) -> str:
    minor = subject.minor
    if not minor:
        return ""
    release = release_of(view, subject.tensorflow)
    spec = specifier(view, release, package, platform=subject.platform, python=subject.python)
    if spec == NO_ADDON:
        return ""
    if spec:
        return spec
    return f"=={minor}.*" if package != "keras" or numbers(minor) >= (2, 6) else ""


# Where a part of Keras 2 is under Keras 3 and under every tf.keras (Keras 3 migration guide; keras/_tf_keras of Keras 3), the longer names first.
_MOVED = (
    ("keras.wrappers", "scikeras.wrappers"),
    ("tensorflow.python.keras", "tensorflow.keras"),
    ("tensorflow.keras.layers.experimental", "tensorflow.keras.layers"),
    ("tensorflow.keras.optimizers.experimental", "tensorflow.keras.optimizers"),
    ("keras.preprocessing.text", "tensorflow.keras.preprocessing.text"),
    ("keras.preprocessing.sequence", "tensorflow.keras.preprocessing.sequence"),
    ("keras.preprocessing.image", "tensorflow.keras.preprocessing.image"),
    ("keras.utils.np_utils", "tensorflow.keras.utils"),
    *(
        (f"keras.layers.{part}", "tensorflow.keras.layers")
        for part in ("core", "convolutional", "pooling", "recurrent", "merge", "embeddings")
    ),
    *((f"keras.layers.{part}", "tensorflow.keras.layers") for part in ("normalization", "advanced_activations", "wrappers", "noise")),
)


def _moved(subject: Subject) -> Remedy | None:
    """A module of Keras that the program names as it was called before; None where it is a file of a package that asks, or another module."""
    named = re.search(
        r"No module named '?(?P<module>(?:tensorflow\.(?:python\.)?)?keras\.[\w.]+|tensorflow\.python\.keras)'?", subject.seen
    )
    if named is None or re.search(r"(?:site|dist)-packages", subject.text):
        return None
    old, new = next((item for item in _MOVED if f"{named['module']}.".startswith(f"{item[0]}.")), ("", ""))
    if not old:
        return None
    package = "scikeras" if new.startswith("scikeras.") else ""
    return Remedy(
        words=f"In the program, import from {new} in place of {old}" + (f"; that is of the package {package}" if package else ""),
        steps=(install(subject, package),) if package else (),
        why=f"newer releases of Keras are without {old}, and no version of TensorFlow brings it back there",
        others=_as_it_is(subject),
    )


def _as_it_is(subject: Subject) -> tuple[Way, ...]:
    """Keep the program as it is, with the last TensorFlow whose Keras is the second."""
    return (
        Way(
            words="Or keep the program, with the last TensorFlow whose Keras is Keras 2 (Python 3.9 to 3.11)",
            steps=(install(subject, "tensorflow==2.15.*"),),
            cost="the release changes",
        ),
        *mend(subject),
    )


def _keras_2(subject: Subject, view: View) -> Remedy:
    """Keras 2 beside Keras 3, which TensorFlow uses where a variable says so (tensorflow.org, "TensorFlow + Keras 2 backwards compatibility")."""
    return Remedy(
        words="Install Keras 2, which is called tf-keras now, in the number of TensorFlow; and tell TensorFlow to use it, before the import",
        steps=(
            install(subject, "tf-keras", "tensorflow", options="--upgrade"),
            assigned("TF_USE_LEGACY_KERAS", "1", windows=subject.windows),
        ),
        why="since 2.16 tf.keras is Keras 3, and what was written for Keras 2 asks for names that it does not have",
        cost=restarted(subject, "takes the newest of both that this Python can have"),
        others=either(subject, view),
    )


def _backend(subject: Subject) -> Remedy:
    value = assigned("KERAS_BACKEND", "tensorflow", windows=subject.windows)
    return Remedy(
        words='Tell Keras to compute with TensorFlow: unset KERAS_BACKEND or set it, and put "backend": "tensorflow" into ~/.keras/keras.json',
        steps=(value,),
        why="Keras 3 takes the backend that the variable or that file names, and imports it",
    )


def _asked_by(subject: Subject, asking: str) -> Remedy:
    name = ADDONS.get(asking, DISTRIBUTIONS.get(asking, asking.replace("_", "-")))
    older = "tensorflow<2.13" if "__version__" in subject.seen else "tensorflow<2.16"
    return Remedy(
        words=f"Bring {name} up to date: it asks this TensorFlow for a name that it no longer has",
        steps=(install(subject, name, options="--upgrade"),),
        why=f"the innermost file is one of {name}, which was written for an older TensorFlow",
        cost=restarted(subject, ONE_PACKAGE),
        others=(
            Way(
                words=f"Or keep {name} and take an older TensorFlow",
                steps=(install(subject, older),),
                cost="changes TensorFlow and what belongs to it",
            ),
            *mend(subject),
        ),
    )
