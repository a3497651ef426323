"""What to do where a program runs in a place that is not typed in: a function of AWS Lambda, Google Colab, Kaggle. Pure."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.asked import wanted
from provisioner.remedies.subject import Subject

# What was told stands in the first line; in a log an address of Colab's may be no more than a hint of some package.
COLAB = re.compile(r"\A[^\n]{0,2000}\bcolab\b|localhost:8080/#|google\.colab\b|^%tensorflow_version|[\s\"'(]/content/", re.MULTILINE)
KAGGLE = re.compile(r"\A[^\n]{0,2000}\bkaggle\b|/kaggle/(?:working|input)\b")
_LAMBDA = re.compile(
    r"/var/task/|Runtime\.ImportModuleError|REPORT RequestId:|Task timed out after [\d.]{1,9} seconds|(?:aws|amazon) lambda|Service: (?:AWS)?Lambda"
)
_FUNCTION = "aws lambda update-function-configuration --function-name NAME"


def of_a_session(told: str, text: str) -> bool:
    """Whether a log, with what was told beside it, is of a hosted notebook, whose machine nobody can install a driver on."""
    place = f"{told}\n{text}"
    return COLAB.search(place) is not None or KAGGLE.search(place) is not None


def function_too_large(subject: Subject, found: re.Match[str]) -> Remedy:
    """More than an archive or the folder for temporary files holds (AWS Lambda, "Lambda quotas": 250 MB unpacked; an image 10 GB; /tmp 512 MB)."""
    del found
    if re.search(r"Errno 28|No space left", subject.seen):
        return Remedy(
            words="Give the function a larger /tmp (in MB, up to 10240)",
            steps=(f"{_FUNCTION} --ephemeral-storage Size=4096",),
            why="the folder for temporary files of a function has 512 MB unless it is told otherwise, and what an earlier call left there counts",
            cost="is paid for by size and time",
        )
    return _image(
        subject,
        "a function that is deployed as an archive may unpack to 250 MB, with all its layers; TensorFlow takes more than twice that",
    )


def _image(subject: Subject, why: str) -> Remedy:
    return Remedy(
        words="Deploy the function as a container image, up to 10 GB: from AWS's image for Python, with TensorFlow in its Dockerfile",
        steps=("RUN python -m pip install tensorflow", "docker build --platform linux/amd64 -t NAME ."),
        why=why,
        others=(
            Way(
                words="Or, to run a model of TensorFlow Lite alone, pack the small interpreter in its place",
                steps=(f"{subject.shell_python} -m pip install --target package ai-edge-litert",),
            ),
        ),
    )


def function_without(subject: Subject, found: re.Match[str]) -> Remedy:
    """A function has what its archive, its layers or its image hold."""
    del found
    return _image(
        subject, "a function has the packages that were deployed with it alone, and TensorFlow does not fit into an archive (250 MB)"
    )


def function_read_only(subject: Subject, found: re.Match[str]) -> Remedy:
    """Of a function's file system /tmp alone can be written (AWS Lambda, "Configure ephemeral storage")."""
    del subject, found
    return Remedy(
        words='Let what is fetched and kept go to /tmp: above every other import of the handler, write `import os; os.environ["HOME"] = "/tmp"`',
        why="a function can write to /tmp alone, and Keras, TensorFlow Hub and others keep files in the folder of the user",
        others=(Way(words="Or, of a function that is an image, in its Dockerfile", steps=("ENV HOME=/tmp",)),),
    )


def function_of_another_system(subject: Subject, found: re.Match[str]) -> Remedy:
    """An archive that was packed on a Mac or on Windows."""
    del found
    python = subject.python or "3.12"
    return Remedy(
        words="Pack the function's packages for Linux: in a container of it, in the folder that is deployed",
        steps=(
            f'docker run --rm --platform linux/amd64 -v "$PWD:/work" -w /work python:{python} pip install --target package -r requirements.txt',
        ),
        why="pip takes the files of the system that it runs on, and a function runs on Linux (arm64, where the function was made so)",
        others=(_as_image(),),
    )


def _as_image() -> Way:
    return Way(words="Or deploy it as a container image, which TensorFlow needs", steps=("docker build --platform linux/amd64 -t NAME .",))


def function_timeout(subject: Subject, found: re.Match[str]) -> Remedy:
    """The limit of time, and of memory, by which a function gets its share of the processor (AWS Lambda, "Configure memory")."""
    del subject
    if "killed" in found[0]:
        return Remedy(
            words="Give the function more memory (in MB, up to 10240); the line REPORT says how much it has, and how much it took",
            steps=(f"{_FUNCTION} --memory-size 3008",),
            why="a function that takes more memory than it has is ended, and lets no line say so",
            cost="is paid for by time and memory",
        )
    return Remedy(
        words="Give the function more time, and more memory, by which it gets its share of the processor",
        steps=(f"{_FUNCTION} --timeout 60 --memory-size 3008",),
        why="the import of TensorFlow and the loading of a model take longer at the first call than the function may run; no line says more",
        cost="is paid for by time and memory",
    )


def session_without_gpu(subject: Subject, found: re.Match[str]) -> Remedy:
    """The session has no GPU: one is chosen in the menu (Google Colab, FAQ; Kaggle documentation, "Notebooks")."""
    del found
    if "backend" in subject.seen or "usage limit" in subject.seen:
        return Remedy(
            words="Connect without a GPU, and try again some hours later; or pay for compute units",
            why="Colab gives GPUs of those that are free, up to limits which it does not publish; nothing in the notebook is wrong",
        )
    colab = COLAB.search(f"{subject.told}\n{subject.text}") is not None
    return Remedy(
        words=(
            "Choose a GPU for the session: Runtime, Change runtime type, T4 GPU; the session begins anew, and what was installed in it is gone"
            if colab
            else "Choose a GPU for the session: Settings, Accelerator (Kaggle asks for a verified phone number); the session begins anew"
        ),
        steps=("!nvidia-smi -L",),
        why="the session runs on a machine without a GPU, on which no driver can be installed; the line, in a cell, prints the GPU once it has one",
    )


