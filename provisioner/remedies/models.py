"""What to do about models and what is made from them: devices that were set too late, Lite models, TPUs, code that is generated or saved. Pure."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.hosted import COLAB
from provisioner.remedies.subject import Subject, quoted
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import install, mend


def set_too_late(subject: Subject, found: re.Match[str]) -> Remedy:
    """Settings of devices hold from their first use on (tensorflow/python/eager/context.py)."""
    differ = "differ" in found[0]
    del subject
    return Remedy(
        words="In the program, set memory growth for every GPU of the list, not for the first alone"
        if differ
        else "In the program, move the lines that set devices to its top, right after `import tensorflow`, before anything is computed",
        steps=(),
        why="the setting has to be the same on all GPUs of a process"
        if differ
        else "TensorFlow takes the devices as they are at the first operation; in a notebook, restart the kernel first",
    )


def lite_with_flex(subject: Subject, found: re.Match[str]) -> Remedy:
    """A Lite model with operations of TensorFlow's own (tensorflow.org, "Select TensorFlow operators")."""
    del found
    return Remedy(
        words="Run the model with tf.lite.Interpreter of the whole TensorFlow, which brings these operations; or convert it without them",
        steps=(install(subject, "tensorflow"),),
        why="the model was converted with SELECT_TF_OPS, and the small interpreter has TensorFlow Lite's own operations alone",
        others=(Way(words="In the program that converts: supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS], where the model allows it"),),
    )


def no_tpu(subject: Subject, found: re.Match[str]) -> Remedy:
    """A TPU that is asked for where none is (tensorflow.org, "Use TPUs")."""
    del found
    colab = COLAB.search(f"{subject.told}\n{subject.text}") is not None
    return Remedy(
        words="Choose a TPU for the session (Runtime, Change runtime type), or take the lines that connect to one out of the program"
        if colab
        else "Take the lines that connect to a TPU out of the program, or give TPUClusterResolver the name of one: this machine has none",
        steps=(),
        why="the program asks for a TPU, and finds no address of one",
    )


def code_in_the_model(subject: Subject, found: re.Match[str]) -> Remedy:
    """A Lambda layer is saved as byte code, which another Python cannot read (keras, Lambda layer)."""
    del subject, found
    return Remedy(
        words="Load the model with the version of Python that saved it; or build it in code, and load its weights alone (load_weights)",
        steps=(),
        why="a Lambda layer is saved as the byte code of one version of Python; the file is whole, and so is the installation",
    )


def generated(subject: Subject, found: re.Match[str]) -> Remedy:
    """Modules that protoc writes from .proto files (TensorFlow Object Detection API, installation)."""
    package = found[1] or found[2] or "object_detection.protos"
    folder = package.replace(".", "/")
    del subject
    return Remedy(
        words=f"Let protoc write these modules, in the folder that holds {folder.split('/')[0]} (in models: research), then start the program there",
        steps=("protoc --version", f"protoc {folder}/*.proto --python_out=."),
        why="what ends in _pb2 is written from a .proto file of the same folder, and a clone of the sources has that alone",
    )


def pyyaml(subject: Subject, found: re.Match[str]) -> Remedy:
    """PyYAML before 6.0.1 is not built with Cython 3 (yaml/pyyaml, release notes of 6.0.1)."""
    del found
    return Remedy(
        words="Take PyYAML 6.0.1 or newer, which has wheels; what asks for an older one has to be brought up to date, or its pin loosened",
        steps=(install(subject, "pyyaml>=6.0.1"), subject.pip("check")),
        why="an older PyYAML without a wheel for this Python is built, and cannot be with the Cython of today",
        others=mend(subject),
    )


def several_gpus(subject: Subject, found: re.Match[str]) -> Remedy:
    """NCCL says more when it is asked to (NVIDIA, NCCL documentation, "Troubleshooting")."""
    del found
    shared = (Way(words="In a container, give it more shared memory", steps=("docker run --rm -it --gpus all --shm-size=2g IMAGE",)),)
    return Remedy(
        words="Let NCCL say what failed, and run it again: the line above this error then names it (often shared memory, or a way between the cards)",
        steps=("export NCCL_DEBUG=INFO", f"{subject.shell_python} YOUR_SCRIPT.py > log.txt 2>&1", "tfsetup explain log.txt"),
        why="several GPUs talk through NCCL, which is there, and got an error of the system or of a card",
        others=(*shared, Way(words="To see whether one card alone works", steps=("export CUDA_VISIBLE_DEVICES=0",))),
    )


def served_from(subject: Subject, found: re.Match[str]) -> Remedy:
    """TensorFlow Serving takes a model from folders that are called by numbers (TensorFlow Serving, "Building Standard TensorFlow ModelServer")."""
    named = re.search(r"directory path: (/[^\s:]{1,200})", subject.seen)
    folder = (named[1] if named else "/models/NAME/1").rstrip("/")
    del found
    return Remedy(
        words=f"Put the model, as a SavedModel, into {folder}: saved_model.pb lies in the folder with the number itself (model.export writes it so)",
        steps=(f"ls -l {folder}",),
        why="the server looks for saved_model.pb in each folder that is called by a number; in a container see that the folder is mounted",
    )


def port_in_use(subject: Subject, found: re.Match[str]) -> Remedy:
    """A port at which somebody listens (tensorboard --port)."""
    board = "TensorBoard" in subject.text or "tensorboard" in subject.text
    del found
    return Remedy(
        words="Take another port, or end the program that listens there"
        + ("; with 0 TensorBoard finds a free one by itself" if board else ""),
        steps=("tensorboard --logdir logs --port 0",) if board else (),
        why="one program listens at a port; an earlier start of the same one often still does",
    )


