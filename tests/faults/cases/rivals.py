"""Two distributions that own the same folder, what the removal of one leaves, add-ons of another release, and no TensorFlow at all."""

from __future__ import annotations

from tests.faults.fault import fault
from tests.faults.place import Place

OWNERS = (
    "import importlib.metadata as m; names = (d.metadata['Name'] or '' for d in m.distributions()); "
    "print(sorted(name for name in names if name.startswith('tensorflow')))"
)


@fault("2.15", "conflicting-tf-packages", shown_by=OWNERS, symptom="'tensorflow', 'tensorflow-cpu'|'tensorflow-cpu'.*'tensorflow'")
def tensorflow_over_tensorflow_cpu(place: Place) -> None:
    """``pip install tensorflow`` where tensorflow-cpu was, of another version: the files are the second's, the metadata both's."""
    place.install("tensorflow==2.15.0")


@fault(
    "2.15",
    "conflicting-tf-packages",
    "install-corrupt",
    symptom="No module named 'tensorflow'|has no attribute|Error",
    shown_by="import tensorflow as tf; tf.constant",
)
def one_of_two_removed(place: Place) -> None:
    """The second was taken out again, and took the files that both owned."""
    place.install("tensorflow==2.15.0")
    place.uninstall("tensorflow")


@fault("2.11", "conflicting-tf-packages", shown_by=OWNERS, symptom="'tensorflow', 'tensorflow-cpu'")
def the_same_version_twice(place: Place) -> None:
    """tensorflow beside tensorflow-cpu of the same version, because another package asks for ``tensorflow``: it computes, until one is removed."""
    place.install("tensorflow==2.11.1")


@fault(
    "2.8",
    "install-corrupt",
    "conflicting-tf-packages",
    shown_by="import glob, sysconfig; print(glob.glob(sysconfig.get_path('purelib') + '/tensorflow_cpu-*'))",
    symptom="2.8.0.*2.8.4|2.8.4.*2.8.0",
)
def two_metadata_folders_of_one_distribution(place: Place) -> None:
    """An upgrade that could not remove the old metadata."""
    place.copy(place.info("tensorflow-cpu"), place.site / "tensorflow_cpu-2.8.0.dist-info")
    text = (place.info("tensorflow-cpu").parent / "tensorflow_cpu-2.8.4.dist-info" / "METADATA").read_text()
    place.write(place.site / "tensorflow_cpu-2.8.0.dist-info" / "METADATA", text.replace("Version: 2.8.4", "Version: 2.8.0"))


@fault(
    "2.8",
    "extension-abi-mismatch",
    "dependency-incompatible",
    shown_by="import tensorflow_text",
    symptom="undefined symbol|NotFoundError|Error",
)
def text_of_another_release(place: Place) -> None:
    """tensorflow-text 2.10 beside TensorFlow 2.8."""
    place.install("tensorflow-hub==0.12.0", "tensorflow-text==2.10.0")


@fault(
    "2.11",
    "extension-abi-mismatch",
    "dependency-incompatible",
    shown_by="import tensorflow_io as t; t.experimental; import tensorflow_io.python.ops.core_ops as c; c.io_decode_json",
    symptom="undefined symbol|NotImplementedError|NotFoundError|unable to open",
)
def io_of_another_release(place: Place) -> None:
    """tensorflow-io of 2.8's days beside TensorFlow 2.11."""
    place.install("tensorflow-io==0.25.0", "tensorflow-io-gcs-filesystem==0.25.0")


@fault(
    "2.15",
    "extension-abi-mismatch",
    "keras-incompatible",
    "dependency-incompatible",
    shown_by="import tensorflow_addons",
    symptom="Error|incompatible|compatible|supports using Python ops for all Tensorflow versions",
)
def addons_of_another_release(place: Place) -> None:
    """tensorflow-addons, which nobody continues, of 2.10's days."""
    place.install("tensorflow-addons==0.21.0", "typeguard==2.13.3", "packaging==23.2")


@fault(
    "2.8",
    "extension-abi-mismatch",
    "dependency-incompatible",
    shown_by="import tensorflow_probability as tfp; tfp.distributions.Normal(0.0, 1.0)",
    symptom="requires TensorFlow version|Error",
)
def probability_of_another_release(place: Place) -> None:
    """tensorflow-probability asks for a newer TensorFlow when it is imported, and not in its metadata."""
    place.install("tensorflow-probability==0.24.0", "cloudpickle==3.0.0", "dm-tree==0.1.8", "decorator==5.1.1")


@fault(
    "2.17",
    "dependency-incompatible",
    shown_by="import tensorflow_probability as tfp; tfp.distributions.Normal(0.0, 1.0)",
    symptom="has no attribute '__internal__'",
)
def probability_from_before_keras_3(place: Place) -> None:
    """tensorflow-probability up to 0.23 calls what only Keras 2 has; its import alone, which is lazy, shows nothing."""
    place.install("tensorflow-probability==0.23.0", "cloudpickle==3.0.0", "dm-tree==0.1.9", "decorator==5.1.1")


@fault("", "tf-not-installed", symptom="No module named 'tensorflow'")
def no_tensorflow(place: Place) -> None:
    """An environment with other things, and no TensorFlow."""
    place.venv(place.env, "3.12", "--relocatable")
    place.install("pip==24.0", "numpy==2.1.3")


@fault(
    "",
    "pip-too-old",
    "tf-not-installed",
    shown_by="import pip; print(pip.__version__)\nimport tensorflow",
    symptom="(?s)18.1.*No module named 'tensorflow'",
)
def pip_too_old(place: Place) -> None:
    """A pip that knows nothing of manylinux2010 found "no matching distribution" and installed nothing."""
    place.venv(place.env, "3.7", "--relocatable")
    place.install("pip==18.1", "setuptools==40.6.2")


@fault("", "python-unsupported", "tf-not-installed", symptom="No module named 'tensorflow'")
def python_without_any_wheel(place: Place) -> None:
    """An environment of Python 3.13 in which ``pip install tensorflow==2.15`` found nothing; requirements.txt lies beside it."""
    place.venv(place.env, "3.13", "--relocatable")
    place.install("pip==24.3.1", "keras==2.15.0", "tensorboard==2.15.2", "tensorflow-estimator==2.15.0")


@fault("", "python-unsupported", "install-corrupt", symptom="Error|died by")
def wheel_of_another_python_forced(place: Place) -> None:
    """TensorFlow's wheel for Python 3.11 was put into an environment of 3.12 (``pip install --python-version --target``)."""
    place.venv(place.env, "3.12", "--relocatable")
    place.install("pip==24.0")
    source = place.other("2.15") / "lib/python3.11/site-packages"
    for item in source.iterdir():
        if item.is_dir() and item.name not in {"pip", "__pycache__"} and not item.name.startswith("pip-"):
            place.copy(item, place.site / item.name)
        elif item.suffix == ".py" and not (place.site / item.name).exists():
            place.write(place.site / item.name, item.read_bytes())
