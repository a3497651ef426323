"""What to change in the program, or to know of it, where one line says so exactly: names, files, memory, an import that is missing. Pure."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.names import ADDONS, FRAME, own_frame
from provisioner.remedies.subject import Subject, quoted
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import install, mend, runs


def name_of_the_file(subject: Subject, found: re.Match[str]) -> Remedy:
    """Keras 3 takes the kind of a file from the end of its name (Keras 3 migration guide)."""
    ending = re.search(r"must end (?:in|with) (?:the )?[`'\"]?(\.(?:weights\.h5|keras|h5))", subject.seen)
    where = own_frame(subject.text) or next(
        (
            f"{path}, line {line}"
            for path, line in reversed(FRAME.findall(subject.text[-20_000:]))
            if not re.search(r"(?:site|dist)-packages", path)
        ),
        "the program",
    )
    del found
    return Remedy(
        words=f"Let the file's name end in {ending[1] if ending else '.keras'}, in {where}: nothing has to be installed",
        steps=(),
        why="Keras 3 takes the kind of a file from the end of its name: .keras for a whole model, .weights.h5 for weights alone",
        others=(
            Way(
                words="Or keep the program, with Keras 2 beside Keras 3 (tf-keras, in the number of TensorFlow)",
                steps=(install(subject, "tf-keras"), assigned("TF_USE_LEGACY_KERAS", "1", windows=subject.windows)),
            ),
        ),
    )


def memory_of_the_machine(subject: Subject, found: re.Match[str]) -> Remedy:
    """A tensor that does not fit into the machine's memory: the allocator is the processor's."""
    shape = re.search(r"shape ?\[([\d, ]{1,60})\]", found[0] + subject.seen)
    which = f" (here [{shape[1]}])" if shape else ""
    return Remedy(
        words=f"Make the batch, or the tensor{which}, smaller: it does not fit into the memory of the machine, and the GPU's is not meant",
        steps=() if subject.windows else ("vm_stat",) if subject.system == "macos" else ("free -h",),
        why="the device in the line is the processor; an operation ran there, and no setting of the GPU changes that",
        others=(Way(words="Data that is read in parts (tf.data.Dataset.from_generator, .batch) needs no more than a batch at once"),),
    )


def file_of_weights(subject: Subject, found: re.Match[str]) -> Remedy:
    """A file that is no HDF5 file, or only its begin (HDF5 File Format Specification, "Superblock")."""
    named = re.search(r"[\"'=( ]([^\"'\s=()]{1,200}\.(?:h5|hdf5|keras))\b", subject.text)
    name = named[1] if named else ""
    cut = "truncated" in found[0]
    windows = subject.windows
    look = (f"dir {quoted(name, windows=True)}" if windows else f"ls -l {quoted(name)}") if name else ""
    return Remedy(
        words=(
            f"Fetch the file anew{f': {name}' if name else ''}; "
            + ("it ends before what its first bytes promise: a download or a copy was cut off" if cut else "what is there is no HDF5 file")
            + " (Keras keeps what it downloads in ~/.keras/models, where the broken one is to be deleted)"
        ),
        steps=(look,) if look else (),
        why="the installation reads such files; a pointer of Git LFS, a page of a website or a model in another format is often kept under that name",
    )


# The package whose import registers an operation, by the beginning of its name (the packages' own custom_ops).
_OPERATIONS = (
    (
        re.compile(
            r"CaseFold|Sentencepiece|Wordpiece|Regex(?:Split|FullMatch)With|NormalizeUTF8|UnicodeScriptTokenize|SentenceFragments|RougeL|FastBert|FastWordpiece|WhitespaceTokenize|ConstrainedSequence|NgramsStringJoin|TokenizerFromLogits|SplitMergeTokenize"
        ),
        "tensorflow_text",
    ),
    (re.compile(r"SimpleML"), "tensorflow_decision_forests"),
    (re.compile(r"Addons>"), "tensorflow_addons"),
    (re.compile(r"IO>"), "tensorflow_io"),
)


def operation_of(subject: Subject, found: re.Match[str]) -> Remedy | None:
    """An operation of an add-on, which is there once the add-on was imported; None for one of TensorFlow's own."""
    module = next((module for pattern, module in _OPERATIONS if pattern.match(found[1])), "")
    if not module:
        return None
    return Remedy(
        words=f"In the program, write `import {module}` before the model is loaded; the line shows whether it is installed, and loads",
        steps=(runs(subject, f"import tensorflow, {module}"),),
        why=f"the model has the operation {found[1]} of {ADDONS[module]}, which TensorFlow knows only once that was imported",
        others=(
            Way(
                words="If it is not there, install it beside this TensorFlow, in one command",
                steps=(install(subject, ADDONS[module], "tensorflow"),),
            ),
            *mend(subject),
        ),
    )


