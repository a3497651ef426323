"""What to do where packages beside TensorFlow do not fit: NumPy, protobuf, Keras, add-ons, what is missing, what clashes."""

from __future__ import annotations

import re

from provisioner.base.versions import contains, minor_of, numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import NO_ADDON, View, newest, package_of, release_of, specifier
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import ONE_PACKAGE, either, install, into, mend, runs, uninstall

# Names that NumPy dropped, by the first release without them (its release notes).
_GONE_124 = frozenset({"object", "bool", "int", "float", "complex", "str", "long", "unicode"})
_GONE_20 = re.compile(
    r"attribute '(product|cumproduct|float_|complex_|unicode_|string_|Inf|NaN|infty|sometrue|alltrue|in1d|trapz|row_stack|cast|mat|asfarray"
    r"|issubclass_|byte_bounds|round_|set_string_function)'"
)
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
_DISTRIBUTIONS = {
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
_LISTED = re.compile(r"^[ \-]{0,4}(tensorflow|tf[-_]nightly)([-_][\w-]+)?(?: ?==| +)\(?v?(\d[\w.]*)", re.MULTILINE | re.IGNORECASE)


def numpy(subject: Subject, view: View) -> Remedy:
    """NumPy below or above a number, by the release, else by the name that is missing."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    spec = _numpy_of_line(subject.seen)
    range_ = specifier(view, release, "numpy", platform=subject.platform, python=subject.python)
    if range_ and (not spec or range_.startswith("==") or _narrower(range_, spec)):
        spec = range_
    known = (
        f"TensorFlow {release.version} works with NumPy {spec}"
        if release and spec == range_
        else "the names and the binary form that the message misses went with a later NumPy"
    )
    if re.search(r"size changed|API version|wrong size|compiled against", subject.seen) and not range_:
        known = "what is installed was compiled for a newer NumPy than the one that is there"
        spec = ">=1.23,<2"
    spec = spec or "<2"
    return Remedy(
        words=f"Install a NumPy that fits: numpy{spec}",
        steps=(install(subject, f"numpy{spec}"),),
        why=known,
        cost=_restart(subject, ONE_PACKAGE),
        others=(
            (
                Way(
                    words=(
                        "Or keep this NumPy and take newer releases of the packages that were made for the old one; TensorFlow from 2.18 on works"
                        " with NumPy 2"
                    ),
                    steps=(install(subject, "tensorflow>=2.18", options="--upgrade"),),
                    cost="changes many packages; models and programs may need changes",
                ),
                *either(subject, view),
            )
            if "<2" in spec
            else either(subject, view)
        ),
    )


def _numpy_of_line(seen: str) -> str:
    name = re.search(r"(?:attribute '|np\.)(\w+)", seen)
    if _GONE_20.search(seen):
        return "<2"
    if name and name[1] in _GONE_124:
        return "<1.24"
    if "symbolic" in seen:
        return "<1.20"
    return "<2" if re.search(r"NumPy 1\.x|_ARRAY_API|numpy\._core", seen) else ""


def _narrower(spec: str, than: str) -> bool:
    """Whether an upper bound lies below another."""
    one, other = (re.search(r"<(\d[\d.]*)", item) for item in (spec, than))
    return bool(one and other and numbers(one[1]) <= numbers(other[1]))


def protobuf(subject: Subject, view: View) -> Remedy:
    """Protobuf below a number where the code is older than it, above it where the code is newer."""
    gencode = re.search(r"gencode (?:version )?(\d+\.\d+\.\d+)", subject.text)
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    range_ = specifier(view, release, "protobuf", platform=subject.platform, python=subject.python)
    if re.search(r"This program requires version [\d.]+ of the Protocol Buffer runtime", subject.text):
        return Remedy(
            words=(
                "Import tensorflow in the first line of the program, before the package that brings another protobuf in C++ (often OpenCV or Caffe)"
            ),
            steps=(runs(subject, "import tensorflow; import cv2"),),
            why="the process loaded an older libprotobuf of another package first, and pip's protobuf is not that one",
            others=(
                Way(
                    words=(
                        "If that does not help, take the other package out of this process, or install a build of it from pip in place of the"
                        " system's"
                    )
                ),
                *either(subject, view),
            ),
        )
    if gencode:
        spec, why = f">={gencode[1]}", f"the files were generated by protobuf {gencode[1]}, and an older one refuses them"
    elif re.search(r"GetPrototype", subject.seen):
        spec, why = range_ or "<6", "the name went with protobuf 6, and TensorFlow before 2.20 asks for it"
    elif re.search(r"'builder'|runtime_version", subject.seen):
        spec = range_ if range_ and not range_.startswith("<") else ">=3.20.3,<4" if "builder" in subject.seen else ">=5.28.3"
        why = "the generated files ask for a part that older releases of protobuf lack"
    else:
        spec = range_ if range_ and (range_.startswith("<") or release) else ">=3.20.3,<3.21"
        why = (
            "the generated files are older than this protobuf accepts; 3.20 is the last that does"
            if not range_
            else f"it is what TensorFlow {subject.tensorflow} goes with"
        )
    return Remedy(
        words=f"Install a protobuf that fits: protobuf{spec}",
        steps=(install(subject, f"protobuf{spec}"),),
        why=why,
        cost=_restart(subject, ONE_PACKAGE),
        others=either(subject, view),
    )


def keras(subject: Subject, view: View) -> Remedy:
    """Keras, its estimator or tf-keras of the release's own number; or, of an add-on that ended, what takes its place."""
    asking = asking_package(subject)
    if "tensorflow_addons" in asking or "tensorflow_addons" in subject.seen:
        return _addons_ended(subject, view)
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    if re.search(
        r"KERAS_BACKEND|No module named '?(jax|torch|theano)|keras\.src\.backend\.(jax|torch)", subject.seen + subject.text[-600:]
    ):
        return _backend(subject)
    legacy = re.search(r"tf[._]keras|Keras 3|KerasTensor|legacy", subject.seen, re.IGNORECASE) and (
        release is None or numbers(release.version)[:2] >= (2, 16)
    )
    estimator = re.search(r"estimator|MeanMetricWrapper", subject.text, re.IGNORECASE)
    package = "tensorflow-estimator" if estimator else "tf-keras" if legacy else "keras"
    outside = asking and asking not in {"keras", "tf_keras", "tensorflow", "tensorflow_core", "tensorflow_estimator", "tensorboard"}
    if asking in ADDONS and outside:
        return addon_of(subject, view, ADDONS[asking])
    if outside and re.search(r"has no attribute '?__version__|cannot import name|has no attribute", subject.seen):
        return _asked_by(subject, asking)
    spec = _keras_spec(subject, view, package)
    if not spec:
        return Remedy(
            words=f"Give {package} the number of TensorFlow: see which two are there, then install {package} of the same X.Y",
            steps=(
                f"{subject.shell_python} -m pip show tensorflow {package}",
                install(subject, package, "tensorflow", options="--upgrade"),
            ),
            why=f"{package} and TensorFlow before 2.16 belong together by their numbers; brought up to date together they fit",
            cost="the second line takes the newest of both that this Python can have",
            others=either(subject, view),
        )
    remnant = re.search(r"cannot import name '?__version__|unknown location|namespace", subject.seen)
    steps = (uninstall(subject, package), install(subject, f"{package}{spec}")) if remnant else (install(subject, f"{package}{spec}"),)
    more = (
        (Way(words="Tell Keras to be Keras 2, before TensorFlow is imported", steps=(_set(subject, "TF_USE_LEGACY_KERAS", "1"),)),)
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
        cost=_restart(subject, ONE_PACKAGE),
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


def _backend(subject: Subject) -> Remedy:
    value = "set KERAS_BACKEND=tensorflow" if subject.windows else "export KERAS_BACKEND=tensorflow"
    return Remedy(
        words='Tell Keras to compute with TensorFlow: unset KERAS_BACKEND or set it, and put "backend": "tensorflow" into ~/.keras/keras.json',
        steps=(value,),
        why="Keras 3 takes the backend that the variable or that file names, and imports it",
    )


def _asked_by(subject: Subject, asking: str) -> Remedy:
    name = ADDONS.get(asking, _DISTRIBUTIONS.get(asking, asking.replace("_", "-")))
    older = "tensorflow<2.13" if "__version__" in subject.seen else "tensorflow<2.16"
    return Remedy(
        words=f"Bring {name} up to date: it asks this TensorFlow for a name that it no longer has",
        steps=(install(subject, name, options="--upgrade"),),
        why=f"the innermost file is one of {name}, which was written for an older TensorFlow",
        cost=_restart(subject, ONE_PACKAGE),
        others=(
            Way(
                words=f"Or keep {name} and take an older TensorFlow",
                steps=(install(subject, older),),
                cost="changes TensorFlow and what belongs to it",
            ),
            *mend(subject),
        ),
    )


def _addons_ended(subject: Subject, view: View) -> Remedy:
    last = newest(view, lambda _build: True, platform=subject.platform, python=subject.python, below="2.16")
    steps = (
        (install(subject, f"tensorflow=={minor_of(last.version)}.*", f"tensorflow-addons{last.addons.get('tensorflow-addons', '')}"),)
        if last
        else ()
    )
    return Remedy(
        words="Take tensorflow-addons out of the program: Keras 3 and TensorFlow have most of its parts (losses, layers, optimizers) themselves",
        steps=(uninstall(subject, "tensorflow-addons"),),
        why="tensorflow-addons ended in 2024 with 0.23 and works with Keras 2 and TensorFlow up to 2.15 only",
        cost="the lines that use it have to be changed",
        others=(
            Way(
                words="Or keep it, with the last TensorFlow that it works with"
                + ("" if last else ", on a Python that has one (3.9 to 3.11)"),
                steps=steps,
                cost="TensorFlow goes back to 2.15 or older",
            ),
        ),
    )


def dependency(subject: Subject, view: View) -> Remedy:
    """The package that the line names, in the version that belongs to this release."""
    seen = subject.seen
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    if "pkg_resources" in seen and "No module" in seen:
        return Remedy(
            words="Install a setuptools that still has pkg_resources: below 82",
            steps=(install(subject, "setuptools<82"),),
            why="setuptools 82 dropped pkg_resources, which TensorBoard up to 2.20 and tensorflow-hub 0.16.1 import",
            cost=_restart(subject, "changes this one package"),
            others=(
                Way(words="Or take the TensorBoard that does without it", steps=(install(subject, "tensorboard>=2.21"),)),
                *mend(subject),
            ),
        )
    if "float8_e4m3b11'" in seen:
        return _one(subject, view, "ml-dtypes<0.3", "the name went with ml-dtypes 0.3, and this TensorFlow (or JAX) still asks for it")
    if "has no attribute 'decode'" in seen:
        return _one(subject, view, "h5py<3", "h5py 3 gives text where Keras of that time expects bytes; h5py 2.10 does not")
    addon = re.search(
        r"TensorFlow (Probability|Addons|Text|Hub|Decision Forests|Agents|IO)|(tensorflow_probability|tensorflow_hub|tf_agents|tensorflow_datasets)",
        seen + " " + asking_package(subject),
    )
    if addon:
        return addon_of(subject, view, (addon[2] or f"tensorflow-{addon[1]}").lower().replace("_", "-").replace(" ", "-"))
    missing = re.search(r"No module named '?([\w.]+)", seen)
    named = re.search(r"(?:module |from (?:partially initialized module )?)'?([A-Za-z_][\w.]*)'?", seen)
    module = (missing or named)[1] if missing or named else ""  # type: ignore[index]  # one of them is there
    package = _distribution(module) or asking_package(subject).replace("_", "-")
    if package:
        version = specifier(view, release, package, platform=subject.platform, python=subject.python)
        spec = "" if version in {"", NO_ADDON} else version
        if missing:
            return _one(subject, view, f"{package}{spec}", f"{module} is not there, and something that is installed imports it")
        if spec:
            return _one(subject, view, f"{package}{spec}", f"it is the {package} that TensorFlow {subject.tensorflow} goes with")
        if package not in {"tensorflow", "tensorflow-core"}:
            return Remedy(
                words=f"Bring {package} up to date, and see what else does not fit",
                steps=(install(subject, package, options="--upgrade"), f"{subject.shell_python} -m pip check"),
                why=f"a name is asked of {package} that this version of it does not have",
                cost=_restart(subject, ONE_PACKAGE),
                others=either(subject, view),
            )
    return Remedy(
        words="See which packages do not fit, then install TensorFlow with what it asks for",
        steps=(f"{subject.shell_python} -m pip check", install(subject, _itself(subject), options="--upgrade")),
        why="pip brings the packages that TensorFlow asks for to versions that it accepts",
        cost=_restart(subject, "may change several packages"),
        others=either(subject, view),
    )


def _one(subject: Subject, view: View, wanted: str, why: str) -> Remedy:
    return Remedy(
        words=f"Install {wanted}",
        steps=(install(subject, wanted),),
        why=why,
        cost=_restart(subject, ONE_PACKAGE),
        others=either(subject, view),
    )


def addon(subject: Subject, view: View) -> Remedy:
    """The add-on that did not load, in the release that was made for this TensorFlow."""
    text = subject.seen + "\n" + subject.text
    if re.search(r"tfdml|directml", text, re.IGNORECASE):
        rivals = _rivals(subject) or ("tensorflow", "tensorflow-cpu", "tensorflow-intel")
        return Remedy(
            words="Leave one TensorFlow: the DirectML plug-in works with tensorflow-cpu 2.10 alone, on Python 3.7 to 3.10",
            steps=(
                uninstall(subject, *rivals, "tensorflow-directml-plugin"),
                install(subject, "tensorflow-cpu==2.10.1", "tensorflow-directml-plugin==0.4.0.dev230202"),
            ),
            why="its library was made for 2.10, and two releases lie over each other in one folder",
            cost="TensorFlow goes back to 2.10; the plug-in ended there",
            others=(
                Way(
                    words="Or do without it: then the newest TensorFlow computes on the processor",
                    steps=(uninstall(subject, "tensorflow-directml-plugin"),),
                ),
                *mend(subject),
            ),
        )
    if re.search(r"libmetal_plugin|tensorflow-metal|METAL", text):
        return _metal(subject, view)
    asking = re.search(r"(?:site|dist)-packages[\\/](" + "|".join(ADDONS) + r")[\\/]", subject.seen) or re.search(
        r"(?:site|dist)-packages[\\/](" + "|".join(ADDONS) + r")[\\/]|\b(tensorflow_\w+|reverb)\b", text
    )
    name = next((ADDONS.get(item, "") for item in (asking.groups() if asking else ()) if item), "")
    said = re.search(r"tensorflow[-_](text|io|addons|probability|hub|decision[-_]forests)", text, re.IGNORECASE)
    name = name or (f"tensorflow-{said[1].lower().replace('_', '-')}" if said else "")
    if name:
        return addon_of(subject, view, name)
    return Remedy(
        words="Bring the package whose file the line names to the release that was made for this TensorFlow, or install both anew together",
        steps=(f"{subject.shell_python} -m pip list", install(subject, _itself(subject), options="--force-reinstall --no-cache-dir")),
        why="a compiled part asks for a C++ function that another TensorFlow has",
        cost="downloads TensorFlow again",
        others=either(subject, view),
    )


def addon_of(subject: Subject, view: View, name: str) -> Remedy:
    """One add-on by its name: the range of the release, or both brought up to date together."""
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    spec = specifier(view, release, name, platform=subject.platform, python=subject.python)
    if spec == NO_ADDON:
        if name == "tensorflow-addons":
            return _addons_ended(subject, view)
        return Remedy(
            words=f"Do without {name}, or go back to a TensorFlow that it was made for: none of its releases is for {subject.tensorflow}",
            steps=(uninstall(subject, name),),
            why=f"the catalogue knows of no {name} for this release",
            others=mend(subject),
        )
    if spec:
        return Remedy(
            words=f"Install the {name} that was made for TensorFlow {minor_of(subject.tensorflow)}: {name}{spec}",
            steps=(install(subject, f"{name}{spec}"),),
            why="an add-on with compiled parts, or one that asks for a certain TensorFlow, goes with that one only",
            cost=_restart(subject, "changes the add-on, not TensorFlow"),
            others=mend(subject),
        )
    if subject.minor and release is None:
        return Remedy(
            words=f"Take the {name} of the time of TensorFlow {subject.minor}: its release notes name the TensorFlow that each was tested with",
            steps=(f"{subject.shell_python} -m pip index versions {name}", f"{subject.shell_python} -m pip show tensorflow {name}"),
            why=f"the {name} that is there asks for names of another TensorFlow; pip takes the newest that the Python allows, which is too new",
            others=(
                Way(
                    words="Or take a TensorFlow of today, with which the newest goes",
                    steps=(install(subject, "tensorflow", name, options="--upgrade"),),
                    cost="the release changes",
                ),
            ),
        )
    together = "dm-reverb[tensorflow]" if name == "dm-reverb" else name
    return Remedy(
        words=f"Bring {name} and TensorFlow to the same release: see which two are there, then install both together",
        steps=(f"{subject.shell_python} -m pip show tensorflow {name}", install(subject, together, _itself(subject), options="--upgrade")),
        why=f"{name} is compiled for one release of TensorFlow; installed together, pip takes two that go with each other",
        cost="may change TensorFlow",
        others=mend(subject),
    )


def _metal(subject: Subject, view: View) -> Remedy:
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    build = release.build("macos-aarch64") if release else None
    if build is not None and build.metal and subject.platform != "macos-x86_64":
        wanted = f"tensorflow-metal=={build.metal.version}"
        return Remedy(
            words=f"Install the plug-in that goes with TensorFlow {minor_of(subject.tensorflow)}: {wanted}",
            steps=(install(subject, wanted),),
            why="each release of tensorflow-metal was made for some releases of TensorFlow, and needs macOS 12 or newer",
            cost="changes the plug-in only",
            others=(
                Way(words="Or take it out: TensorFlow then computes on the processor", steps=(uninstall(subject, "tensorflow-metal"),)),
            ),
        )
    return Remedy(
        words=(
            "Take the plug-in out, so that TensorFlow computes on the processor; it needs macOS 12 and a newer TensorFlow"
            if subject.minor
            else "See which two are there: tensorflow-metal goes with certain releases only, and needs macOS 12"
        ),
        steps=(uninstall(subject, "tensorflow-metal"),),
        why="the plug-in asks for a function that this TensorFlow does not have",
        others=(
            Way(
                words="Or, on macOS 12 and newer, take a TensorFlow that it is for",
                steps=(install(subject, "tensorflow==2.18.*", "tensorflow-metal==1.2.0"),),
                cost="TensorFlow changes its release",
            ),
        ),
    )


def conflicting(subject: Subject, view: View) -> Remedy:
    """All of them out, then one in; where what pip or conda lists shows a companion of another release, that one."""
    companion = _odd_companion(subject, view)
    if companion:
        name, spec, version = companion
        conda = re.search(r"tensorflow(-base)? +\d[\w.]* +\w*py\d", subject.text)
        step = (
            f'conda install -y "{name}={spec[2:].removesuffix(".*")}"' if conda and not subject.env else install(subject, f"{name}{spec}")
        )
        return Remedy(
            words=f"Bring {name} to the number of TensorFlow {version}",
            steps=(step,),
            why=f"{name} of another release lies over the one that came with TensorFlow",
            cost=ONE_PACKAGE,
            others=either(subject, view),
        )
    old = ("tensorflow-gpu", "tf-nightly-gpu") if re.search(r"gpu", subject.told + subject.seen) else ()
    rivals = _rivals(subject) or ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly", *old)
    wanted = f"tensorflow=={subject.tensorflow}" if re.fullmatch(r"\d+\.\d+\.\d+", subject.tensorflow) else "tensorflow"
    return Remedy(
        words="Take all TensorFlow packages out and install one",
        steps=(uninstall(subject, *rivals), install(subject, wanted, options="--no-cache-dir")),
        why="they own the same folder, so each has overwritten files of the other; only without all of them is it clean",
        cost="downloads TensorFlow again",
        others=either(subject, view),
    )


def _rivals(subject: Subject) -> tuple[str, ...]:
    names = {"", "-cpu", "-gpu", "-intel", "-macos", "_cpu", "_gpu", "_intel", "_macos"}
    found = [
        f"{base}{tail or ''}".lower().replace("_", "-") for base, tail, _ in _LISTED.findall(subject.text) if (tail or "").lower() in names
    ]
    return tuple(dict.fromkeys(found)) if len(set(found)) > 1 else ()


def _odd_companion(subject: Subject, view: View) -> tuple[str, str, str] | None:
    listed = {f"{base}{tail or ''}".lower().replace("_", "-"): version for base, tail, version in _LISTED.findall(subject.text)}
    version = listed.get("tensorflow") or listed.get("tensorflow-base") or ""
    if not version or len({item for item in listed if item in {"tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly"}}) > 1:
        return None
    for item in view.fits().companions:
        have = listed.get(item.package, "")
        same = item.tensorflow == "same minor" and (not item.releases or contains(item.releases, version))
        if have and same and numbers(have)[:2] != numbers(version)[:2]:
            return item.package, f"=={minor_of(version)}.*", version
    return None


def corrupt(subject: Subject, view: View) -> Remedy:
    """TensorFlow out, what is left of it away, and in again, without what pip kept."""
    tilde = re.search(r"invalid distribution -(\w[\w-]*)", subject.seen)
    if tilde and not re.search(r"tensorflow|ensorflow|keras|numpy", tilde[1], re.IGNORECASE):
        return Remedy(
            words=f"Delete the folders in site-packages whose names begin with ~ (left of an update of {tilde[1].lstrip('-')} that broke off)",
            steps=(runs(subject, "import site; print(site.getsitepackages())"),),
            why="pip renames what it replaces and was stopped before it could delete it; TensorFlow is not touched by that",
        )
    itself = _itself(subject)
    if re.search(r"undefined symbol|libtensorflow_framework", subject.seen) and not subject.windows:
        first = f"env -u LD_LIBRARY_PATH -u PYTHONPATH {runs(subject, 'import tensorflow')}"
        return Remedy(
            words="Start without LD_LIBRARY_PATH and PYTHONPATH; if that works, they bring in files of another TensorFlow. If not, install it anew",
            steps=(first, uninstall(subject, *_names(subject)), install(subject, itself, options="--no-cache-dir")),
            why="two files of TensorFlow in that line are of different releases",
            cost="downloads TensorFlow again",
            others=either(subject, view),
        )
    return Remedy(
        words="Take TensorFlow out and install it anew; delete what is left of its folder between the two",
        steps=(uninstall(subject, *_names(subject)), install(subject, itself, options="--no-cache-dir")),
        why="files of it are missing, cut off or of another release; a new copy has them all",
        cost="downloads TensorFlow again",
        others=either(subject, view),
    )


def clash(subject: Subject, view: View) -> Remedy:
    """An older TensorFlow that hides its copy on macOS; the order of imports elsewhere."""
    others = tuple(dict.fromkeys(re.findall(r"\b(?:import|from) (pyarrow|tink|ray|datasets|torch|cv2)\b", subject.text)))
    name = others[0] if others else "pyarrow"
    order = Way(
        words=f"Or use the two in different processes, and import tensorflow first where that is enough (put your package in place of {name})",
        steps=(runs(subject, f"import tensorflow, {name}"),) if others or subject.system != "linux" else (),
    )
    if subject.system in {"macos", ""} and re.search(r"mutex", subject.text):
        return Remedy(
            words="Go back to TensorFlow 2.19, which hides its copy of the library (2.20 and later on macOS do not)",
            steps=(install(subject, "tensorflow<2.20"),),
            why=f"{' and '.join(others) or 'another package'} and TensorFlow 2.20 each bring abseil, and on macOS one uses the other's",
            cost=_restart(subject, "changes TensorFlow and what belongs to it"),
            others=(order, *into(subject, view, release_of(view, "2.19"))),
        )
    return Remedy(
        words="Import tensorflow in the first line of the program, before everything else",
        steps=(runs(subject, "import tensorflow"),),
        why="the library that is loaded first serves both; TensorFlow's own must be that one",
        others=(order, *mend(subject)),
    )


def _names(subject: Subject) -> tuple[str, ...]:
    listed = _rivals(subject)
    return listed or (("tensorflow", "tensorflow-intel") if subject.windows else ("tensorflow",))


def _itself(subject: Subject) -> str:
    package = package_of(subject.tensorflow or "2.21", subject.platform)
    exact = re.fullmatch(r"\d+\.\d+\.\d+", subject.tensorflow)
    return f"{package}=={subject.tensorflow}" if exact else f"{package}=={subject.minor}.*" if subject.minor else package


def asking_package(subject: Subject) -> str:
    """The package of the innermost file of the last traceback, by its folder; "" where it is the program's own."""
    end = max(subject.text.rfind("Error"), 0)
    found = re.findall(r"(?:site|dist)-packages[\\/](\w+)[\\/]", subject.text[:end] if end else subject.text)
    return found[-1] if found else ""


def _distribution(module: str) -> str:
    top = module.split(".", maxsplit=1)[0]
    if module.startswith("google."):
        return _DISTRIBUTIONS.get(".".join(module.split(".")[:2]), "")
    return (
        _DISTRIBUTIONS.get(module)
        or _DISTRIBUTIONS.get(top)
        or ADDONS.get(top)
        or (top.replace("_", "-") if re.fullmatch(r"[a-z]\w{1,40}", top) else "")
    )


def _set(subject: Subject, name: str, value: str) -> str:
    return f"set {name}={value}" if subject.windows else f"export {name}={value}"


def _restart(subject: Subject, cost: str) -> str:
    return f"{cost}; restart the kernel of the notebook afterwards" if subject.notebook else cost
