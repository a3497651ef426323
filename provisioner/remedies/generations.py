"""What to do where NumPy, protobuf or another dependency is of another generation than TensorFlow."""

from __future__ import annotations

import re

from provisioner.base.versions import numbers
from provisioner.model.catalogue import Release
from provisioner.model.finding import Remedy, Way
from provisioner.remedies import beside, library
from provisioner.remedies.addons import addon_of
from provisioner.remedies.knowledge import NO_ADDON, View, release_of, specifier
from provisioner.remedies.names import DISTRIBUTIONS, NATIVE, asking_package, distribution_of, restarted, same_tensorflow
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import ONE_PACKAGE, either, install, mend, runs

# Names that NumPy dropped, by the first release without them (its release notes).
_GONE_124 = frozenset({"object", "bool", "int", "float", "complex", "str", "long", "unicode"})


_GONE_20 = re.compile(
    r"attribute '(product|cumproduct|float_|complex_|unicode_|string_|Inf|NaN|infty|sometrue|alltrue|in1d|trapz|row_stack|cast|mat|asfarray"
    r"|issubclass_|byte_bounds|round_|set_string_function)'"
)


def numpy(subject: Subject, view: View) -> Remedy:
    """NumPy below or above a number, by the release, else by the name that is missing."""
    if "required for this version of SciPy" in subject.seen:
        return Remedy(
            words="Bring SciPy up to date: it is the older of the two, and warns alone",
            steps=(install(subject, "scipy", options="--upgrade"),),
            why="SciPy names the versions of NumPy that it was built for, and the one that is there came later",
            cost=restarted(subject, ONE_PACKAGE),
            others=either(subject, view),
        )
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    if "DLL load failed" in subject.seen:
        return _loaded_again(subject, view, release, "numpy", "_multiarray_umath")
    spec = _numpy_of_line(subject.seen)
    range_ = specifier(view, release, "numpy", platform=subject.platform, python=subject.python)
    # The set of a release has a NumPy 2 where the release goes with 1.26 as well; a name that NumPy 2 dropped needs that.
    after = spec == "<2" and range_.startswith("==2")
    if range_ and not after and (not spec or range_.startswith("==") or _narrower(range_, spec)):
        spec = range_
    known = (
        f"TensorFlow {release.version} works with NumPy {spec}"
        if release and spec == range_
        else "the names that the message misses came with that NumPy"
        if spec.startswith(">")
        else "the names and the binary form that the message misses went with a later NumPy"
    )
    if re.search(r"size changed|API version|wrong size|compiled against", subject.seen) and (not range_ or "Expected 96" in subject.seen):
        return _older_than_compiled(subject, view)
    spec = spec or "<2"
    return Remedy(
        words=f"Install a NumPy that fits: numpy{spec}",
        steps=(install(subject, f"numpy{spec}"),),
        why=known,
        cost=restarted(subject, ONE_PACKAGE),
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
            if spec.startswith("<")
            else either(subject, view)
        ),
    )


def _older_than_compiled(subject: Subject, view: View) -> Remedy:
    """A package was compiled for a newer NumPy than the one that is there; 96 bytes of a dtype are NumPy 2's, 88 were NumPy 1's."""
    two = "Expected 96" in subject.seen
    compiled = tuple(
        dict.fromkeys(re.findall(r"(?:site|dist)-packages[\\/](pandas|h5py|scipy|sklearn|matplotlib|pyarrow|numba)[\\/]", subject.text))
    )
    names = tuple(DISTRIBUTIONS.get(item, item) for item in compiled) or (("pandas", "h5py", "scipy") if two else ())
    return Remedy(
        words="Bring NumPy and the packages that are compiled for it to one generation: all of them anew, in one command",
        steps=(install(subject, "numpy", *names, options="--upgrade"),),
        why=(
            "one of them was compiled for NumPy 2 and finds NumPy 1"
            if two
            else "what is installed was compiled for a newer NumPy than the one that is there"
        ),
        cost=restarted(subject, "TensorFlow up to 2.17 needs numpy<2: name it in the same command where it is that old"),
        others=either(subject, view),
    )


# What NumPy 1.25 brought (its release notes), and 1.26 of NumPy 2's names: whoever misses it needs a newer one.
_NEW_125 = re.compile(r"module 'numpy' has no attribute '(dtypes|exceptions)'|No module named 'numpy\.(dtypes|exceptions|_core)\b")


def _numpy_of_line(seen: str) -> str:
    name = re.search(r"(?:attribute '|np\.)(\w+)", seen)
    if _NEW_125.search(seen):
        return ">=1.25,<2"
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
        spec, why = (
            (f"{range_},<6" if range_.startswith(">=") and "<" not in range_ else range_ or "<6"),
            "the name went with protobuf 6, and TensorFlow before 2.20 asks for it",
        )
    elif re.search(r"import name '?service'? from", subject.seen):
        spec = f"{range_},<6" if range_.startswith(">=") and "<" not in range_ else range_ or "<6"
        why = "google.protobuf.service went with protobuf 6, and the package that asks for it was generated before"
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
        cost=restarted(subject, ONE_PACKAGE),
        others=either(subject, view),
    )


