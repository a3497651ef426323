"""``nvidia-smi``: the last source on the driver and its GPUs, asked when NVML gave no answer."""

from __future__ import annotations

import re
from typing import Any

from provisioner.host import Reader, files

PLACES = ("/usr/lib/wsl/lib/nvidia-smi", "/usr/bin/nvidia-smi", "/usr/local/nvidia/bin/nvidia-smi", "/opt/bin/nvidia-smi")
FIELDS = ("index", "name", "uuid", "pci.bus_id", "pci.device_id", "driver_version", "memory.total", "mig.mode.current", "compute_cap")
# ``compute_cap`` came with release 510, ``mig.mode`` with 450; an older program refuses the whole question.
QUESTIONS = (FIELDS, FIELDS[:-1], FIELDS[:-2])
SECONDS = 30.0
MEBIBYTE = 1 << 20


def parse_csv(text: str, fields: tuple[str, ...] = FIELDS) -> list[dict[str, Any]]:
    """Read ``--query-gpu=… --format=csv,noheader,nounits`` in the form of ``in_process/_gpu``; lines that are no GPU are left out.

    ::

        0, NVIDIA H100 80GB HBM3, GPU-7d…, 00000000:18:00.0, 0x233010DE, 550.54.14, 81559, Disabled, 9.0
    """
    gpus = []
    for row in text.splitlines():
        cells = [cell.strip() for cell in row.split(",")]
        if len(cells) != len(fields) or not cells[0].isdecimal():
            continue
        values = dict(zip(fields, cells, strict=True))
        gpu: dict[str, Any] = {
            "index": int(cells[0]),
            "name": values["name"],
            "uuid": values["uuid"],
            "bus": values["pci.bus_id"],
            "faults": {},
        }
        gpu["release"] = values["driver_version"]
        if re.fullmatch(r"0x[0-9A-Fa-f]{8}", values["pci.device_id"]):
            gpu["pci"] = int(values["pci.device_id"], 16)
        if values["memory.total"].isdecimal():
            gpu["memory"] = int(values["memory.total"]) * MEBIBYTE
        if values.get("mig.mode.current", "").lower() in {"enabled", "disabled"}:
            gpu["mig"] = values["mig.mode.current"].lower()
        found = re.fullmatch(r"(\d+)\.(\d+)", values.get("compute_cap", ""))
        if found:
            gpu["capability"] = [int(found[1]), int(found[2])]
        gpus.append(gpu)
    return gpus


def parse_cuda(text: str) -> int:
    """CUDA's version in the head of plain ``nvidia-smi`` (``CUDA Version: 12.4``) as 12040; 0 when it names none."""
    found = re.search(r"CUDA Version:\s*(\d{1,2})\.(\d{1,2})", text)
    return int(found[1]) * 1000 + int(found[2]) * 10 if found else 0


def parse_failure(text: str) -> str:
    """Its words when it cannot talk to the driver: ``Failed to initialize NVML: Driver/library version mismatch``."""
    rows = (row.strip() for row in text.splitlines())
    return next(
        (row for row in rows if row.startswith(("Failed to initialize NVML", "NVIDIA-SMI has failed", "No devices were found"))), ""
    )


def ask(host: Reader, env: dict[str, str]) -> dict[str, Any]:
    """Ask for every GPU in one question; then for CUDA's version. An exit status that is not 0 does not spoil what still parses."""
    program = host.which("nvidia-smi") or next((path for path in PLACES if files.there(host, path)), "")
    if not program:
        return {"error": -1, "words": "nvidia-smi was not found"}
    gpus: list[dict[str, Any]] = []
    words = ""
    try:
        for fields in QUESTIONS:
            done = host.run([program, f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"], env=env, timeout=SECONDS)
            gpus = parse_csv(done.out, fields)
            words = parse_failure(done.out + "\n" + done.err)
            if done.timed_out:
                return {"hung": True, "program": program}
            if gpus or words:
                break
        cuda = parse_cuda(host.run([program], env=env, timeout=SECONDS).out) if gpus else 0
    except files.FAULTS as error:
        return {"error": -1, "words": f"{program} cannot be started: {files.reason(error)}"}
    if not gpus:
        return {"error": -1, "words": words or "nvidia-smi named no GPU", "program": program}
    return {"gpus": gpus, "release": gpus[0]["release"], "cuda": cuda, "program": program}