def transformers(subject: Subject, found: re.Match[str]) -> Remedy:
    """Transformers 5 has PyTorch alone (Hugging Face, transformers 5 migration guide)."""
    return Remedy(
        words="Take the last transformers that computes with TensorFlow: below 5; and Keras 2 beside it",
        steps=(install(subject, "transformers<5", "tf-keras"),),
        why=f"{found[1]} is a class for TensorFlow, and transformers 5 has none of these any more",
        cost="transformers goes back, with what goes with it",
        others=(Way(words="Or let the program use PyTorch's classes, which have the same names without TF"), *mend(subject)),
    )


def hdf5(subject: Subject, found: re.Match[str]) -> Remedy:
    """Two HDF5 libraries in one process (HDF5 reference manual, H5check_version)."""
    del found
    return Remedy(
        words="Install h5py anew from PyPI, whose wheel holds the HDF5 that it was built with; in conda take h5py and HDF5 from one channel",
        steps=(install(subject, "h5py", options="--force-reinstall --no-cache-dir --no-deps"),),
        why="the HDF5 that was loaded is another one than h5py, or what else uses it, was compiled with, and HDF5 then ends the process",
        cost="changes this one package",
        others=(Way(words="In conda", steps=("conda install -y -c conda-forge --force-reinstall h5py hdf5",)), *mend(subject)),
    )


def cudnn_9_of_windows(subject: Subject, found: re.Match[str]) -> Remedy | None:
    """A DLL of cuDNN 9, which no TensorFlow for Windows opens: its last release with a GPU, 2.10, has cuDNN 8."""
    if not subject.windows:
        return None
    number = found[1]
    return Remedy(
        words=(
            f"Bring cuDNN {number} for the package that asks for it (PyTorch, ONNX Runtime, CTranslate2; no TensorFlow for Windows does), and put the"
            " folder that the second line prints into PATH"
        ),
        steps=(
            install(subject, f"nvidia-cudnn-cu12=={number}.*"),
            runs(subject, "import nvidia.cudnn as m, os; print(os.path.join(m.__path__[0], 'bin'))"),
        ),
        why="the number in the name is cuDNN's major; its DLLs load each other, and Windows looks for them in the folders of PATH",
        cost="a download of about 0.7 GB",
    )


def tensorflow_of(subject: Subject, found: re.Match[str]) -> Remedy:
    """An add-on that says from which TensorFlow on it works, and which one it found (tensorflow_probability/__init__.py)."""
    name = found[1].lower().replace(" ", "-")
    return Remedy(
        words=f"Bring TensorFlow to {found[2]} or newer, from which on this {name} works: it found {found[3]}",
        steps=(install(subject, f"tensorflow>={found[2]}", options="--upgrade"), subject.pip("check")),
        why="the add-on looks at the number of TensorFlow while it is imported, and refuses an older one",
        cost="the release changes, and what goes with it",
        others=(
            Way(
                words=f"Or keep TensorFlow {found[3]}, with the {name} of its time: its release notes name the TensorFlow of each",
                steps=(f"{subject.shell_python} -m pip index versions {name}",),
            ),
            *mend(subject),
        ),
    )


def pinned_everywhere(subject: Subject, found: re.Match[str]) -> Remedy:
    """A list with hashes that was made on another system: what only this one needs is not in it (pip, "Hash-checking Mode")."""
    del found
    return Remedy(
        words="Make the list with its hashes anew on this system, or with a tool that makes one for all: what this system alone needs is not in it",
        steps=(install(subject, "pip-tools"), "pip-compile --generate-hashes requirements.in"),
        why="with hashes pip takes only what the list names, and TensorFlow asks for other packages on another system (tensorflow-intel on Windows)",
        others=(Way(words="Or let tfsetup make a lock for several systems at once, with hashes", steps=("tfsetup lock",)),),
    )