def dependency(subject: Subject, view: View) -> Remedy:
    """The package that the line names, in the version that belongs to this release."""
    gone = (
        library.of_another_python(subject, view) or library.of_unix(subject) or library.hidden(subject) or beside.not_of_tensorflow(subject)
    )
    if gone is not None:
        return gone
    seen = subject.seen
    release = release_of(view, subject.tensorflow) if subject.tensorflow else None
    if "pkg_resources" in seen and "No module" in seen:
        return Remedy(
            words="Install a setuptools that still has pkg_resources: below 82",
            steps=(install(subject, "setuptools<82"),),
            why="setuptools 82 dropped pkg_resources, which TensorBoard up to 2.20 and tensorflow-hub 0.16.1 import",
            cost=restarted(subject, "changes this one package"),
            others=(
                Way(words="Or take the TensorBoard that does without it", steps=(install(subject, "tensorboard>=2.21"),)),
                *mend(subject),
            ),
        )
    if "float8_e4m3b11'" in seen:
        return _one(subject, view, "ml-dtypes<0.3", "the name went with ml-dtypes 0.3, and this TensorFlow (or JAX) still asks for it")
    if re.search(r"'gast' has no attribute '(Index|ExtSlice|Constant|Str|Num)'", seen) and not release:
        return _one(subject, view, "gast<0.4", "the name went with gast 0.4, and TensorFlow up to 2.4 still asks for it")
    if "has no attribute 'decode'" in seen:
        return _one(subject, view, "h5py<3", "h5py 3 gives text where Keras of that time expects bytes; h5py 2.10 does not")
    addon = re.search(
        r"TensorFlow (Probability|Addons|Text|Hub|Decision Forests|Agents|IO)|(tensorflow_probability|tensorflow_hub|tf_agents|tensorflow_datasets)",
        seen + " " + asking_package(subject),
    )
    if addon:
        return addon_of(subject, view, (addon[2] or f"tensorflow-{addon[1]}").lower().replace("_", "-").replace(" ", "-"))
    missing = re.search(r"No module named '?([\w.]+)", seen)
    # Without quotes a word after "module" is none of Python's: "The specified module could not be found" is Windows'.
    named = re.search(r"(?:module |from (?:partially initialized module )?)'([A-Za-z_][\w.]*)'|from ([A-Za-z_][\w.]*) import", seen)
    native = re.search(r"DLL load failed while importing (\w+)", seen)
    module = missing[1] if missing else (named[1] or named[2]) if named else NATIVE.get(native[1], "") if native else ""
    package = distribution_of(module) or distribution_of(asking_package(subject))
    if native and package:
        return _loaded_again(subject, view, release, package, native[1])
    if package:
        version = specifier(view, release, package, platform=subject.platform, python=subject.python)
        spec = "" if version in {"", NO_ADDON} else version
        if missing:
            ended = package == "tensorflow-addons" and numbers(subject.minor) > (2, 15)
            return (
                addon_of(subject, view, package)
                if ended
                else _one(subject, view, f"{package}{spec}", f"{module} is not there, and something that is installed imports it")
            )
        if spec:
            return _one(subject, view, f"{package}{spec}", f"it is the {package} that TensorFlow {subject.tensorflow} goes with")
        if package not in {"tensorflow", "tensorflow-core"}:
            return Remedy(
                words=f"Bring {package} up to date, and see what else does not fit",
                steps=(install(subject, package, options="--upgrade"), subject.pip("check")),
                why=f"a name is asked of {package} that this version of it does not have",
                cost=restarted(subject, ONE_PACKAGE),
                others=either(subject, view),
            )
    return Remedy(
        words="See which packages do not fit, then install TensorFlow with what it asks for",
        steps=(subject.pip("check"), install(subject, same_tensorflow(subject), options="--upgrade")),
        why="pip brings the packages that TensorFlow asks for to versions that it accepts",
        cost=restarted(subject, "may change several packages"),
        others=either(subject, view),
    )


def _loaded_again(subject: Subject, view: View, release: Release | None, package: str, module: str) -> Remedy:
    """A package whose compiled file or a DLL of it Windows cannot load: the package again, whole."""
    version = specifier(view, release, package, platform=subject.platform, python=subject.python)
    spec = "" if version in {"", NO_ADDON} else version
    return Remedy(
        words=f"Install {package} anew: its module {module} is there, and a DLL that it needs is not, or is another one",
        steps=(install(subject, f"{package}{spec}", options="--force-reinstall --no-deps --no-cache-dir"),),
        why=f"a new copy has all of {package}'s own DLLs"
        + (f", in the version that TensorFlow {subject.tensorflow} goes with" if spec else ""),
        cost=restarted(subject, "changes this one package"),
        others=either(subject, view),
    )


def _one(subject: Subject, view: View, wanted: str, why: str) -> Remedy:
    return Remedy(
        words=f"Install {wanted}",
        steps=(install(subject, wanted),),
        why=why,
        cost=restarted(subject, ONE_PACKAGE),
        others=either(subject, view),
    )
