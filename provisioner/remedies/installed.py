"""What to do where TensorFlow itself is damaged, there several times, or meets another copy of its libraries."""

from __future__ import annotations

import re

from provisioner.base.versions import contains, minor_of, numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import View, release_of
from provisioner.remedies.names import LISTED, own_module, own_names, restarted, rivals_of, same_tensorflow
from provisioner.remedies.pythons import damaged as damaged_python
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import ONE_PACKAGE, either, install, into, mend, runs, uninstall

# Of many packages the first are named in words; the command has all.
_NAMED = 3


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
    if "already registered with name" in subject.seen:
        return _plugin_twice(subject)
    old = ("tensorflow-gpu", "tf-nightly-gpu") if re.search(r"gpu", subject.told + subject.seen) else ()
    rivals = rivals_of(subject) or ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly", *old)
    wanted = f"tensorflow=={subject.tensorflow}" if re.fullmatch(r"\d+\.\d+\.\d+", subject.tensorflow) else "tensorflow"
    if subject.wants:
        # Of what is there one stays, under its own name.
        wanted = subject.wants[-1]
    return Remedy(
        words="Take all TensorFlow packages out and install one",
        steps=(uninstall(subject, *rivals), install(subject, wanted, options="--no-cache-dir")),
        why="they own the same folder, so each has overwritten files of the other; only without all of them is it clean",
        cost="downloads TensorFlow again",
        others=either(subject, view),
    )


def _plugin_twice(subject: Subject) -> Remedy:
    """A plug-in of one name may be there once: all copies out, one in."""
    own = ("tensorflow", "tensorflow-macos", "tensorflow-metal")
    return Remedy(
        words="Take TensorFlow and the plug-in out, look whether a second copy is left (the last line shows the folders), and install each once",
        steps=(uninstall(subject, *own), runs(subject, "import site; print(site.getsitepackages(), site.getusersitepackages())")),
        why="TensorFlow loads the plug-ins of every folder of packages that it sees, and the second one of the same name ends the import",
        cost="downloads TensorFlow again",
        others=(
            Way(words="Then install both in one command, so that pip takes two that go together", steps=(install(subject, *own[::2]),)),
            *mend(subject),
        ),
    )


def _odd_companion(subject: Subject, view: View) -> tuple[str, str, str] | None:
    listed = {f"{base}{tail or ''}".lower().replace("_", "-"): version for base, tail, version in LISTED.findall(subject.text)}
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
    if own_module(subject.seen):
        return damaged_python(subject, view)
    if subject.wants:
        return _again(subject, view)
    if "tfjs_binding" in subject.seen:
        return Remedy(
            words="Have the native part of tfjs-node built for this Node.js, or fetched anew",
            steps=("npm rebuild @tensorflow/tfjs-node --build-addon-from-source",),
            why="it was made for another Node.js, or the library beside it (tensorflow.dll, libtensorflow) is not there",
            others=(Way(words="Or install it anew", steps=("npm install @tensorflow/tfjs-node",)),),
        )
    stuck = re.search(r"Cannot uninstall '?([\w.-]+?)'?(?: [\d.]+)?[.,]? ", subject.seen)
    if stuck and "distutils" in subject.seen:
        return Remedy(
            words=f"Install over the {stuck[1]} that is there, without taking it out",
            steps=(install(subject, stuck[1], options="--ignore-installed"),),
            why=f"{stuck[1]} was put there by the system's or conda's installer, which left no list of its files; the new one comes before it",
            cost=ONE_PACKAGE,
            others=either(subject, view),
        )
    if "left by an interrupted pip" in subject.seen:
        return Remedy(
            words="Delete the folders in site-packages whose names begin with ~",
            steps=(runs(subject, "import site; print(site.getsitepackages())"),),
            why="pip renames what it replaces and was stopped before it could delete it; nothing uses them",
            others=mend(subject),
        )
    tilde = re.search(r"invalid distribution -(\w[\w-]*)", subject.seen)
    if tilde and not re.search(r"tensorflow|ensorflow|keras|numpy", tilde[1], re.IGNORECASE):
        return Remedy(
            words=f"Delete the folders in site-packages whose names begin with ~ (left of an update of {tilde[1].lstrip('-')} that broke off)",
            steps=(runs(subject, "import site; print(site.getsitepackages())"),),
            why="pip renames what it replaces and was stopped before it could delete it; TensorFlow is not touched by that",
        )
    itself = same_tensorflow(subject)
    if re.search(r"undefined symbol|libtensorflow_framework", subject.seen) and not subject.windows:
        first = f"env -u LD_LIBRARY_PATH -u PYTHONPATH {runs(subject, 'import tensorflow')}"
        return Remedy(
            words="Start without LD_LIBRARY_PATH and PYTHONPATH; if that works, they bring in files of another TensorFlow. If not, install it anew",
            steps=(first, uninstall(subject, *own_names(subject)), install(subject, itself, options="--no-cache-dir")),
            why="two files of TensorFlow in that line are of different releases",
            cost="downloads TensorFlow again",
            others=either(subject, view),
        )
    return Remedy(
        words="Take TensorFlow out and install it anew; delete what is left of its folder between the two",
        steps=(uninstall(subject, *own_names(subject)), install(subject, itself, options="--no-cache-dir")),
        why="files of it are missing, cut off or of another release; a new copy has them all",
        cost="downloads TensorFlow again",
        others=either(subject, view),
    )


def _again(subject: Subject, view: View) -> Remedy:
    """The damaged packages themselves, each in its version, over what is there; one without its record cannot be taken out before."""
    names = [item.partition("==")[0] for item in subject.wants]
    named = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    over = "--ignore-installed" if re.search(r"RECORD|record|metadata", subject.seen) else "--force-reinstall"
    return Remedy(
        words=f"Install {named} anew, in the same version",
        steps=(install(subject, *subject.wants, options=f"{over} --no-deps --no-cache-dir"),),
        why="files of it are missing, cut off or of another release; a new copy has them all",
        cost="downloads it again" if len(names) == 1 else "downloads them again",
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
            cost=restarted(subject, "changes TensorFlow and what belongs to it"),
            others=(order, *into(subject, view, release_of(view, "2.19"))),
        )
    return Remedy(
        words="Import tensorflow in the first line of the program, before everything else",
        steps=(runs(subject, "import tensorflow"),),
        why="the library that is loaded first serves both; TensorFlow's own must be that one",
        others=(order, *mend(subject)),
    )
