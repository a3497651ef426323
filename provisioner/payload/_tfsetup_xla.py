"""Shows XLA the ptxas and libdevice of this environment: TensorFlow before 2.14 does not look for them beside itself.

Put into site-packages by tfsetup and imported by ``tfsetup_xla.pth`` at every start of this Python, so it does next to nothing: only when
TensorFlow is imported does it set variables, in that process, so that no other environment's TensorFlow inherits them. Python 3.6 and later.
"""

import os
import sys

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nvidia", "cuda_nvcc")


class Once:
    """Waits on ``sys.meta_path`` for TensorFlow, and finds no module itself."""

    @classmethod
    def find_spec(cls, name: str, _path: object = None, _target: object = None) -> None:
        """Be asked before anybody else (PEP 451); None lets the others answer."""
        if name == "tensorflow":
            if cls in sys.meta_path:
                sys.meta_path.remove(cls)
            show()


def show() -> None:
    """Set XLA_FLAGS, unless the user has named a toolkit or a file of flags, and put this ptxas before those of the system."""
    env = os.environ  # noqa: TID251 - this is the process that uses TensorFlow
    flags = env.get("XLA_FLAGS", "").strip()
    of_a_file = flags and not flags.startswith("-")
    if of_a_file or "--xla_gpu_cuda_data_dir" in flags or not os.path.isdir(TOOLS):
        return
    env["XLA_FLAGS"] = f'{flags} --xla_gpu_cuda_data_dir="{TOOLS}"'.strip()
    env["PATH"] = os.pathsep.join([os.path.join(TOOLS, "bin"), env.get("PATH", os.defpath)])


sys.meta_path.insert(0, Once)