def session_without_memory(subject: Subject, found: re.Match[str]) -> Remedy:
    """The memory of a hosted session."""
    del found
    colab = COLAB.search(f"{subject.told}\n{subject.text}") is not None or "all available RAM" in subject.seen
    return Remedy(
        words="Make the batch, or what is loaded into memory at once, smaller"
        + ("; with paid compute units: Runtime, Change runtime type, High-RAM" if colab else ""),
        steps=("!free -h",),
        why="the session is ended where it takes more memory than its machine has; that is the machine's memory, not the GPU's",
    )


def session_without_network(subject: Subject, found: re.Match[str]) -> Remedy:
    """A session of Kaggle whose internet is off (Kaggle documentation, "Notebooks", settings)."""
    del found
    name = wanted(subject)[0]
    package = name if re.fullmatch(r"[a-z][\w-]{1,60}", name) else "tensorflow"
    return Remedy(
        words="Switch the internet of the notebook on (Settings, Turn on internet; Kaggle asks for a verified phone number), then install again",
        steps=(f"%pip install {package}",),
        why="a session reaches no address until that is on, so nothing was looked up; in a competition that forbids it, wheels come as a dataset",
        others=(
            Way(
                words="From wheels that were added as a dataset",
                steps=(f"%pip install --no-index --find-links /kaggle/input/NAME {package}",),
            ),
        ),
    )


def session_of_one_python(subject: Subject, found: re.Match[str]) -> Remedy:
    """A hosted session has the Python that it has; of what pip offers there the oldest is the nearest to what was asked for."""
    del found
    offered = re.search(r"\(from versions: ([^)\n]{1,4000})\)", subject.text)
    versions = re.findall(r"(?<![\w.])(\d+\.\d+)\.\d+(?![\w.])", offered[1]) if offered else []
    release = f"=={versions[0]}.*" if versions else ""
    return Remedy(
        words=(
            f"Take a TensorFlow that the session's Python has: the oldest that pip offers there is {versions[0]}"
            if versions
            else "Take a TensorFlow that the session's Python has; the one that is there was chosen for it"
        ),
        steps=(f'%pip install "tensorflow{release}"',) if release else ("!python --version", "!pip show tensorflow"),
        why="a hosted session has one Python, and an environment of another one is not what its cells run in",
        cost="restart the session afterwards; other packages that are there may ask for the TensorFlow that was",
        others=(
            Way(words="In Colab, an older runtime may have an older Python: Runtime, Change runtime type, Runtime version"),
            Way(words="Or run it on a machine of your own, where the Python can be chosen"),
        ),
    )


_NO_NAMES = re.compile(r"name resolution|Name or service not known|Network is unreachable|Could not resolve host")


def slug_too_large(subject: Subject, found: re.Match[str]) -> Remedy:
    """Services that take a program up to some size (Heroku: 500 MB; a function of Vercel: 250 MB)."""
    del found
    if "Compiled slug" in subject.seen:
        return Remedy(
            words="In requirements.txt put tensorflow-cpu in place of tensorflow, and take out what is not needed; or deploy it as a container image",
            steps=("pip uninstall -y tensorflow", "pip install tensorflow-cpu", "pip freeze > requirements.txt"),
            why="the service takes a program up to 500 MB, and the build for the processor alone is the smaller one",
            others=(Way(words="For a model of TensorFlow Lite the small interpreter is enough", steps=("pip install ai-edge-litert",)),),
        )
    return Remedy(
        words="Let the model run in a service that takes containers, and call it from here; a Lite model runs with the small interpreter",
        steps=("pip uninstall -y tensorflow", "pip install ai-edge-litert", "pip freeze > requirements.txt"),
        why="a function of this service may have 250 MB unpacked, and TensorFlow takes more than twice that",
    )


OF_LINES = (
    (frozenset({"disk-full"}), re.compile(r"Compiled slug|Serverless Function"), slug_too_large),
    (frozenset({"unknown"}), re.compile(r"all available RAM"), session_without_memory),
    (frozenset({"unknown"}), re.compile(r"Task timed out after|Runtime exited with error: signal: killed"), function_timeout),
    (frozenset({"gpu-not-visible"}), re.compile(r"currently connect to a GPU|GPU backend"), session_without_gpu),
    (frozenset({"disk-full"}), re.compile(r"Unzipped size must|Code uncompressed size|size of the function"), function_too_large),
)
OF_PLACES = (
    (frozenset({"python-unsupported"}), COLAB, session_of_one_python),
    (frozenset({"python-unsupported"}), KAGGLE, session_of_one_python),
    (frozenset({"disk-full"}), _LAMBDA, function_too_large),
    (frozenset({"permission-denied"}), _LAMBDA, function_read_only),
    (frozenset({"platform-unsupported", "wrong-arch-binary"}), _LAMBDA, function_of_another_system),
    (frozenset({"tf-not-installed", "wrong-environment"}), _LAMBDA, function_without),
    (frozenset({"gpu-not-visible"}), COLAB, session_without_gpu),
    (frozenset({"gpu-not-visible"}), KAGGLE, session_without_gpu),
)
# Both: the place and the line.
OF_BOTH = (
    (frozenset({"download-failed"}), KAGGLE, _NO_NAMES, session_without_network),
    (frozenset({"numpy-incompatible"}), _LAMBDA, re.compile(r"should not try to import numpy"), function_of_another_system),
)