def wsl_ended(subject: Subject, found: re.Match[str]) -> Remedy:
    """The virtual machine of WSL (Microsoft, "Advanced settings configuration in WSL": memory in .wslconfig, half of Windows' unless it is set)."""
    del subject, found
    return Remedy(
        words="Start WSL again, and let the program take less memory, or give WSL more: memory=… in [wsl2] of .wslconfig in your folder of Windows",
        steps=("wsl --shutdown", "wsl --update"),
        why="the machine that WSL runs in was ended; it has half of Windows' memory unless it is told otherwise, and no line says more",
    )


def restarts(subject: Subject, found: re.Match[str]) -> Remedy:
    """A container that ends each time (Kubernetes documentation, "Debug Pods")."""
    del subject, found
    return Remedy(
        words="Read what the container itself said before it ended",
        steps=("kubectl logs NAME --previous > log.txt", "tfsetup explain log.txt"),
        why="the cluster says only that it ended and is started again",
    )


def c_library(subject: Subject, found: re.Match[str]) -> Remedy:
    """TensorFlow's library for C, Go, Rust and Java, which is no package of Python (tensorflow.org, "Install TensorFlow for C")."""
    del subject, found
    return Remedy(
        words="Unpack TensorFlow's library for C, with its headers, to /usr/local, and let the loader read its folders anew; pip's is another one",
        steps=("ls -l /usr/local/lib/libtensorflow.so.2", "sudo ldconfig /usr/local/lib"),
        why="the program uses the library for C, which comes as an archive of its own",
        others=(Way(words="For this shell, where it lies in another folder", steps=('export LD_LIBRARY_PATH="FOLDER:$LD_LIBRARY_PATH"',)),),
    )


def of_a_cache(subject: Subject, found: re.Match[str]) -> Remedy:
    """A model that TensorFlow Hub began to fetch and did not finish (tensorflow_hub/resolver.py, TFHUB_CACHE_DIR)."""
    windows = subject.windows
    folder = quoted(found[0].rstrip("/\\"), windows=windows)
    return Remedy(
        words="Delete that folder of TensorFlow Hub's cache, and start again: what is in it was not fetched to its end",
        steps=(f"rmdir /s /q {folder}" if windows else f"rm -r {folder}",),
        why="the folder is there, so that it is not fetched again, and the model in it is not whole; systems clear such folders in parts, too",
        others=(
            Way(
                words="Let the cache lie where nothing clears it",
                steps=(assigned("TFHUB_CACHE_DIR", "tfhub" if windows else "~/.cache/tfhub", windows=windows),),
            ),
        ),
    )


def file_of_keras(subject: Subject, found: re.Match[str]) -> Remedy:
    """A file that Keras fetches by itself (keras/src/utils/file_utils.py, get_file)."""
    address = found[1]
    if re.search(r"CERTIFICATE|SSL", subject.seen):
        python = subject.shell_python
        step = f'export SSL_CERT_FILE="$({python} -m certifi)"'
        return Remedy(
            words="Bring the certificates of this Python up to date, and let it use them, in the shell from which the program starts",
            steps=(install(subject, "certifi", options="--upgrade"), *(() if subject.windows else (step,))),
            why="this Python knows no certificate of the place that the file is on; on a Mac, Python's installer leaves them to a script of its own",
            others=(
                Way(
                    words="On a Mac with Python's own installer: open Install Certificates.command, in the folder of that Python in Applications"
                ),
                Way(words="Behind a company's proxy, its certificate is needed: SSL_CERT_FILE names the file"),
            ),
        )
    return Remedy(
        words="See what that address answers; then put the file into ~/.keras/models or ~/.keras/datasets by hand, where Keras looks first",
        steps=(f"curl -I {quoted(address, windows=subject.windows)}",),
        why="Keras fetches weights and data sets by itself, and that place refused, or was not reached; nothing that is installed is at fault",
    )


OF_LINES = (
    (frozenset({"download-failed"}), re.compile(r"URL fetch failure on (https?://[^\s'\"]{1,300}?):? "), file_of_keras),
    (frozenset({"user-code"}), re.compile(r"(?:[A-Za-z]:)?[\\/][^\s'\":]{0,200}tfhub_modules[\\/]\w{8,64}"), of_a_cache),
    (frozenset({"user-code"}), re.compile(r"Could not find SavedModel"), served_from),
    (frozenset({"user-code"}), re.compile(r"already in use"), port_in_use),
    (frozenset({"unknown"}), re.compile(r"Wsl/Service/"), wsl_ended),
    (frozenset({"unknown"}), re.compile(r"Back-off restarting|CrashLoopBackOff"), restarts),
    (frozenset({"install-corrupt"}), re.compile(r"error while loading shared libraries: libtensorflow|c_api\.h"), c_library),
    (frozenset({"user-code"}), re.compile(r"cannot be modified after being initialized|Memory growth cannot differ"), set_too_late),
    (frozenset({"user-code"}), re.compile(r"ops are not supported by this interpreter"), lite_with_flex),
    (frozenset({"user-code"}), re.compile(r"provide a TPU Name"), no_tpu),
    (frozenset({"user-code"}), re.compile(r"bad marshal data"), code_in_the_model),
    (
        frozenset({"dependency-incompatible", "user-code", "protobuf-incompatible"}),
        re.compile(
            r"cannot import name '?\w{1,60}_pb2'? from '?(object_detection[\w.]{0,60})|No module named '?(object_detection\.protos)\b"
        ),
        generated,
    ),
    (frozenset({"dependency-incompatible"}), re.compile(r"cython_sources"), pyyaml),
    (frozenset({"gpu-init-failed"}), re.compile(r"NCCL|nccl[A-Z]"), several_gpus),
)
