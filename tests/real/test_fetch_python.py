"""From a machine without a fitting Python to a proven TensorFlow by one command: the Python comes from a mirror on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.engines.uv import cache_folder
from provisioner.facts.interpreters import OTHER_FOLDERS
from provisioner.host.local import LocalHost
from tests.channel.python import needs
from tests.channel.serve import Server
from tests.pythons import Mirror
from tests.support import PYTHON

OTHER = "3.12" if PYTHON != "3.12" else "3.13"
pytestmark = [pytest.mark.real, needs(OTHER)]


def test_from_nothing_to_verified(tmp_path: Path) -> None:
    if any(Path(folder, f"python{OTHER}").exists() for folder in OTHER_FOLDERS):
        pytest.skip(f"every process here finds Python {OTHER}")
    mirror = Mirror(tmp_path / "pythons", OTHER)
    with Server(mirror.folder) as server:
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "UV_SYSTEM", "UV_DEFAULT"))}
        env = {
            **kept, **mirror.variables(f"http://{server.host}"), "HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin",
            "UV_CACHE_DIR": cache_folder(LocalHost()),
        }  # fmt: skip

        def tfsetup(*argv: str) -> str:
            command = [sys.executable, "-m", "provisioner", *argv, "--yes"]
            done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout + done.stderr

        said = tfsetup("apply", "--python", OTHER, "--tensorflow", "2.21.0", "--cpu")
        assert f"Fetching Python {mirror.releases[OTHER]}" in said
        assert "Verified: TensorFlow 2.21.0" in said
        folder = tmp_path / "home/.local/share/uv/python"
        real = os.path.realpath(tmp_path / "tf-env/bin/python")
        assert real.startswith(f"{folder}/cpython-{mirror.releases[OTHER]}-")
        assert f"stays in {folder}" in tfsetup("undo")
        assert Path(real).exists()
        assert not (tmp_path / "tf-env").exists()
