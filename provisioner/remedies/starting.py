"""What to do about how a program is started, and about the program: which Python, what comes in from elsewhere, what to collect."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace

from provisioner.model.finding import Remedy, Way
from provisioner.remedies import shells, typed
from provisioner.remedies.kept import own_of
from provisioner.remedies.knowledge import View
from provisioner.remedies.names import misspelt, same_tensorflow
from provisioner.remedies.subject import Subject, quoted
from provisioner.remedies.variables import assigned, unset
from provisioner.remedies.ways import MANAGED, NEW_ENVIRONMENT, anew, either, install, mend, of_ones_own, runs, venv

_WHERE = "import sys; print(sys.executable)"


def not_installed(subject: Subject, view: View) -> Remedy:
    """Into the very Python that ran; in R and notebooks by their own ways. Who has installed it already is shown where it went."""
    there = put_in(subject, view)
    if subject.installer == "reticulate" or subject.managed:
        return there
    already = Way(
        words="If you have installed it already, it went into another Python: this shows which one each name means",
        steps=(runs(subject, _WHERE), "pip --version"),
    )
    return replace(there, others=(already, *there.others))


def put_in(subject: Subject, view: View) -> Remedy:
    """TensorFlow into the very Python that ran, or into an environment where that takes nothing."""
    if subject.installer == "reticulate":
        return reticulate(subject)
    if subject.managed:
        return of_ones_own(subject, view, "tensorflow", MANAGED)
    words = "Install TensorFlow into the Python that ran: this very one"
    if not subject.interpreter and not subject.notebook:
        words = "Install TensorFlow into the Python that runs the program: start pip through it"
    kernel = Way(
        words="In a notebook, make a kernel of the environment that has it, and choose that kernel",
        steps=("tfsetup kernel --env ./tf-env",),
    )
    return Remedy(
        words=words,
        steps=(install(subject, own_of(subject.keeper)),),
        why="each Python has packages of its own; the one that ran has no TensorFlow",
        cost="a download of about 0.6 GB",
        others=(*([kernel] if subject.notebook else []), *anew(subject, view)),
    )


def reticulate(subject: Subject) -> Remedy:
    """R: no variable that points elsewhere, then TensorFlow where reticulate looks."""
    del subject
    return Remedy(
        words="In R, take RETICULATE_PYTHON away (from .Renviron, too), restart R, and let it install TensorFlow where it looks for it",
        steps=(
            "Rscript -e \"Sys.unsetenv('RETICULATE_PYTHON'); reticulate::py_config()\"",
            'Rscript -e "tensorflow::install_tensorflow()"',
        ),
        why="R runs the Python that this variable names, or the first that it finds, which is another one than that with TensorFlow",
        others=(
            Way(
                words='Or name the environment that has it in the first line of the script: reticulate::use_virtualenv("tf-env", required = TRUE)'
            ),
        ),
    )


def wrong_environment(subject: Subject, view: View) -> Remedy:
    """The Python that has TensorFlow, or TensorFlow into the one that runs."""
    if subject.installer == "reticulate":
        return reticulate(subject)
    if "'--user' install" in subject.seen:
        return Remedy(
            words="Leave --user out: in an environment everything is installed into it",
            steps=(install(subject, same_tensorflow(subject)),),
            why="--user means the folder of packages beside every environment, which this one does not see",
        )
    of_the_shell = shells.not_started(subject, view)
    if of_the_shell is not None:
        return of_the_shell
    there = put_in(subject, view)
    return Remedy(
        words="See which Python runs and which one pip installs into; then install TensorFlow into the one that runs, or start the other",
        steps=(runs(subject, _WHERE), "pip --version", *there.steps),
        why="TensorFlow is in another Python than the one that ran",
        others=there.others,
    )


def shadowed(subject: Subject, view: View) -> Remedy:
    """The file, renamed; a source tree, left."""
    del view
    text = subject.seen + "\n" + subject.text
    if re.search(r"source directory|File \"(?:\./)?tensorflow/(?:python/)?__init__", text):
        imports = runs(subject, "import tensorflow; print(tensorflow.__file__)")
        return Remedy(
            words="Leave the folder of TensorFlow's sources, and import it from another one",
            steps=("cd \\", imports) if subject.windows else (f"cd ~ && {imports}",),
            why="Python looks in the working folder first, and finds the sources there in place of the installed package",
        )
    named = re.search(
        r"'([A-Za-z_]\w*)(?:\.[\w.]+)?'(?:; '([\w.]+)')? is not a package|module '(\w+)|named '(\w+)|File \"([^\"\n]*[\\/])?(\w+)\.py\"",
        subject.seen,
    )
    own = re.search(
        r"File \"((?:[^\"\n]*[\\/])?(tensorflow|keras|numpy|random|copy|code|token|tokenize|types|typing|enum|inspect|logging|queue|string"
        r"|signal|socket|platform|calendar|h5py|six|abc)\.py)\"",
        subject.text,
    )
    module = (
        own[2] if own else next((item for item in named.groups() if item), "tensorflow").split(".")[0] if named else "tensorflow"
    ) or "tensorflow"
    path = own[1] if own and "site-packages" not in own[1] else f"{module}.py"
    target = (
        posixpath.join(posixpath.dirname(path.replace("\\", "/")), f"my_{module}.py")
        if "\\" not in path
        else path.rsplit("\\", 1)[0] + rf"\my_{module}.py"
    )
    move = f"move {quoted(path, windows=True)} {quoted(target, windows=True)}" if subject.windows else f"mv {quoted(path)} {quoted(target)}"
    return Remedy(
        words=(
            f"Rename the file or folder {module} of your own (it lies beside the script), and delete __pycache__ beside it; the first line shows"
            " which file is taken"
        ),
        steps=(runs(subject, f"import importlib.util as u; print(u.find_spec('{module}').origin)"), move),
        why=f"Python looks in the script's folder first, so `import {module}` takes that file",
        others=(
            Way(
                words="If no such file is yours, the package itself is damaged",
                steps=(install(subject, same_tensorflow(subject), options="--force-reinstall --no-cache-dir"),),
            ),
            *mend(subject),
        ),
    )


def leak(subject: Subject, view: View) -> Remedy:
    """What brings it in, by what the lines show: PYTHONPATH, the user's packages, LD_LIBRARY_PATH."""
    text = subject.seen + subject.text
    if re.search(r"\.local[\\/]lib|Roaming[\\/]Python|NOUSERSITE|is of no environment", text):
        step = assigned("PYTHONNOUSERSITE", "1", windows=subject.windows)
        return Remedy(
            words="Start Python without the packages that were installed for the user alone",
            steps=(step, runs(subject, "import tensorflow; print(tensorflow.__file__)")),
            why="every environment of the same Python number sees them before its own",
            others=(
                Way(
                    words="Or take the one that is in the way out of there for good", steps=(f"{subject.shell_python} -m pip list --user",)
                ),
                *either(subject, view),
            ),
        )
    if re.search(r"encodings|PYTHONHOME ?=|codec of the filesystem", subject.seen):
        return Remedy(
            words="Start without PYTHONHOME and PYTHONPATH; where none is set, the Python under the environment was moved or removed: make it anew",
            steps=(
                *(unset(name, windows=subject.windows) for name in ("PYTHONHOME", "PYTHONPATH")),
                runs(subject, "import sys; print(sys.prefix)"),
            ),
            why="Python looks for its own library where they say, and does not find it there",
            others=either(subject, view),
        )
    if re.search(r"PyCMethod|undefined symbol: _?Py|PyUnicodeUCS|bad magic|cpython-3|PYTHONPATH|python2\.7/|numpy from its source", text):
        python = subject.python and f"python{subject.python}"
        return Remedy(
            words=f"Unset PYTHONPATH (also in ~/.bashrc), and start the Python that these packages belong to{f': {python}' if python else ''}",
            steps=(unset("PYTHONPATH", windows=subject.windows), runs(subject, "import sys; print(sys.executable, sys.path)")),
            why="a Python of one number was given the packages of another by its path, and compiled parts fit one number only",
            others=either(subject, view),
        )
    if subject.windows:
        return Remedy(
            words=(
                "Start without PYTHONPATH and PYTHONHOME; if that works, take them out of the variables of your account (System, Environment"
                " Variables); else see what else has a DLL of this name on PATH"
            ),
            steps=(*(unset(name, windows=True) for name in ("PYTHONPATH", "PYTHONHOME")), runs(subject, "import tensorflow")),
            why="what they name comes before the environment's own, and is of another release",
            others=either(subject, view),
        )
    return Remedy(
        words="Start without LD_LIBRARY_PATH; if that works, take the folder out of the file that sets it (~/.bashrc, a module)",
        steps=(f"env -u LD_LIBRARY_PATH -u PYTHONPATH {runs(subject, 'import tensorflow')}",),
        why="the loader looks in its folders before the environment's own, and finds a library of another release",
        others=either(subject, view),
    )


