"""A file of the user's own that hides tensorflow or a module that it imports."""

from __future__ import annotations

from tests.faults.fault import fault
from tests.faults.place import Place


@fault(
    "2.15", "module-shadowed", shown_by="import tensorflow as tf; tf.constant", symptom="has no attribute 'constant'|partially initialized"
)
def tensorflow_py_beside_the_program(place: Place) -> None:
    """The first experiment was saved as tensorflow.py."""
    place.write(place.work / "tensorflow.py", "import tensorflow as tf\n\nprint(tf.__version__)\n")


@fault("2.8", "module-shadowed", shown_by="import tensorflow as tf; tf.constant", symptom="has no attribute 'constant'")
def a_folder_called_tensorflow(place: Place) -> None:
    """A project folder called tensorflow, with an __init__.py."""
    place.write(place.work / "tensorflow" / "__init__.py", "")
    place.write(place.work / "tensorflow" / "train.py", "EPOCHS = 5\n")


@fault("2.17", "module-shadowed", symptom="numpy")
def numpy_py_beside_the_program(place: Place) -> None:
    """A file numpy.py with somebody's notes on NumPy."""
    place.write(place.work / "numpy.py", "import math\n\n\ndef mean(values):\n    return math.fsum(values) / len(values)\n")


@fault("2.21", "module-shadowed", symptom="random")
def random_py_beside_the_program(place: Place) -> None:
    """random.py hides a module of the standard library, which NumPy and tempfile import."""
    place.write(place.work / "random.py", "SEED = 42\n")


@fault("2.11", "module-shadowed", symptom="types|enum|circular|Error")
def typing_py_beside_the_program(place: Place) -> None:
    """typing.py, from a lesson on types."""
    place.write(place.work / "typing.py", "Vector = list\n")


@fault("2.15", "module-shadowed", shown_by="import keras; print(keras.__file__); keras.layers", symptom="has no attribute 'layers'")
def a_folder_called_keras(place: Place) -> None:
    """A folder with models, called keras."""
    place.write(place.work / "keras" / "__init__.py", '"""My models."""\n')


@fault("2.17", "module-shadowed", "install-corrupt", symptom="'google' is not a package|google")
def google_py_in_site_packages(place: Place) -> None:
    """A module google.py in site-packages, of some search script, hides the folder that protobuf is in."""
    place.write(place.site / "google.py", "def search(words):\n    return []\n")


@fault("2.3", "module-shadowed", "environment-leak", symptom="enum|IntFlag")
def an_old_backport_of_enum(place: Place) -> None:
    """enum34 in a folder on PYTHONPATH hides Python's own enum."""
    place.install_into(place.folder("libs"), "enum34==1.1.10")
    place.variables["PYTHONPATH"] = str(place.root / "libs")
