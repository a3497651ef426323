"""What to do on a cluster: modules that are not loaded, jobs and pods without a GPU or with too little memory. Pure."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.subject import Subject, quoted

_GPU_JOB = "srun --gres=gpu:1 nvidia-smi -L"


def module_of(subject: Subject, found: re.Match[str]) -> Remedy:
    """A module that is not there by that name, or that needs others first (Lmod documentation, "module spider")."""
    named = re.search(r"(?:unknown|requested): \"([\w./+-]{1,80})|modulefile for '?([\w./+-]{1,80})", found[0] + subject.text)
    whole = next((item for item in named.groups() if item), "") if named else ""
    if "Unable to locate a modulefile" in subject.seen:
        return Remedy(
            words="See which modules of that name this cluster has, and load one of those",
            steps=(f"module avail {whole.split('/')[0] or 'cuda'}",),
            why="each cluster has names and versions of its own, which differ between its login and its compute nodes, too",
        )
    there = "exist but cannot be loaded" in subject.seen
    name = whole if there else whole.split("/")[0]
    return Remedy(
        words="See which modules it needs before it, and load those first, in the order that is printed"
        if there
        else "See which versions of it this cluster has, and load one of those, with what is printed for it",
        steps=(f"module spider {name or 'tensorflow'}",),
        why="each cluster has names and versions of its own; what the program misses below follows from the module that was not loaded",
    )


def no_modules(subject: Subject, found: re.Match[str]) -> Remedy:
    """A shell that read none of the files of a login (sbatch(1) starts what the first line of the script names)."""
    del subject, found
    return Remedy(
        words="Let the job's script read what a login reads: begin it with `#!/bin/bash -l`; or read that before the first `module`",
        steps=("source /etc/profile", "module avail"),
        why="`module` is a function of the shell, which the files of a login define; without it no module was loaded, and what follows is missing",
        others=(Way(words="On a machine that has no modules at all, take these lines out of the script"),),
    )


def without_gres(subject: Subject, found: re.Match[str]) -> Remedy:
    """A GPU that the batch system does not know by that name (Slurm: sinfo(1), %G)."""
    del subject, found
    return Remedy(
        words="Ask for the GPU as this cluster calls it: the line lists the partitions and what each has (--partition, --gres=gpu:NAME:1)",
        steps=('sinfo -o "%P %G %D"',),
        why="the partition has no GPU, or calls it otherwise",
    )


def job_without_gpu(subject: Subject, found: re.Match[str]) -> Remedy | None:
    """A job, or a login node, that was given no GPU (Slurm: gres.html, "CUDA_VISIBLE_DEVICES"); None where a container or Ray is in between."""
    if re.search(r"singularity|apptainer|\.sif\b|\(pid=\d+|\bray\b", f"{subject.text} {subject.told}"):
        return None
    login = "login" in found[0]
    return Remedy(
        words="Start it in a job that asks for a GPU (#SBATCH --gres=gpu:1)" + (": a login node has none, as a rule" if login else ""),
        steps=(_GPU_JOB,),
        why="the batch system shows a job the GPUs that it asked for, and no other"
        if not login
        else "programs that compute run on the nodes that the batch system gives",
        others=(Way(words="If it asked for one: see what it was given", steps=("scontrol show job $SLURM_JOB_ID",)),),
    )


def mig(subject: Subject, found: re.Match[str]) -> Remedy:
    """A part of a card, by its name (NVIDIA, Multi-Instance GPU user guide, "CUDA visible devices", "Creating GPU instances")."""
    del subject
    if "No MIG" in found[0]:
        return Remedy(
            words="Make a part of the card, here the whole of it as one (the first line lists the sizes); or switch MIG off",
            steps=("sudo nvidia-smi mig -lgip", "sudo nvidia-smi mig -cgi 0 -C", "nvidia-smi -L"),
            why="MIG is switched on for the card, and it has no parts; CUDA shows a process parts alone then",
            cost="needs an administrator",
            others=(Way(words="To switch it off, where no program uses the card", steps=("sudo nvidia-smi -i 0 -mig 0",)),),
        )
    return Remedy(
        words="Put one of the names MIG-… that the line prints, whole, into CUDA_VISIBLE_DEVICES; where it prints none, the card has no parts yet",
        steps=("nvidia-smi -L", 'echo "[$CUDA_VISIBLE_DEVICES]"'),
        why="the name there is of no part that this driver has: from 470 on the names have another form, and parts that are made anew get new ones",
    )


def pod_without_gpu(subject: Subject, found: re.Match[str]) -> Remedy:
    """No node has one left (Kubernetes documentation, "Schedule GPUs")."""
    vendor = "amd" if "amd." in found[0] else "nvidia"
    maker = {"amd": "AMD", "nvidia": "NVIDIA"}[vendor]
    del subject
    return Remedy(
        words=(
            "See how many GPUs each node offers, and how many are taken: the pod waits until one is free. Where no node offers any,"
            f" {maker}'s device plug-in does not run there"
        ),
        steps=(f"kubectl describe nodes | grep -E 'Name:|{vendor}.com/gpu'", "kubectl get pods --all-namespaces | grep -i device-plugin"),
        why="the scheduler counts what the device plug-in of a node offers, and no node has as many left as the pod asks for",
    )


def pod_without_image(subject: Subject, found: re.Match[str]) -> Remedy:
    """An image that the registry does not have, or does not give (Kubernetes documentation, "Images")."""
    del found
    named = re.search(r"(?:pull image|pulling image|image) \"?([\w./:@-]{3,200}:[\w.-]{1,120})", subject.text)
    image = named[1] if named else "IMAGE"
    refused = re.search(r"unauthorized|authentication required|denied|forbidden", subject.text, re.IGNORECASE)
    return Remedy(
        words="Give the pod the secret for the registry (imagePullSecrets), or see whether the name is right"
        if refused
        else "Name an image and a tag that there are; the line says of one whether the registry has it",
        steps=(f"docker manifest inspect {quoted(image)}",),
        why="the registry gives it to nobody who is not known there" if refused else "the node asked the registry for it, and got nothing",
    )


def pod_out_of_memory(subject: Subject, found: re.Match[str]) -> Remedy:
    """A container above its limit (Kubernetes documentation, "Assign Memory Resources")."""
    del subject, found
    return Remedy(
        words="Raise the container's limits.memory, or make the batch, or what is loaded at once, smaller; the line shows the limit that it has",
        steps=("kubectl describe pod NAME",),
        why="the container took more memory than its limit, and was ended; the memory of the node does not count",
    )


def job_out_of_memory(subject: Subject, found: re.Match[str]) -> Remedy:
    """A job above what it asked for (Slurm: sbatch(1), --mem)."""
    del found
    job = re.search(r"(?:StepId=|[Jj]ob(?:[ _]?[Ii][Dd])?[ =:]+|step )(\d{1,12})", subject.text)
    return Remedy(
        words="Ask for more memory in the job (#SBATCH --mem=32G), or make the batch, or what is loaded at once, smaller",
        steps=(f"sacct -j {job[1] if job else '$SLURM_JOB_ID'} --format=JobID,ReqMem,MaxRSS,State",),
        why="the job took more memory than it had asked for, and was ended; that is the machine's memory, not the GPU's",
    )


def time_limit(subject: Subject, found: re.Match[str]) -> Remedy:
    """A job at the end of its time (Slurm: sbatch(1), --time)."""
    del found
    job = re.search(r"JOB (\d{1,12})", subject.text)
    return Remedy(
        words="Ask for more time in the job (#SBATCH --time=24:00:00), and keep the model while it trains, so that the next job goes on from there",
        steps=(f"sacct -j {job[1] if job else '$SLURM_JOB_ID'} --format=JobID,Elapsed,Timelimit,State",),
        why="the batch system ended the job at its time limit; nothing in it failed",
    )


def quota(subject: Subject, found: re.Match[str]) -> Remedy:
    """A user's share of a disk, which df does not show (quota(1))."""
    del found
    return Remedy(
        words="See how much this user may keep there and what takes it; then make room, or put the environment where more is allowed (scratch)",
        steps=("quota -s", "du -sh ~/.cache ~/.local", f"{subject.shell_python} -m pip cache purge"),
        why="the disk is not full: this user has a share of it, and TensorFlow with CUDA takes 5 GB and more",
        others=(
            Way(
                words="An environment in another folder, with pip's copies beside it",
                steps=(
                    "python3 -m venv /scratch/$USER/tf-env",
                    "/scratch/$USER/tf-env/bin/python -m pip install --no-cache-dir tensorflow",
                ),
            ),
        ),
    )


