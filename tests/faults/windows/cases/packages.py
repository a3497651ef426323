"""Packages that are gone, do not go with the release, or lie over each other."""

from __future__ import annotations

import re

from tests.faults.windows.fault import fault
from tests.faults.windows.place import Place


@fault("dependency-incompatible", "install-corrupt", symptom=r"astunparse")
def a_package_uninstalled(place: Place) -> None:
    """A package that TensorFlow needs was uninstalled."""
    place.uninstall("astunparse")


@fault("dependency-incompatible", "install-corrupt", symptom=r"wrapt")
def wrapt_uninstalled(place: Place) -> None:
    """An uninstall of something else took a package along that TensorFlow needs."""
    place.uninstall("wrapt")


@fault("protobuf-incompatible", symptom=r"protobuf")
def protobuf_too_new(place: Place) -> None:
    """Another package brought protobuf 4."""
    place.install("protobuf==4.25.3")


@fault("protobuf-incompatible", symptom=r"protobuf", base="2.21")
def protobuf_too_old(place: Place) -> None:
    """Another package pinned an old protobuf."""
    place.install("protobuf==3.20.3")


@fault("numpy-incompatible", symptom=r"[Nn]um[Pp]y")
def numpy_2(place: Place) -> None:
    """`pip install -U numpy`."""
    place.install("numpy==2.1.3")


@fault("dependency-incompatible", symptom=r"ml.dtypes", base="2.21")
def ml_dtypes_too_old(place: Place) -> None:
    """Another package brought an old ml_dtypes along."""
    place.install("ml_dtypes==0.5.0")


@fault("dependency-incompatible", symptom=r"gast|flatbuffers", base="2.21")
def gast_that_does_not_go(place: Place) -> None:
    """Another package wanted a gast that TensorFlow leaves out by name."""
    place.install("gast==0.5.2")


@fault("keras-incompatible", symptom=r"[Kk]eras")
def keras_3_beside_2_10(place: Place) -> None:
    """`pip install -U keras`."""
    place.install("keras==3.3.3")


@fault("keras-incompatible", "dependency-incompatible", symptom=r"keras", base="2.21")
def keras_2_beside_2_21(place: Place) -> None:
    """Keras of an old tutorial."""
    place.install("keras==2.15.0")


@fault("keras-incompatible", symptom=r"estimator")
def estimator_of_a_later_release(place: Place) -> None:
    """tensorflow-estimator of a later release."""
    place.install("tensorflow-estimator==2.15.0")


@fault("conflicting-tf-packages", "install-corrupt", symptom=r"tensorflow.cpu|tensorflow-intel")
def tensorflow_cpu_over_tensorflow_intel(place: Place) -> None:
    """Two packages that own one folder."""
    place.install("tensorflow-cpu==2.9.3")


@fault("conflicting-tf-packages", "install-corrupt", symptom=r"tensorflow.gpu")
def tensorflow_gpu_over_tensorflow_intel(place: Place) -> None:
    """A course asks for `pip install tensorflow-gpu`: its files lie over those of the other package."""
    place.install("tensorflow-gpu==2.10.1")


@fault("tf-not-installed", "install-corrupt", "dependency-incompatible", symptom=r"tensorflow-intel|tensorflow_intel|tensorflow")
def tensorflow_without_tensorflow_intel(place: Place) -> None:
    """A requirements file made on Linux, installed with --no-deps: on Windows `tensorflow` is a shell around tensorflow-intel."""
    place.uninstall("tensorflow-intel")
    place.install("tensorflow==2.11.1")


@fault("conflicting-tf-packages", symptom=r"nightly", base="2.21")
def a_nightly_build_over_it(place: Place) -> None:
    """Half of a nightly build's files were copied over the release, with its metadata: two write the same folder."""
    info = place.site / "tf_nightly-2.22.0.dev20260101.dist-info"
    own = next(place.site.glob("tensorflow*-2.21.0.dist-info"))
    metadata = (own / "METADATA").read_text(encoding="utf-8")
    place.write(
        info / "METADATA",
        re.sub(r"(?m)^(Name: ).*$", r"\1tf_nightly", re.sub(r"(?m)^(Version: ).*$", r"\g<1>2.22.0.dev20260101", metadata)),
    )
    place.write(info / "RECORD", (own / "RECORD").read_text(encoding="utf-8"))
    place.write(info / "WHEEL", (own / "WHEEL").read_text(encoding="utf-8"))
