"""What to do where what failed was started by another program, or put together by one: Spark, Beam, PyInstaller, Spyder, Bazel. Pure."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.subject import Subject, quoted
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import install


def on_workers_of_spark(subject: Subject, found: re.Match[str]) -> Remedy:
    """The packages of Spark's workers (Spark documentation, "Python Package Management")."""
    del subject, found
    return Remedy(
        words="Give the workers the environment, packed: it is the Python of the executors that lacks the package, not the one that starts the job",
        steps=(
            "python3 -m pip install venv-pack",
            "venv-pack -o env.tar.gz",
            "export PYSPARK_PYTHON=./environment/bin/python",
            "spark-submit --archives env.tar.gz#environment YOUR_SCRIPT.py",
        ),
        why="Spark's functions run on the executors, each with the packages of its own machine; venv-pack packs the environment that is active",
        others=(Way(words="Or install it on every machine that runs executors, into the Python that PYSPARK_PYTHON names"),),
    )


def pythons_of_spark(subject: Subject, found: re.Match[str]) -> Remedy:
    """One Python for both (Spark documentation, "Configuration", PYSPARK_PYTHON)."""
    del found
    driver = re.search(r"driver (?:is )?\(?(3)[., ]{1,2}(\d{1,2})", subject.text)
    python = "python" if subject.windows else f"python{driver[1]}.{driver[2]}" if driver else "python3"
    return Remedy(
        words=f"Name one Python for both, which every worker's machine has: here {python}, that of the program which starts them",
        steps=tuple(assigned(name, python, windows=subject.windows) for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON")),
        why="Spark sends functions in the form of one minor version of Python, and the workers start another one",
    )


def on_workers_of_beam(subject: Subject, found: re.Match[str]) -> Remedy:
    """The packages of Beam's workers (Apache Beam, "Managing Python Pipeline Dependencies")."""
    del subject, found
    return Remedy(
        words="Name the package in a list that the workers install, or give them an image that has it (--sdk_container_image)",
        steps=("python3 YOUR_SCRIPT.py --requirements_file=requirements.txt",),
        why="the pipeline's functions run on workers, which have Beam and what they are told of; what is installed here is not there",
        others=(Way(words="A module of your own program goes there with --setup_file=./setup.py"),),
    )


def bundled(subject: Subject, found: re.Match[str]) -> Remedy:
    """A bundle without a part (PyInstaller manual, "Helping PyInstaller Find What a Program Needs")."""
    del found
    missing = re.search(r"No module named '?(\w+)|[\\/]_MEI\d{3,9}[\\/](\w+)[\\/]", subject.text[-4000:])
    name = next((item for item in missing.groups() if item), "tensorflow") if missing else "tensorflow"
    collected = " ".join(f"--collect-all {item}" for item in dict.fromkeys(("tensorflow", name)))
    return Remedy(
        words="Bundle the program anew with all parts of these packages, where it runs unbundled; nothing has to be installed again",
        steps=(
            install(subject, "pyinstaller", "pyinstaller-hooks-contrib", options="--upgrade"),
            f"pyinstaller {collected} YOUR_SCRIPT.py",
        ),
        why="PyInstaller takes along what it sees imported; TensorFlow imports much only when it is used, which its newest hooks know",
        cost="a bundle of 1 GB and more",
    )


def bundled_on_a_newer_system(subject: Subject, found: re.Match[str]) -> Remedy:
    """A bundle has the C library's number of the system that it was made on (PyInstaller manual, "Making GNU/Linux Apps Forward-Compatible")."""
    del found
    python = subject.python or "3.12"
    inside = "pip install pyinstaller -r requirements.txt && pyinstaller YOUR_SCRIPT.py"
    return Remedy(
        words="Bundle the program on the oldest system on which it has to run, or in a container of one; nothing on this system is at fault",
        steps=(f'docker run --rm -v "$PWD:/work" -w /work python:{python}-bullseye bash -c "{inside}"',),
        why="a bundle has the libraries of the system that it was made on, and these ask for the C library of that one or a newer one",
    )


def spyder(subject: Subject, found: re.Match[str]) -> Remedy:
    """Spyder starts its console in the environment, by a package that must be there (Spyder FAQ)."""
    del found
    named = re.search(r"(?m)^ ?([A-Za-z]:\\[^\n]{1,240}python\.exe|/[^\n ]{1,240}/bin/python[\d.]*) ?$", subject.text)
    python = quoted(named[1], windows=subject.windows) if named else subject.shell_python
    version = re.search(r"spyder-kernels(?:==?| version >=)(\d+\.\d+)", subject.text)
    wanted = f'"spyder-kernels=={version[1]}.*"' if version else "spyder-kernels"
    return Remedy(
        words="Install spyder-kernels into that environment, in the version that Spyder asks for; then start a new console",
        steps=(f"{python} -m pip install {wanted}",),
        why="Spyder runs elsewhere, and starts its console in the environment by that package",
    )


def bazel(subject: Subject, found: re.Match[str]) -> Remedy:
    """The release of Bazel that a source tree names (TensorFlow, "Build from source": Bazelisk)."""
    del found
    named = re.search(r"(?:requires Bazel|upgrade your bazel[^\n]{0,60}?(?:at least|to)(?: version)?) ([\d.]{3,12}\d)", subject.text)
    return Remedy(
        words="Build with Bazelisk, which fetches the Bazel that .bazelversion names"
        + (f": {named[1]}" if named else "")
        + "; or install the release that is published, in place of building one",
        steps=("npm install -g @bazel/bazelisk", "bazelisk --version"),
        why="TensorFlow is built by one release of Bazel, and others read its files differently",
        others=(
            *(
                (
                    Way(
                        words="Or install that Bazel by its own source of apt",
                        steps=("sudo apt-get update", f"sudo apt-get install -y bazel-{named[1]}"),
                    ),
                )
                if named
                else ()
            ),
            Way(words="Or take TensorFlow as a wheel", steps=(install(subject, "tensorflow"),)),
        ),
    )


def build_without_cuda(subject: Subject, found: re.Match[str]) -> Remedy:
    """CUDA's own files, for a build from source (TensorFlow, configure.py: TF_CUDA_PATHS; from 2.18 on the build fetches CUDA itself)."""
    del found
    return Remedy(
        words=(
            "Tell the build where CUDA's toolkit and cuDNN lie, with their headers; the first line shows which library is there. From 2.18 on the"
            " build fetches them itself"
        ),
        steps=("find /usr -name 'libcudart.so*'", "TF_CUDA_PATHS=/usr/local/cuda,/usr ./configure"),
        why="a build from source needs the toolkit of the system; the libraries that pip brings have not all that it asks for",
        others=(Way(words="Or take TensorFlow as a wheel, which is built with CUDA", steps=(install(subject, "tensorflow[and-cuda]"),)),),
    )


def libpython(subject: Subject, found: re.Match[str]) -> Remedy:
    """The library of a Python that was built as one (CPython, configure --enable-shared), which the loader does not find."""
    name, version = found[0], found[1]
    own = re.search(r"(?<!\S)(/\S{1,200})/bin/python[\d.]{0,6}: error while loading", subject.text)
    if own and own[1] != "/usr":
        prefix = quoted(own[1])
        return Remedy(
            words=f"Tell the loader where this Python keeps its own library: {own[1]}/lib",
            steps=(f"ls {prefix}/lib/{name}", f"echo {prefix}/lib | sudo tee /etc/ld.so.conf.d/python{version}.conf", "sudo ldconfig"),
            why="it was built as a program with a library beside it, in a folder in which the loader does not look",
            others=(
                Way(
                    words="Without the rights of an administrator, for this shell",
                    steps=(f'export LD_LIBRARY_PATH="{own[1]}/lib:$LD_LIBRARY_PATH"',),
                ),
            ),
        )
    return Remedy(
        words=f"Let the loader find the library of Python {version}: in the folder of the file that the first line prints",
        steps=(
            f"find / -name '{name}' -not -path '/proc/*'",
            'export LD_LIBRARY_PATH="FOLDER:$LD_LIBRARY_PATH"',
        ),
        why=f"what is loaded was linked with Python {version} as a library, which most Pythons do without; one of another number does not serve",
        others=(
            Way(words="Debian and Ubuntu, where they have that Python", steps=(f"sudo apt-get install -y libpython{version}",)),
            Way(words="Or a Python of conda, which has it", steps=(f"conda create -y -n tf-env -c conda-forge python={version} pip",)),
        ),
    )


def by_sudo(subject: Subject, found: re.Match[str]) -> Remedy:
    """Sudo takes its programs from folders of its own (sudoers(5), secure_path)."""
    typed = re.search(r"sudo (?:-[EH] )?((?:python|pip)[\d.]{0,5}) ([^\n]{1,200})", subject.seen)
    program, rest = (typed[1], typed[2].strip()) if typed else (found[0], "")
    return Remedy(
        words="Leave sudo out: it starts the Python of the system, and not that of the environment which is active",
        steps=(f"{program} {rest}",),
        why="sudo looks for programs in folders of its own, whatever the shell's PATH says",
        others=(Way(words="If root's rights are needed, name the environment's Python", steps=(f'sudo "$(which {program})" {rest}',)),),
    )


_NOT_THERE = frozenset({"tf-not-installed", "wrong-environment", "dependency-incompatible", "extension-abi-mismatch"})
_MODULE = re.compile(r"No module named")
OF_LINES = (
    (frozenset({"glibc-too-old"}), re.compile(r"_MEI\w{3,12}[\\/]|\[PYI-\d"), bundled_on_a_newer_system),
    (frozenset({"wrong-environment"}), re.compile(r"sudo (?:-[EH] )?(?:python|pip)"), by_sudo),
    (frozenset({"wrong-environment"}), re.compile(r"PYTHON_VERSION_MISMATCH|Python in worker"), pythons_of_spark),
    (frozenset({"wrong-environment"}), re.compile(r"spyder-kernels"), spyder),
    (frozenset({"wrong-environment", "install-corrupt"}), re.compile(r"libpython(3\.\d{1,2})\w?\.so[\w.]{0,8}"), libpython),
    (frozenset({"dependency-incompatible"}), re.compile(r"requires Bazel|bazel version|your bazel", re.IGNORECASE), bazel),
    (frozenset({"cuda-libs-missing"}), re.compile(r"Cuda Configuration Error"), build_without_cuda),
    (frozenset({"install-corrupt"}), re.compile(r"PyInstaller[\\/]loader|\bpyimod\d|[\\/]_MEI\d{3,9}[\\/]"), bundled),
)
OF_BOTH = (
    (_NOT_THERE, re.compile(r"org\.apache\.spark|\bpyspark\b"), _MODULE, on_workers_of_spark),
    (_NOT_THERE, re.compile(r"dataflow_worker|dataflow_runner|apache_beam"), _MODULE, on_workers_of_beam),
)