OF_LINES = (
    (frozenset({"unknown"}), re.compile(r"DUE TO TIME LIMIT"), time_limit),
    (frozenset({"disk-full"}), re.compile(r"[Qq]uota exceeded|Errno 122"), quota),
    (frozenset({"wrong-environment"}), re.compile(r"(?:module\(s\) |modulefile )[^\n]{0,300}"), module_of),
    (frozenset({"wrong-environment"}), re.compile(r"\bmodule: (?:command )?not found|command not found: module"), no_modules),
    (frozenset({"gpu-not-visible"}), re.compile(r"generic resource|Trackable RESource|Requested GRES"), without_gres),
    (frozenset({"gpu-not-visible"}), re.compile(r"Insufficient (?:nvidia|amd)\.com"), pod_without_gpu),
    (frozenset({"download-failed"}), re.compile(r"ErrImagePull|ImagePullBackOff|Failed to pull image"), pod_without_image),
)
OF_PLACES = (
    (
        frozenset({"gpu-not-visible"}),
        re.compile(r"No MIG devices found|CUDA_VISIBLE_DEVICES[=: \n]{1,3}['\"]?MIG-|^MIG-(?:GPU-)?[0-9a-f]{8}", re.MULTILINE),
        mig,
    ),
    (
        frozenset({"gpu-not-visible"}),
        re.compile(r"NoDevFiles|\bslurm|SLURM_|\bsbatch\b|\bsrun\b|@login[\w-]{0,20}[ :]|host: login[\w-]{0,20}", re.IGNORECASE),
        job_without_gpu,
    ),
    (frozenset({"unknown"}), re.compile(r"OOMKilled"), pod_out_of_memory),
    (
        frozenset({"unknown"}),
        re.compile(r"oom_kill event in [Ss]tep|slurmstepd: error:[^\n]{0,200}(?:oom|memory)|OUT_OF_MEMORY"),
        job_out_of_memory,
    ),
)
