"""Packages by their names: what pip calls a module, who asks for what, which TensorFlow packages a log lists."""

from __future__ import annotations

import re
from difflib import get_close_matches

from provisioner.remedies.knowledge import package_of
from provisioner.remedies.subject import Subject

# Add-ons by the folder that they lie in, as pip calls them.
ADDONS = {
    "tensorflow_text": "tensorflow-text",
    "tensorflow_io": "tensorflow-io",
    "tensorflow_addons": "tensorflow-addons",
    "tensorflow_probability": "tensorflow-probability",
    "tensorflow_hub": "tensorflow-hub",
    "tensorflow_decision_forests": "tensorflow-decision-forests",
    "tensorflow_estimator": "tensorflow-estimator",
    "tensorflow_datasets": "tensorflow-datasets",
    "tf_keras": "tf-keras",
    "tf_agents": "tf-agents",
    "reverb": "dm-reverb",
    "horovod": "horovod",
}


# Modules whose distribution has another name.
DISTRIBUTIONS = {
    "google.protobuf": "protobuf",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
    "absl": "absl-py",
    "google.auth": "google-auth",
    "google_auth_oauthlib": "google-auth-oauthlib",
    "flatbuffers": "flatbuffers",
    "typing_extensions": "typing-extensions",
    "opt_einsum": "opt-einsum",
    "keras_preprocessing": "keras-preprocessing",
    "keras_applications": "keras-applications",
    "grpc": "grpcio",
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "attr": "attrs",
    "jwt": "pyjwt",
}


# Compiled modules by whose they are: what Windows names where a DLL is not found.
NATIVE = {
    "_arpack": "scipy",
    "_ccallback_c": "scipy",
    "_conv": "h5py",
    "_errors": "h5py",
    "_fblas": "scipy",
    "_flapack": "scipy",
    "_imaging": "PIL",
    "_sparsetools": "scipy",
    "_superlu": "scipy",
    "_ufuncs": "scipy",
    "cv2": "cv2",
    "cygrpc": "grpc",
    "defs": "h5py",
    "etree": "lxml",
    "h5": "h5py",
    "pywintypes": "pywin32",
    "win32api": "pywin32",
}


# Modules that people import most and that no table above has.
_USUAL = (
    "tensorflow",
    "tensorboard",
    "keras",
    "numpy",
    "pandas",
    "scipy",
    "matplotlib",
    "seaborn",
    "jupyter",
    "ipykernel",
    "transformers",
    "torch",
    "h5py",
)
_MISSING = re.compile(r"No module named '?([\w.]+)")


def misspelt(line: str) -> tuple[str, str]:
    """Return the module that a line says is not there, and the one that is meant by it; twice "" where it is none that is known, or spelt as one.

    A package of such a name may be anybody's, so that nobody is told to install it.
    """
    found = _MISSING.search(line)
    name = found[1].split(".", maxsplit=1)[0] if found else ""
    known = {*_USUAL, *ADDONS, *(module for module in DISTRIBUTIONS if "." not in module)}
    if len(name) < 5 or name in known:  # noqa: PLR2004 - of shorter names every other one is near
        return "", ""
    # One letter more, less or another, or two exchanged.
    near = [module for module in get_close_matches(name, known, cutoff=0.87) if abs(len(module) - len(name)) <= 1]
    return (name, near[0]) if near else ("", "")


# Modules of Python's own that need a library, and Debian's package for building them (CPython, Developer's Guide, "Install dependencies").
OWN_MODULES = {
    "_bz2": "libbz2-dev",
    "_ctypes": "libffi-dev",
    "_curses": "libncurses-dev",
    "_decimal": "libmpdec-dev",
    "_elementtree": "libexpat1-dev",
    "_hashlib": "libssl-dev",
    "_lzma": "liblzma-dev",
    "_posixsubprocess": "",
    "_socket": "",
    "_sqlite3": "libsqlite3-dev",
    "_ssl": "libssl-dev",
    "_tkinter": "tk-dev",
    "_uuid": "uuid-dev",
    "fcntl": "",
    "grp": "",
    "pwd": "",
    "pyexpat": "libexpat1-dev",
    "readline": "libreadline-dev",
    "resource": "",
    "syslog": "",
    "termios": "",
    "tkinter": "tk-dev",
    "zlib": "zlib1g-dev",
}
_OWN_MODULE = re.compile(
    rf"(?:No module named|importing) '?({'|'.join(OWN_MODULES)})\b|^({'|'.join(OWN_MODULES)}) cannot be imported", re.MULTILINE
)
# What pip and conda say where that one is missing.
_NO_SSL = re.compile(r"ssl module (?:in Python )?is not available|OpenSSL appears to be unavailable", re.IGNORECASE)
# The plug-in of Microsoft's as it ended, with the one TensorFlow that it loads into, of Python 3.7 to 3.10 (PyPI).
DIRECTML = ("tensorflow-cpu==2.10.1", "tensorflow-directml-plugin==0.4.0.dev230202")
# What is for Windows alone, and what `pip freeze` writes into a list there (PyPI).
OF_WINDOWS = frozenset({"comtypes", "pypiwin32", "pywin32", "pywinpty", "windows-curses", "wmi"})
# An optional package that TensorFlow asks for since 2.7, and its last version with a wheel for Windows (PyPI; Python 3.7 to 3.11).
GCS, LAST_GCS_OF_WINDOWS = "tensorflow-io-gcs-filesystem", "0.31.0"


