"""What to do about containers: shared memory, the room of builds, the registry, the runtime that gives them a GPU. Pure."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.subject import Subject


def shared_memory(subject: Subject, found: re.Match[str]) -> Remedy:
    """Docker gives a container 64 MB of shared memory (docker run reference, --shm-size)."""
    del subject, found
    return Remedy(
        words="Start the container with more shared memory, or let the program load data with fewer processes",
        steps=("docker run --rm -it --gpus all --shm-size=2g IMAGE",),
        why="processes that load data hand it over in /dev/shm, of which a container has 64 MB unless it is told otherwise",
        others=(Way(words="In Kubernetes, mount an emptyDir with medium: Memory at /dev/shm"),),
    )


def room_of_builds(subject: Subject, found: re.Match[str]) -> Remedy:
    """Docker's own folder is full: images, containers and what builds keep (docker system df, docker builder prune)."""
    del subject, found
    return Remedy(
        words="See what Docker keeps, and let it throw away what its builds keep; then build again, with pip keeping no copies",
        steps=("docker system df", "docker builder prune", "RUN python -m pip install --no-cache-dir tensorflow"),
        why="an image is built in Docker's own folder (on Windows and macOS in a virtual disk with a limit), and with CUDA it takes 5 GB and more",
        cost="the next build has nothing kept, and takes longer",
        others=(Way(words="Images that no container uses can go as well", steps=("docker image prune -a",)),),
    )


def rate_limit(subject: Subject, found: re.Match[str]) -> Remedy:
    """Docker Hub's limit for those who are not known there (Docker documentation, "Usage and limits")."""
    del subject, found
    return Remedy(
        words="Sign in to the registry, which raises the limit; or wait some hours, and pull again",
        steps=("docker login",),
        why="Docker Hub counts the pulls of everybody behind one address together, where nobody is signed in",
    )


def no_runtime(subject: Subject, found: re.Match[str]) -> Remedy:
    """containerd, which Kubernetes starts containers with, knows no runtime of NVIDIA's (NVIDIA, container toolkit, "Installation")."""
    del subject, found
    return Remedy(
        words="On that node, make NVIDIA's runtime known to containerd, and start containerd again",
        steps=("sudo nvidia-ctk runtime configure --runtime=containerd", "sudo systemctl restart containerd"),
        why="the pod asks for the runtime nvidia, which is not in containerd's settings there, or the toolkit is not installed on the node",
        cost="needs an administrator of the node",
    )


def pod_asks_for_none(subject: Subject, found: re.Match[str]) -> Remedy:
    """A container of a pod has a GPU where its limits ask for one (Kubernetes documentation, "Schedule GPUs")."""
    del subject, found
    return Remedy(
        words="Ask for a GPU in the container's resources: limits, nvidia.com/gpu: 1; the first line shows whether it does, the second who has one",
        steps=("kubectl describe pod NAME", "kubectl describe nodes | grep -E 'Name:|nvidia.com/gpu'"),
        why="a container of a pod is given the GPUs that its limits name, and no other",
    )


_NO_ROOM = re.compile(r"Errno 28|No space left|no space left")
OF_LINES = (
    (frozenset({"unknown"}), re.compile(r"out of shared memory|shared memory limit"), shared_memory),
    (frozenset({"download-failed"}), re.compile(r"toomanyrequests|pull rate limit"), rate_limit),
    (frozenset({"gpu-not-visible"}), re.compile(r"no runtime for \"?nvidia"), no_runtime),
)
OF_PLACES = ((frozenset({"gpu-not-visible"}), re.compile(r"\bkubernetes\b|\bkubelet\b|\bk8s\b|\bpod\b", re.IGNORECASE), pod_asks_for_none),)
OF_BOTH = (
    (
        frozenset({"disk-full"}),
        re.compile(r"failed to solve|^#\d+ \d|docker build|Dockerfile:\d|buildkit", re.MULTILINE),
        _NO_ROOM,
        room_of_builds,
    ),
)