def tf1(subject: Subject, view: View) -> Remedy:
    """The interface of TensorFlow 1 inside TensorFlow 2; for contrib, TensorFlow 1.15."""
    contrib = re.search(r"contrib", subject.seen)
    old = Way(
        words="Or run it with TensorFlow 1.15, which needs Python 3.7",
        steps=venv(subject, "3.7", "tensorflow==1.15.5", "protobuf<3.21", folder="tf1-env"),
        cost=NEW_ENVIRONMENT,
    )
    if contrib:
        return Remedy(
            words="Run it with TensorFlow 1.15 (on Python 3.7): tf.contrib is not in TensorFlow 2, under no name",
            steps=old.steps,
            why="contrib ended with TensorFlow 1; parts of it live on as tf-slim and tensorflow-addons",
            cost=old.cost,
            others=(Way(words="Or change the program: tf.contrib.slim is the package tf-slim", steps=(install(subject, "tf-slim"),)),),
        )
    del view
    return Remedy(
        words=(
            "In the program, put these two lines in place of `import tensorflow as tf`: `import tensorflow.compat.v1 as tf` and"
            " `tf.disable_v2_behavior()`"
        ),
        steps=(runs(subject, "import tensorflow.compat.v1 as tf; tf.disable_v2_behavior(); print(tf.placeholder)"),),
        why="the names of TensorFlow 1 are there still, under compat.v1",
        others=(
            Way(words="A script by Google changes whole folders", steps=("tf_upgrade_v2 --intree my_project --outtree my_project_v2",)),
            old,
        ),
    )