def own_module(seen: str) -> str:
    """The module of Python's own that lines say cannot be imported, "" where they name none."""
    found = _OWN_MODULE.search(seen)
    if found is None:
        return "_ssl" if _NO_SSL.search(seen) else ""
    return found[1] or found[2]


LISTED = re.compile(r"^[ \-]{0,4}(tensorflow|tf[-_]nightly)([-_][\w-]+)?(?: ?==| +)\(?v?(\d[\w.]*)", re.MULTILINE | re.IGNORECASE)


def rivals_of(subject: Subject) -> tuple[str, ...]:
    """The TensorFlow packages that a log lists beside each other; empty where it lists no two."""
    names = {"", "-cpu", "-gpu", "-intel", "-macos", "_cpu", "_gpu", "_intel", "_macos"}
    found = [
        f"{base}{tail or ''}".lower().replace("_", "-") for base, tail, _ in LISTED.findall(subject.text) if (tail or "").lower() in names
    ]
    return tuple(dict.fromkeys(found)) if len(set(found)) > 1 else ()


def own_names(subject: Subject) -> tuple[str, ...]:
    """The distributions to take out for TensorFlow to be gone."""
    listed = rivals_of(subject) or ((subject.owner,) if subject.owner else ())
    return listed or (("tensorflow", "tensorflow-intel") if subject.windows else ("tensorflow",))


def same_tensorflow(subject: Subject) -> str:
    """The requirement for the TensorFlow that is there, as exactly as it is known."""
    package = subject.owner or package_of(subject.tensorflow or "2.21", subject.platform)
    exact = re.fullmatch(r"\d+\.\d+\.\d+", subject.tensorflow)
    return f"{package}=={subject.tensorflow}" if exact else f"{package}=={subject.minor}.*" if subject.minor else package


FRAME = re.compile(r"File \"([^\"\n]{1,400})\", line (\d{1,7})")


def own_frame(text: str) -> str:
    """The innermost line of the person's own, as "FILE, line N"; "" where the frames end in a package that is no NumPy (which names the name)."""
    frames = [item for item in FRAME.findall(text[-20_000:]) if not re.search(r"packages[\\/]numpy[\\/]", item[0])]
    if not frames or re.search(r"(?:site|dist)-packages", frames[-1][0]):
        return ""
    return f"{frames[-1][0]}, line {frames[-1][1]}"


def asking_package(subject: Subject) -> str:
    """The package of the innermost file of the last traceback, by its folder; "" where it is the program's own."""
    start = max(subject.text.rfind("Traceback (most recent call last)"), 0)
    end = max(subject.text.rfind("Error"), 0)
    frames = re.findall(
        r"File \"([^\"\n]+)\"|^([~/\[][^\n]*?)(?=:\d+| in )", subject.text[start:end] if end > start else subject.text[start:], re.MULTILINE
    )
    paths = [one or other for one, other in frames]
    found = re.search(r"(?:site|dist)-packages[\\/](\w+)[\\/]", paths[-1]) if paths else None
    if found:
        return found[1]
    named = re.findall(r"(?:site|dist)-packages[\\/](\w+)[\\/]", subject.text) if not paths else []
    return named[-1] if named else ""


def distribution_of(module: str) -> str:
    """What pip calls the distribution of a module, "" for what can be none."""
    top = module.split(".", maxsplit=1)[0]
    if module.startswith("google."):
        return DISTRIBUTIONS.get(".".join(module.split(".")[:2]), "")
    return (
        DISTRIBUTIONS.get(module)
        or DISTRIBUTIONS.get(top)
        or ADDONS.get(top)
        or (top.replace("_", "-") if re.fullmatch(r"[a-z]\w{1,40}", top) else "")
    )


def restarted(subject: Subject, cost: str) -> str:
    """A cost, with what a notebook needs beside it."""
    return f"{cost}; restart the kernel of the notebook afterwards" if subject.notebook else cost
