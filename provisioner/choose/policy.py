"""What a team's policy (``policy:`` of tfsetup.yaml) lets be taken: one rule for locks and for plans. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.base.versions import numbers
from provisioner.choose.obstacles import Obstacle, listed
from provisioner.choose.versions import matches
from provisioner.errors import NoProfileError
from provisioner.model.catalogue import Build, ComputeDevice, Lock, Proof, Release
from provisioner.model.policy import Policy


def release_obstacles(release: Release, policy: Policy, cutoff: str) -> Iterator[Obstacle]:
    """Yield what the policy has against a release; ``cutoff`` (ISO date) is when its sets must have been resolved, for ``cool_down``."""
    version = release.version
    if policy.releases and not matches(policy.releases, version):
        yield Obstacle(
            code="", why=f"is not among the releases that the policy allows ({policy.releases})", remedy="`policy.releases` for it"
        )
    if policy.signed_off and all(item.release != version for item in policy.signed_off):
        yield Obstacle(code="", why="is not signed off", remedy=f"{version} under `policy.signed_off`")
    limits = [constraint.until for build in release.builds for constraint in build.constraints]
    resolved = max([release.cutoff, *limits])
    if policy.cool_down and cutoff and resolved > cutoff:
        why = f"has sets of {resolved}, which are younger than the {policy.cool_down} days of `policy.cool_down`"
        yield Obstacle(code="", why=why, remedy="a shorter `policy.cool_down`")


def driver_obstacle(build: Build, device: ComputeDevice, driver: str, whose: str = "the policy") -> Obstacle | None:
    """Say where machines with an older ``driver`` than a CUDA build needs are among those that it is for (``whose``)."""
    if device != "cuda" or build.cuda is None or not driver or numbers(driver) >= numbers(build.cuda.driver):
        return None
    why = f"needs NVIDIA driver {build.cuda.driver} or newer, and {whose} has machines with {driver}"
    return Obstacle(code="driver-too-old", why=why, remedy=f"NVIDIA driver {build.cuda.driver} on all machines of {whose}")


def set_obstacles(lock: Lock, proof: Proof, policy: Policy, whose: str = "this machine") -> Iterator[Obstacle]:
    """Yield what the policy has against a set."""
    if policy.proven and proof.level != "run":
        how = f"run under {proof.emulator} alone" if proof.computed else "resolved and never run"
        why = f"has a set for {whose} that was {how}"
        yield Obstacle(code="", why=why, remedy=f"a set for {whose} that was run on a real machine, or no `policy.proven`")
    sources = sorted(file.name for file in lock.files if file.source)
    if sources and not policy.source_builds:
        why = f"has {listed(sources)} only as source for {whose}, and the policy allows no source builds"
        yield Obstacle(code="", why=why, remedy="`policy.source_builds: true`")


def check_set(release: Release, lock: Lock, proof: Proof, policy: Policy, cutoff: str) -> None:
    """Raise ``NoProfileError`` where the policy has something against a set that was chosen otherwise than by ``choose``."""
    build = release.build(lock.platform)
    device: ComputeDevice = "cpu" if lock.device == "cpu" else "cuda"
    driver = driver_obstacle(build, device, policy.driver) if build is not None else None
    found = [*release_obstacles(release, policy, cutoff), *set_obstacles(lock, proof, policy), *([driver] if driver else [])]
    if found:
        told = f"TensorFlow {release.version}: {'; it also '.join(item.why for item in found)}"
        hint = f"take another release, or change {' and '.join(dict.fromkeys(item.remedy for item in found))} in tfsetup.yaml"
        raise NoProfileError(f"the policy does not allow TensorFlow {release.version}: it {found[0].why}", hint=hint, refusals=(told,))