def user_code(subject: Subject, view: View) -> Remedy:
    """The line of the program that the traceback names; no word on the environment, of which the log says nothing."""
    own = [
        item for item in re.findall(r"File \"([^\"\n]+)\", line (\d+)", subject.text) if not re.search(r"(site|dist)-packages|<", item[0])
    ]
    where = f"{own[-1][0]}, line {own[-1][1]}" if own else "the line of the program that the traceback names"
    del view
    of_the_line = typed.mistyped(subject)
    if of_the_line is not None:
        return of_the_line
    if "no supported kernel for" in subject.seen:
        return Remedy(
            words="In the program, first of all: tf.config.set_soft_device_placement(True), or take the tf.device('/GPU:0') away there",
            steps=(),
            why="the operation has no code for the GPU, and is bound to it; so allowed, TensorFlow computes that one on the processor",
        )
    wrong, right = misspelt(subject.seen)
    if wrong:
        return Remedy(
            words=f"Write {right} in place of {wrong} in {where}",
            steps=(),
            why=f"there is no known module {wrong}; whoever publishes a package of that name may be anybody, so do not install it",
        )
    return Remedy(
        words=(
            f"Look at {where}: TensorFlow was imported and got data or names that it cannot use. Compare shapes and types there with what the message"
            " says"
        ),
        steps=(),
        why="the exception is one that TensorFlow or Python raises about what a program hands over",
        others=(
            Way(
                words="To rule the environment out, see whether TensorFlow computes by itself",
                steps=(runs(subject, "import tensorflow as tf; print(tf.reduce_sum(tf.ones([2, 2])))"),),
            ),
        ),
    )


def harmless(subject: Subject, view: View) -> Remedy:
    """Nothing; the switch that silences it, where a person wants that."""
    del view
    value = assigned("TF_CPP_MIN_LOG_LEVEL", "2", windows=subject.windows)
    return Remedy(
        words="Nothing needs to be done: these lines are remarks",
        why="TensorFlow prints them on healthy machines, too",
        others=(Way(words="To silence TensorFlow's remarks, before it is imported", steps=(value,)),),
    )


def tensorrt(subject: Subject, view: View) -> Remedy:
    """Nothing, unless TF-TRT is used."""
    del subject, view
    return Remedy(
        words="Nothing needs to be done, unless your program uses TF-TRT (tensorflow.python.compiler.tensorrt)",
        why="TensorFlow looks for TensorRT at its start and works without it; releases from 2.18 do not use it at all",
    )
