"""What comes in from elsewhere: variables, the packages of the user, start-up files."""

from __future__ import annotations

from tests.faults.windows.fault import fault
from tests.faults.windows.place import Place


@fault("environment-leak", "numpy-incompatible", symptom=r"PYTHONPATH", mend="hand")
def pythonpath_of_another_project(place: Place) -> None:
    """A variable of the user's puts another project's packages before these."""
    folder = place.folder("other")
    place.install_into(folder, "numpy==2.1.3")
    place.variables["PYTHONPATH"] = place.windows(folder)


@fault("protobuf-incompatible", "environment-leak", "dependency-incompatible", symptom=r"protobuf")
def packages_of_the_user(place: Place) -> None:
    """`pip install --user` outside, an environment that sees the system's packages, and a package that was uninstalled from it."""
    config = place.env / "pyvenv.cfg"
    place.write(config, config.read_text().replace("include-system-site-packages = false", "include-system-site-packages = true"))
    place.uninstall("protobuf")
    folder = place.folder("user") / "Python310" / "site-packages"
    folder.mkdir(parents=True)
    place.install_into(folder, "protobuf==4.25.3")
    place.variables["PYTHONUSERBASE"] = place.windows(place.folder("user"))


@fault("environment-leak", symptom=r"PYTHONHOME", mend="hand")
def pythonhome_of_another_python(place: Place) -> None:
    """PYTHONHOME, set for everybody by another program, names another Python (the tool's own, so that the tool starts)."""
    place.variables["WINPY_PYTHONHOME"] = "C:\\Python311"


@fault("environment-leak", "module-shadowed", symptom=r"sitecustomize")
def a_start_up_file_that_fails(place: Place) -> None:
    """sitecustomize.py asks for a module that is no longer there, and ends every start."""
    words = "import sys\n\ntry:\n    import company_proxy\nexcept ImportError as error:\n    sys.exit(f'sitecustomize: {error}')\n"
    place.write(place.site / "sitecustomize.py", words)


@fault("keras-incompatible", symptom=r"TF_USE_LEGACY_KERAS|tf.keras", base="2.21", mend="hand")
def the_old_keras_asked_for(place: Place) -> None:
    """The variable that asks for tf-keras was set for another project; this one has none."""
    place.variables["TF_USE_LEGACY_KERAS"] = "1"