def metal_on_macos_alone(subject: Subject, found: re.Match[str]) -> Remedy:
    """tensorflow-metal has wheels for macOS alone (PyPI), and a project is resolved for every system (uv, Poetry)."""
    del found
    marker = "tensorflow-metal; sys_platform == 'darwin'"
    add = {"uv": f'uv add "{marker}"', "poetry": "poetry add \"tensorflow-metal; sys_platform == 'darwin'\""}
    return Remedy(
        words="Ask for tensorflow-metal on macOS alone, by a marker; a Linux or Windows machine does without it",
        steps=(add.get(subject.installer, f'{subject.shell_python} -m pip install "{marker}"'),),
        why="it has wheels for macOS alone, and a lock is made for every system on which the project may be installed",
    )


def wanted_by_name(subject: Subject, found: re.Match[str]) -> Remedy:
    """A package that says itself which one it needs."""
    return Remedy(
        words=f"Install {found[1]}, which the package that failed asks for by name",
        steps=(install(subject, found[1]),),
        why="it is not there, and what is imported needs it; pip brings it where all of them are installed in one command",
        others=mend(subject),
    )


def sklearn_tags(subject: Subject, found: re.Match[str]) -> Remedy:
    """scikit-learn 1.6 asks estimators for tags in another way (scikit-learn, release notes of 1.6)."""
    del found
    return Remedy(
        words="Bring scikeras up to date, which knows scikit-learn 1.6; a wrapper of another package needs the scikit-learn before",
        steps=(install(subject, "scikeras", options="--upgrade"),),
        why="since 1.6 scikit-learn asks estimators for their tags by a method which older wrappers do not hand on",
        others=(Way(words="Or take the scikit-learn before it", steps=(install(subject, "scikit-learn<1.6"),)), *mend(subject)),
    )


KINDS = (
    (frozenset({"dependency-incompatible"}), re.compile(r"__sklearn_tags__"), sklearn_tags),
    (frozenset({"dependency-incompatible"}), re.compile(r"you need to have `([\w-]{1,60})` installed"), wanted_by_name),
    (frozenset({"resolver-conflict"}), re.compile(r"all requirements must have their versions pinned"), pinned_everywhere),
    (
        frozenset({"platform-unsupported"}),
        re.compile(r"tensorflow-metal has no wheels|tensorflow-metal[^\n]{0,80}platform tag"),
        metal_on_macos_alone,
    ),
    (frozenset({"dependency-incompatible"}), re.compile(r"HDF5 library version|HDF5 (?:header|library) version"), hdf5),
    (
        frozenset({"cudnn-missing", "cudnn-version-mismatch", "cuda-libs-missing"}),
        re.compile(r"\bcudnn\w{0,40}64_(9|1\d)\.dll"),
        cudnn_9_of_windows,
    ),
    (
        frozenset({"dependency-incompatible", "extension-abi-mismatch"}),
        re.compile(
            r"(TensorFlow \w{1,20}) requires TensorFlow version >= (\d[\d.]{0,12}); ?Detected an installation of version (\d[\d.]{0,12}\d)"
        ),
        tensorflow_of,
    ),
    (frozenset({"keras-incompatible"}), re.compile(r"(?:filename|filepath)[^\n]{0,60}must end"), name_of_the_file),
    (
        frozenset({"user-code"}),
        re.compile(r"OOM when allocating[^\n]{0,200}(?:CPU:0|allocator (?:mkl)?cpu)[^\n]{0,40}", re.IGNORECASE),
        memory_of_the_machine,
    ),
    (
        frozenset({"user-code"}),
        re.compile(r"Unable to (?:synchronously )?open file \((?:truncated file|file signature not found)"),
        file_of_weights,
    ),
    (frozenset({"extension-abi-mismatch"}), re.compile(r"Op type not registered '([\w>]{1,80})'"), operation_of),
    (frozenset({"dependency-incompatible"}), re.compile(r"cannot import name '?(TF[A-Z]\w{1,60})'? from '?transformers"), transformers),
)
