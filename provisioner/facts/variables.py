"""The environment variables that matter to TensorFlow, Python, CUDA and the installers, with every secret masked."""

from __future__ import annotations

import re
from collections.abc import Mapping

from provisioner.base.secrets import MASK, mask, mask_value

PREFIXES = (
    "CONDA_",
    "CUDA_",
    "CUDNN_",
    "DYLD_",
    "KERAS_",
    "LD_",
    "MAMBA_",
    "NCCL_",
    "NVIDIA_",
    "PIP_",
    "PYENV_",
    "PYTHON",
    "ROCM_",
    "TFSETUP_",
    "TF_",
    "UV_",
    "XLA_",
)
NAMES = frozenset(
    {
        "ALL_PROXY",
        "HF_HOME",
        "HIP_VISIBLE_DEVICES",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "OMP_NUM_THREADS",
        "PATH",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "VIRTUAL_ENV",
        "WSL_DISTRO_NAME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
    }
)
# Words anywhere in a name, then such as are a word of it alone (``TF_DB_PASS``, but not ``CUDA_BYPASS``); ``TF_VAR_`` is Terraform's, for any value.
SECRET = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|CREDENTIAL|USERNAME|AUTH(?!OR)|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CONNECTION_?STRING"
    r"|(?:^|_)(?:DB|USER|MY)?(?:PASS|PW|PASSWRD|PSW|CREDS?|COOKIE|JWT|KEY|LOGIN|SIG|SIGNATURE|SESSION_?ID)S?(?:_|\d|$)|_PWD|^TF_VAR_",
    re.IGNORECASE,
)


def matter(name: str) -> bool:
    """True when the variable can change what is installed, loaded or seen."""
    upper = name.upper()
    return upper in NAMES or upper.startswith(PREFIXES)


def probe(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that matter, by name; the whole value is masked where the name says secret."""
    return {name: _shown(name, value) for name, value in sorted(env.items()) if matter(name)}


def _shown(name: str, value: str) -> str:
    if value and SECRET.search(name):
        return MASK
    return mask_value(value) if name.upper().endswith("_PROXY") else mask(value)
