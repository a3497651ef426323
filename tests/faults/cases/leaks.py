"""What comes in from outside of the environment: PYTHONPATH, the user site, .pth files, start-up modules, the loader's path, Keras' variables."""

from __future__ import annotations

import sys

from tests.faults.bases import find_python
from tests.faults.fault import fault
from tests.faults.place import Place

NUMPY = "import numpy; print(numpy.__file__)\nimport tensorflow"
# A library under the name of libstdc++ that has none of the versions that C++ programs ask for: an old one, made small.
OLD_LIBSTDCXX = "void _ZSt9terminatev(void) {}\n"
OLD_VERSIONS = "GLIBCXX_3.4 { global: _ZSt9terminatev; };\nGLIBCXX_3.4.1 { } GLIBCXX_3.4;\n"


@fault("2.15", "environment-leak", shown_by=NUMPY, symptom="(?s)libs/numpy.*(_ARRAY_API|compiled using NumPy 1|umath)", mend="hand")
def pythonpath_with_another_numpy(place: Place) -> None:
    """PYTHONPATH, set in .bashrc for another project, has NumPy 2."""
    place.install_into(place.folder("libs"), "numpy==2.1.3")
    place.variables["PYTHONPATH"] = str(place.root / "libs")


@fault("2.8", "environment-leak", shown_by="import tensorflow; print(tensorflow.__file__)", symptom="other/lib|Error", mend="hand")
def pythonpath_with_another_environment(place: Place) -> None:
    """PYTHONPATH names the site-packages of an environment with another TensorFlow."""
    place.copy(place.other("2.11"), place.root / "other")
    place.variables["PYTHONPATH"] = str(place.root / "other/lib/python3.10/site-packages")
    # Any Python that starts with it takes modules from there and keeps their byte code there, before a program can say no.
    place.variables["PYTHONDONTWRITEBYTECODE"] = "1"


@fault("2.3", "environment-leak", symptom="No module named 'encodings'|SRE module mismatch|Fatal Python error", mend="hand")
def pythonhome_of_another_python(place: Place) -> None:
    """PYTHONHOME names another Python, so that this one does not even start. (The Python that the tool runs on does: it is that one.)"""
    place.variables["PYTHONHOME"] = sys.base_prefix


@fault("2.8", "environment-leak", "protobuf-incompatible", symptom="Descriptors cannot")
def protobuf_of_the_user_site(place: Place) -> None:
    """``--system-site-packages``: pip found protobuf in ~/.local and installed none of its own; another project upgraded it there."""
    place.uninstall("protobuf")
    config = place.env / "pyvenv.cfg"
    place.write(config, config.read_text().replace("include-system-site-packages = false", "include-system-site-packages = true"))
    place.install_into(place.folder("home/.local/lib/python3.10/site-packages"), "protobuf==4.21.12")


@fault(
    "2.15", "environment-leak", "numpy-incompatible", shown_by=NUMPY, symptom="(?s)libs/numpy.*(_ARRAY_API|compiled using NumPy 1|umath)"
)
def a_pth_file_with_another_numpy(place: Place) -> None:
    """A .pth file that some editor's plug-in left puts its folder first."""
    place.install_into(place.folder("libs"), "numpy==2.1.3")
    place.write(place.site / "zz_plugin.pth", f"import sys; sys.path.insert(1, {str(place.root / 'libs')!r})\n")


@fault(
    "2.17",
    "environment-leak",
    "module-shadowed",
    shown_by="import google.protobuf as p; print(p.__file__)\nimport tensorflow",
    symptom="libs/google|Error",
)
def sitecustomize_with_another_protobuf(place: Place) -> None:
    """sitecustomize.py, once written for debugging, puts a folder first."""
    place.install_into(place.folder("libs"), "protobuf==3.20.3")
    place.write(place.site / "sitecustomize.py", f"import sys\n\nsys.path.insert(0, {str(place.root / 'libs')!r})\n")


@fault("2.11", "environment-leak", "module-shadowed", symptom="sitecustomize")
def sitecustomize_that_breaks(place: Place) -> None:
    """sitecustomize.py asks for a module that is no longer there and ends every start."""
    place.write(
        place.site / "sitecustomize.py",
        "import sys\n\ntry:\n    import company_tracing\nexcept ImportError as error:\n    sys.exit(f'sitecustomize: {error}')\n",
    )


@fault("2.11", "install-corrupt", "environment-leak", symptom="Error processing line 1 of .*distutils-precedence.pth")
def a_pth_file_of_a_removed_package(place: Place) -> None:
    """setuptools' folder was removed by hand, its .pth file was not: every start prints an error."""
    place.delete(place.site / "_distutils_hack")


@fault("2.21", "libstdcxx-too-old", "environment-leak", symptom="GLIBCXX_3.4[.0-9]*' not found", mend="hand", needs=("gcc",))
def an_old_libstdcxx_first(place: Place) -> None:
    """LD_LIBRARY_PATH names the lib folder of an old program, with its own libstdc++."""
    folder = place.folder("oldapp/lib")
    versions = folder / "versions.map"
    versions.write_text(OLD_VERSIONS)
    place.c_library(folder / "libstdc++.so.6", OLD_LIBSTDCXX, "-Wl,-soname,libstdc++.so.6", f"-Wl,--version-script={versions}", "-nostdlib")
    place.variables["LD_LIBRARY_PATH"] = str(folder)


@fault("2.21", "environment-leak", "install-corrupt", symptom="invalid ELF header|file too short|wrong ELF class", mend="hand")
def a_damaged_library_on_the_loaders_path(place: Place) -> None:
    """LD_LIBRARY_PATH names a folder with a libstdc++.so.6 that is a text file (a pointer of Git LFS)."""
    place.write(place.folder("libs") / "libstdc++.so.6", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 2190440\n")
    place.variables["LD_LIBRARY_PATH"] = str(place.root / "libs")


@fault(
    "2.21",
    "environment-leak",
    "keras-incompatible",
    "dependency-incompatible",
    shown_by="import keras",
    symptom="No module named 'jax'",
    mend="hand",
)
def keras_backend_jax(place: Place) -> None:
    """KERAS_BACKEND=jax of another project, and no JAX here."""
    place.variables["KERAS_BACKEND"] = "jax"


@fault(
    "2.17",
    "keras-incompatible",
    "environment-leak",
    "dependency-incompatible",
    shown_by="import tensorflow as tf; tf.keras.layers",
    symptom="tf_keras|tf-keras",
    mend="hand",
)
def legacy_keras_asked_for_and_not_there(place: Place) -> None:
    """TF_USE_LEGACY_KERAS=1 without tf-keras."""
    place.variables["TF_USE_LEGACY_KERAS"] = "1"


@fault(
    "",
    "environment-leak",
    "numpy-incompatible",
    shown_by=NUMPY,
    symptom=r"(?s)\.local/lib.*(_ARRAY_API|compiled using NumPy 1|umath)",
    mend="hand",
)
def numpy_of_the_user_site(place: Place) -> None:
    """TensorFlow in a Python of its own, without an environment; ``pip install --user`` brought NumPy 2, which comes first."""
    python = place.copy_python("3.11")
    place.copy(place.other("2.15") / "lib/python3.11/site-packages", python / "lib/python3.11/site-packages")
    place.python = str(python / "bin" / "python3.11")
    place.variables["LD_LIBRARY_PATH"] = str(python / "lib")
    place.install_into_by(find_python("3.11"), place.folder("home/.local/lib/python3.11/site-packages"), "numpy==2.1.3")
