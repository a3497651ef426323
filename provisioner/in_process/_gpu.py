"""Runs as a child process: loads NVIDIA's libraries and says what they answer. A crash or a hang of one leaves the others' answers.

``_gpu.py SECONDS FOLDERS TASK…``: the time limit of each task; folders (JSON) where the libraries may lie when the loader does not
find them; the tasks ``nvml``, ``cuda`` and ``version:PATH`` (a libcudart or libcudnn asked for its version). Prints one line a task,
``MARK{json}MARK``. Each task runs in a fork of its own where the system has forks.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

MARK = "<<tfsetup-gpu>>"
NVML, CUDA = ("nvml.dll", "nvcuda.dll") if sys.platform == "win32" else ("libnvidia-ml.so.1", "libcuda.so.1")
NOT_FOUND = -1
MAX_GPUS = 256
GRACE = 1.0
# cuda.h, CUdevice_attribute
ATTRIBUTES = {"major": 75, "minor": 76, "bus": 33, "device": 34, "domain": 50, "integrated": 18}


def load(name: str, folders: list[str]) -> ctypes.CDLL:
    """Load by name as every program does; where that fails, from the folders. Raises the first ``OSError``."""
    try:
        return ctypes.CDLL(name)
    except OSError:
        for folder in folders:
            path = os.path.join(folder, name)
            if os.path.exists(path):
                return ctypes.CDLL(path)
        raise


def loaded(name: str) -> str:
    """The file from which the running process has loaded a library (Linux)."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
            paths = [row.split(None, 5)[-1].strip() for row in maps if name.partition(".so")[0] + ".so" in row]
    except OSError:
        return ""
    return paths[0] if paths else ""


def nvml(folders: list[str]) -> dict[str, Any]:
    """Driver release, CUDA version and GPUs by NVML, which does not heed CUDA_VISIBLE_DEVICES."""
    try:
        load(NVML, folders)
    except OSError as error:
        return {"error": NOT_FOUND, "words": str(error)}
    import pynvml  # noqa: PLC0415 - after the library, which it then finds by its soname

    answer: dict[str, Any] = {"library": loaded(NVML)}
    try:
        pynvml.nvmlInit()
        answer["release"] = pynvml.nvmlSystemGetDriverVersion()
        count = pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError as error:
        return {**answer, "error": error.value, "words": str(error)}
    for call in (pynvml.nvmlSystemGetCudaDriverVersion_v2, pynvml.nvmlSystemGetCudaDriverVersion):
        try:
            answer["cuda"] = call()
            break
        except pynvml.NVMLError:
            continue
    answer["gpus"] = [nvml_gpu(pynvml, index) for index in range(min(count, MAX_GPUS))]
    return answer


def nvml_gpu(pynvml: Any, index: int) -> dict[str, Any]:
    """One GPU; ``faults`` holds NVML's words for what it would not tell, ``error`` its code when the GPU cannot be opened at all."""
    gpu: dict[str, Any] = {"index": index, "faults": {}}
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    except pynvml.NVMLError as error:
        return {**gpu, "error": error.value, "words": str(error)}
    asked: dict[str, Callable[[], Any]] = {
        "name": lambda: pynvml.nvmlDeviceGetName(handle),
        "uuid": lambda: pynvml.nvmlDeviceGetUUID(handle),
        "pci": lambda: pynvml.nvmlDeviceGetPciInfo(handle).pciDeviceId,
        "bus": lambda: pynvml.nvmlDeviceGetPciInfo(handle).busId,
        "capability": lambda: list(pynvml.nvmlDeviceGetCudaComputeCapability(handle)),
        "memory": lambda: pynvml.nvmlDeviceGetMemoryInfo(handle).total,
        "mig": lambda: "enabled" if pynvml.nvmlDeviceGetMigMode(handle)[0] else "disabled",
    }
    for name, call in asked.items():
        try:
            value = call()
            gpu[name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        except pynvml.NVMLError as error:  # noqa: PERF203 - each call may fail by itself
            gpu["faults"][name] = str(error)
    if gpu.get("mig") == "enabled":
        gpu["mig_devices"] = mig_devices(pynvml, handle)
    return gpu


def mig_devices(pynvml: Any, handle: Any) -> list[str]:
    """The names of the instances of a GPU in MIG mode; places without one are skipped."""
    names = []
    try:
        count = pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)
    except pynvml.NVMLError:
        return []
    for index in range(min(count, MAX_GPUS)):
        try:
            names.append(str(pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index))))
        except pynvml.NVMLError:  # noqa: PERF203 - an empty place
            continue
    return names


