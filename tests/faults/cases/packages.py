"""A package beside TensorFlow that does not fit: what a later ``pip install`` of something else, or an old habit, leaves behind."""

from __future__ import annotations

from tests.faults.fault import fault
from tests.faults.place import Place

KERAS = "import tensorflow as tf; print(tf.keras.Sequential([tf.keras.layers.Dense(1)]))"


@fault("2.8", "protobuf-incompatible", symptom="Descriptors cannot (be|not be) created directly")
def protobuf_4_beside_2_8(place: Place) -> None:
    """Another package brought protobuf 4, whose runtime refuses code that an old protoc wrote."""
    place.install("protobuf==4.21.12")


@fault("2.3", "protobuf-incompatible", symptom="Descriptors cannot (be|not be) created directly")
def protobuf_4_beside_2_3(place: Place) -> None:
    """The same five releases earlier, on Python 3.8."""
    place.install("protobuf==4.25.3")


@fault("2.15", "protobuf-incompatible", symptom="cannot import name 'builder'")
def protobuf_without_builder(place: Place) -> None:
    """protobuf was put back to 3.19, which people advise, but TensorFlow's code was written for a newer one."""
    place.install("protobuf==3.19.6")


@fault("2.21", "protobuf-incompatible", symptom="VersionError")
def protobuf_runtime_older_than_the_code(place: Place) -> None:
    """protobuf 5 beside code that protoc 6 wrote."""
    place.install("protobuf==5.29.5")


@fault("2.17", "protobuf-incompatible", symptom="GetPrototype|VersionError|runtime_version")
def protobuf_6_beside_2_17(place: Place) -> None:
    """protobuf 6 has lost names that this TensorFlow uses."""
    place.install("protobuf==6.31.1")


@fault("2.15", "numpy-incompatible", symptom="compiled using NumPy 1.x|_ARRAY_API|numpy.core.umath failed")
def numpy_2_beside_2_15(place: Place) -> None:
    """NumPy was upgraded to 2, which has another binary interface."""
    place.install("numpy==2.1.3")


@fault("2.8", "numpy-incompatible", symptom="compiled using NumPy 1.x|_ARRAY_API|numpy.core.umath failed|np.float_|was removed")
def numpy_2_beside_2_8(place: Place) -> None:
    """The same on an older release."""
    place.install("numpy==2.0.2")


@fault("2.3", "numpy-incompatible", symptom="module 'numpy' has no attribute '(object|bool|int|float|complex)'")
def numpy_without_its_old_names(place: Place) -> None:
    """NumPy 1.24 has no np.object and np.bool any more."""
    place.install("numpy==1.24.4")


@fault("2.15", "keras-incompatible", shown_by=KERAS, symptom="Error")
def keras_3_beside_2_15(place: Place) -> None:
    """``pip install -U keras`` brought Keras 3."""
    place.install("keras==3.5.0")


@fault("2.11", "keras-incompatible", shown_by=KERAS, symptom="Error")
def keras_2_6_beside_2_11(place: Place) -> None:
    """Keras of another release, as an old requirements file has it."""
    place.install("keras==2.6.0")


@fault("2.17", "keras-incompatible", shown_by=KERAS, symptom="Error")
def keras_2_beside_2_17(place: Place) -> None:
    """Keras 2.15 for old code, beside a TensorFlow that has Keras 3."""
    place.install("keras==2.15.0")


@fault("1.15", "keras-incompatible", shown_by="import tensorflow as tf; print(tf.estimator.Estimator)", symptom="Error")
def estimator_2_beside_1_15(place: Place) -> None:
    """tensorflow-estimator of TensorFlow 2.x beside 1.15, which imports it at once."""
    place.install("tensorflow-estimator==2.3.0")


@fault("2.3", "keras-incompatible", shown_by="import tensorflow as tf; print(tf.estimator.Estimator)", symptom="Error")
def estimator_of_a_later_release(place: Place) -> None:
    """tensorflow-estimator of a later release."""
    place.install("tensorflow-estimator==2.15.0")


@fault("2.17", "keras-incompatible", shown_by="import tf_keras", symptom="Error")
def tf_keras_of_another_release(place: Place) -> None:
    """tf-keras 2.15 beside TensorFlow 2.17, where code asks for the old Keras."""
    place.install("tf-keras==2.20.1")


