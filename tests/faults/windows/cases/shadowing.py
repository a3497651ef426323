"""Files and folders of the person's own that hide a module."""

from __future__ import annotations

from tests.faults.windows.fault import fault
from tests.faults.windows.place import Place


@fault("module-shadowed", symptom=r"work/(tensorflow|numpy)\.py", mend="tool")
def a_script_called_numpy(place: Place) -> None:
    """The exercise was saved as numpy.py."""
    place.write(place.work / "numpy.py", "import random\nprint(random.random())\n")


@fault("module-shadowed", symptom=r"random\.py")
def a_script_called_random(place: Place) -> None:
    """The exercise was saved as random.py: what Python itself needs is no longer found."""
    place.write(place.work / "random.py", "print('six')\n")


@fault("module-shadowed", symptom=r"tensorflow")
def a_folder_called_tensorflow(place: Place) -> None:
    """A clone of TensorFlow's sources, or a folder of that name, lies where the program is started."""
    place.write(place.work / "tensorflow" / "__init__.py", "")


@fault("module-shadowed", symptom=r"google", base="2.21")
def a_script_called_google(place: Place) -> None:
    """A script called google.py hides the namespace that protobuf lies in, where no ``.pth`` file of an older protobuf has made it before."""
    place.write(place.work / "google.py", "print('searching')\n")
