"""Environments with packages of one's own: what PyPI's users install most, put beside a set by uv as people do it, the newest that it takes."""

from __future__ import annotations

import random
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import uv

from tests.agreement.views import Subject

# Among the most installed of PyPI (by downloads), without those that are builds of TensorFlow or weigh gigabytes.
NAMES = (
    "aiohttp", "anyio", "attrs", "awscli", "azure-core", "beautifulsoup4", "black", "boto3", "cachetools", "cffi", "click", "colorama", "coverage",
    "cryptography", "cython", "decorator", "django", "docutils", "fastapi", "filelock", "flask", "fsspec", "google-api-core", "google-auth",
    "greenlet", "httpx", "imageio", "ipykernel", "ipython", "jinja2", "jmespath", "joblib", "jsonschema", "jupyterlab", "lxml", "matplotlib",
    "mypy", "networkx", "nltk", "openpyxl", "pandas", "pillow", "pluggy", "psutil", "psycopg2-binary", "pyarrow", "pydantic", "pyjwt", "pyparsing",
    "pytest", "python-dateutil", "pyyaml", "redis", "regex", "ruff", "s3transfer", "scikit-image", "scikit-learn", "scipy", "seaborn", "sqlalchemy",
    "statsmodels", "streamlit", "sympy", "tabulate", "tenacity", "tokenizers", "tqdm", "transformers", "uvicorn", "virtualenv", "websockets",
    "zstandard",
)  # fmt: skip
MOST = 6
ALONE = 0.3


def with_packages(subject: Subject, folder: Path, seed: int) -> tuple[str, Subject]:
    """Return a copy of the environment by hard links with random packages in it, and what they are."""
    chosen = random.Random(seed)
    names = sorted(chosen.sample(NAMES, chosen.randint(2, MOST)))
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["cp", "-al", str(subject.env), str(folder)], check=True)
    # Half of them as pip resolves beside what is there, half of them whatever else that changes.
    loose = chosen.random() < 0.5
    # Some as an image is made that leaves out what it does not need, and lacks what it does.
    alone = chosen.random() < ALONE
    options = [*(["--upgrade"] if loose else []), *(["--no-deps"] if alone else [])]
    argv = ["pip", "install", "--quiet", "--python", str(folder / "bin/python"), *options, *names]
    done = subprocess.run([uv.find_uv_bin(), *argv], capture_output=True, text=True, check=False, cwd="/")
    words = f"with {', '.join(names)}{' (upgraded)' if loose else ''}{' (without what they require)' if alone else ''}"
    if done.returncode:
        words += f" (not installed: {done.stderr.strip()[-200:]})"
    return words, replace(subject, env=folder)