def cuda(folders: list[str]) -> dict[str, Any]:
    """CUDA version and GPUs by the driver's own library, as every CUDA program asks it."""
    try:
        library = load(CUDA, folders)
    except OSError as error:
        return {"error": NOT_FOUND, "words": str(error)}
    answer: dict[str, Any] = {"library": loaded(CUDA)}
    number = ctypes.c_int(0)
    if library.cuDriverGetVersion(ctypes.byref(number)) == 0:
        answer["cuda"] = number.value
    code = library.cuInit(0)
    count = ctypes.c_int(0)
    code = code or library.cuDeviceGetCount(ctypes.byref(count))
    if code:
        return {**answer, "error": code, "words": error_name(library, code)}
    answer["gpus"] = [gpu for index in range(min(count.value, MAX_GPUS)) if (gpu := cuda_gpu(library, index))]
    return answer


def error_name(library: ctypes.CDLL, code: int) -> str:
    """``CUDA_ERROR_NO_DEVICE`` for 100; the bare number where the library does not know."""
    name = ctypes.c_char_p()
    try:
        library.cuGetErrorName(code, ctypes.byref(name))
    except AttributeError:
        return f"error {code}"
    return name.value.decode("ascii", "replace") if name.value else f"error {code}"


def cuda_gpu(library: ctypes.CDLL, index: int) -> dict[str, Any] | None:
    """One GPU as CUDA sees it."""
    device = ctypes.c_int(0)
    if library.cuDeviceGet(ctypes.byref(device), index):
        return None
    name = ctypes.create_string_buffer(256)
    library.cuDeviceGetName(name, len(name) - 1, device)
    size = ctypes.c_size_t(0)
    library.cuDeviceTotalMem_v2(ctypes.byref(size), device)
    values = {}
    for attribute, number in ATTRIBUTES.items():
        value = ctypes.c_int(0)
        library.cuDeviceGetAttribute(ctypes.byref(value), number, device)
        values[attribute] = value.value
    return {
        "index": index,
        "name": name.value.decode("utf-8", "replace"),
        "memory": size.value,
        "capability": [values["major"], values["minor"]],
        "bus": f"{values['domain']:08X}:{values['bus']:02X}:{values['device']:02X}.0",
        "integrated": bool(values["integrated"]),
    }


def version(path: str) -> dict[str, Any]:
    """Call the version function of a libcudart or libcudnn; neither needs a GPU for it."""
    try:
        library = ctypes.CDLL(path)
        if os.path.basename(path).startswith("libcudnn"):
            library.cudnnGetVersion.restype = ctypes.c_size_t
            return {"version": int(library.cudnnGetVersion())}
        number = ctypes.c_int(0)
        code = library.cudaRuntimeGetVersion(ctypes.byref(number))
    except (OSError, AttributeError) as error:
        return {"error": NOT_FOUND, "words": str(error)}
    return {"version": number.value} if code == 0 else {"error": code, "words": f"error {code}"}


def answer_to(task: str, folders: list[str]) -> dict[str, Any]:
    """Do one task; whatever goes wrong inside Python is an answer too."""
    try:
        kind, _, path = task.partition(":")
        return version(path) if kind == "version" else {"nvml": nvml, "cuda": cuda}[kind](folders)
    except Exception as error:  # noqa: BLE001 - a library that lacks a function, a missing pynvml
        return {"error": NOT_FOUND, "words": f"{type(error).__name__}: {error}"}


def forked(task: str, folders: list[str], seconds: float) -> tuple[int, int]:
    """Start a fork that does the task; return its pid and the pipe with its answer. SIGALRM ends it when it takes too long.

    It lets go of this process's own output, which would otherwise stay open behind a fork that a driver holds in the kernel for good.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        json.dump(answer_to(task, folders), pipe)
    os._exit(0)


def collected(pid: int, reading: int, deadline: float) -> dict[str, Any]:
    """The answer of a fork, or how it ended; a fork that outlives even its SIGALRM is left behind."""
    data = b""
    while True:
        if not select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
            os.kill(pid, signal.SIGKILL)
            return {"hung": True}
        chunk = os.read(reading, 1 << 16)
        if not chunk:
            break
        data += chunk
    os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == 0 and data:
        return dict(json.loads(data))
    return {"hung": True} if status == -signal.SIGALRM else {"signal": -status if status < 0 else 0, "exit": status}


def show(task: str, answer: dict[str, Any]) -> None:
    """Print one answer at once, so that it is out whatever comes later."""
    sys.stdout.write("\n" + MARK + json.dumps({"task": task, **answer}) + MARK + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Do all tasks, side by side where the system has forks."""
    seconds, folders, tasks = float(arguments[0]), json.loads(arguments[1]), arguments[2:]
    if sys.platform == "win32":
        for task in tasks:
            show(task, answer_to(task, folders))
        return
    deadline = time.monotonic() + seconds + GRACE
    for task, (pid, reading) in [(task, forked(task, folders, seconds)) for task in tasks]:
        show(task, collected(pid, reading, deadline))


if __name__ == "__main__":
    main(sys.argv[1:])
