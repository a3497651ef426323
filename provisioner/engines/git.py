"""A commit of a git repository, checked out by the git of this machine: its name is the hash of all that is in it."""

from __future__ import annotations

from collections.abc import Callable

from provisioner.base.text import mask
from provisioner.engines.resolving import Job
from provisioner.engines.wheels import Wheel
from provisioner.errors import OperationError
from provisioner.host import Host
from provisioner.host.files import make_folders

TIMEOUT_SECONDS = 600.0
# Nobody is asked for a password, no program is named by an address, no hook or filter of a template runs, and large files stay where they are.
_VARIABLES = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:ssh:file", "GIT_TEMPLATE_DIR": "", "GIT_LFS_SKIP_SMUDGE": "1"}
# Variables that would point git at another repository than the one that is made here.
_DROPPED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY")


def checked_out(host: Host, job: Job, wheel: Wheel, folder: str, watch: Callable[[int], None] | None = None) -> str:
    """Check the commit of ``wheel`` out in ``folder``, and return it; raises ``OperationError`` where it cannot be had."""
    git = host.which("git")
    if git is None:
        hint = "install git (Debian: apt-get install git), or name an archive of that commit in its place"
        raise OperationError(f"git is not there, and {wheel.package} comes from a repository", place=job.name, hint=hint)
    host.remove_tree(folder)
    make_folders(host, folder)
    env = {name: value for name, value in host.env.items() if name not in _DROPPED} | _VARIABLES

    def run(*words: str) -> str:
        done = host.run([git, "-C", folder, *words], env=env, cwd="/", timeout=TIMEOUT_SECONDS, watch=watch)
        return "" if done.ok else " ".join(done.err.split()) or f"git ended with {done.code}"

    said = run("init", "--quiet") or run("fetch", "--quiet", "--depth", "1", "--", wheel.url, wheel.commit)
    if said:
        # Not every server gives a commit by its name: then all of it is fetched.
        said = run("fetch", "--quiet", "--", wheel.url, "+refs/*:refs/tfsetup/*")
    said = said or run("checkout", "--quiet", "--detach", wheel.commit)
    if said:
        message = f"the commit {wheel.commit[:12]} of {mask(wheel.url)} could not be had (git says: {mask(said[-300:])})"
        raise OperationError(
            message, place=job.name, hint="run the same command again, or ask who keeps the repository", cause="download-failed"
        )
    return folder