@fault(
    "1.15",
    "dependency-incompatible",
    shown_by="import tensorflow as tf, tempfile; m = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))]); "
    "f = tempfile.mktemp('.h5'); m.save(f); tf.keras.models.load_model(f)",
    symptom="'str' object has no attribute 'decode'",
)
def h5py_3_beside_1_15(place: Place) -> None:
    """h5py 3 returns text where 1.15 decodes bytes; 1.15's metadata has no limit."""
    place.install("h5py==3.8.0")


@fault("2.21", "dependency-incompatible", "numpy-incompatible", symptom="numpy.dtype size changed|_ARRAY_API|compiled using NumPy 1")
def h5py_compiled_for_another_numpy(place: Place) -> None:
    """An h5py of the days of NumPy 1 beside NumPy 2."""
    place.install("h5py==3.10.0")


@fault("2.21", "dependency-incompatible", symptom="cannot import name .* from 'typing_extensions'|typing_extensions")
def typing_extensions_too_old(place: Place) -> None:
    """typing-extensions was put back for another package."""
    place.install("typing-extensions==3.7.4.3")


@fault("2.21", "dependency-incompatible", "numpy-incompatible", symptom="ml_dtypes")
def ml_dtypes_too_old(place: Place) -> None:
    """ml-dtypes of an older JAX."""
    place.install("ml-dtypes==0.3.2")


@fault(
    "2.15",
    "dependency-incompatible",
    symptom=r"ml_dtypes 0\.5",
    shown_by="from importlib.metadata import version; print('ml_dtypes', version('ml-dtypes')); import tensorflow",
)
def ml_dtypes_too_new(place: Place) -> None:
    """ml-dtypes of a newer JAX; TensorFlow 2.15 asks for 0.3."""
    place.install("ml-dtypes==0.5.1")


@fault(
    "2.15",
    "dependency-incompatible",
    shown_by="from importlib.metadata import version; print(version('wrapt')); import tensorflow",
    symptom=r"^2\.",
)
def wrapt_too_new(place: Place) -> None:
    """wrapt 2, where TensorFlow 2.15 asks for less than 1.15."""
    place.install("wrapt==2.0.0")


@fault(
    "1.15",
    "dependency-incompatible",
    shown_by="import tensorflow as tf\n@tf.function\ndef f(x):\n  return x if x > 0 else -x\nprint(f(tf.constant(1.0)))",
    symptom="gast",
)
def gast_too_new(place: Place) -> None:
    """gast 0.5 has other classes than AutoGraph of 1.15 uses."""
    place.install("gast==0.5.4")


@fault(
    "2.15",
    "dependency-incompatible",
    shown_by="from importlib.metadata import version; print('flatbuffers', version('flatbuffers'))",
    symptom=r"flatbuffers 1\.",
)
def flatbuffers_too_old(place: Place) -> None:
    """A flatbuffers of years ago: TensorFlow Lite's converter goes without it and says so in one line."""
    place.install("flatbuffers==1.10")


@fault("2.15", "dependency-incompatible", "install-corrupt", symptom="No module named 'wrapt'")
def a_requirement_is_missing(place: Place) -> None:
    """``pip uninstall`` of something that nothing seemed to need; or ``pip install --no-deps tensorflow``."""
    place.uninstall("wrapt")


@fault("2.11", "protobuf-incompatible", "dependency-incompatible", symptom="No module named 'google'|google.protobuf")
def protobuf_is_missing(place: Place) -> None:
    """protobuf was uninstalled and the new one did not install."""
    place.uninstall("protobuf")


@fault(
    "2.8",
    "dependency-incompatible",
    shown_by="from importlib.metadata import version; print('tensorboard', version('tensorboard'))",
    symptom=r"tensorboard 1\.",
)
def tensorboard_of_1_15(place: Place) -> None:
    """tensorboard of TensorFlow 1 was installed for an old notebook."""
    place.install("tensorboard==1.15.0")


@fault(
    "2.15",
    "dependency-incompatible",
    shown_by="from importlib.metadata import version; print('absl', version('absl-py'))",
    symptom=r"absl 0\.",
)
def absl_too_old(place: Place) -> None:
    """absl-py of years ago, where TensorFlow asks for 1 at least: ``pip check`` says so, though much still works."""
    place.install("absl-py==0.15.0")
