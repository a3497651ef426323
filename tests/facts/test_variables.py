"""Which variables are shown, and that no secret is."""

from __future__ import annotations

import pytest

from provisioner.facts import variables


def test_only_what_matters_is_kept() -> None:
    env = {
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "LD_LIBRARY_PATH": "/a",
        "XLA_FLAGS": "--x",
        "HOME": "/home/me",
        "AWS_SECRET_ACCESS_KEY": "s",
        "SHELL": "sh",
    }
    assert variables.probe(env) == {"LD_LIBRARY_PATH": "/a", "TF_CPP_MIN_LOG_LEVEL": "2", "XLA_FLAGS": "--x"}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("PIP_INDEX_URL", "https://me:s3cret@example.invalid/simple", "https://***@example.invalid/simple"),
        (
            "UV_INDEX",
            "a=https://s3cret@example.invalid/x b=https://u:s3cret@b.invalid",
            "a=https://***@example.invalid/x b=https://***@b.invalid",
        ),
        ("PIP_EXTRA_INDEX_URL", "https://example.invalid/?token=s3cret&x=1", "https://example.invalid/?token=***&x=1"),
        ("HTTPS_PROXY", "http://u:p@s3cret@proxy.invalid:3128", "http://***@proxy.invalid:3128"),
        ("UV_PUBLISH_TOKEN", "s3cret", "***"),
        ("UV_INDEX_MINE_PASSWORD", "s3cret", "***"),
        ("CONDA_TOKEN", "", ""),
        ("TF_DB_PASS", "s3cret", "***"),
        ("TF_VAR_database", "s3cret", "***"),
        ("PIP_PW", "s3cret", "***"),
        ("UV_API_KEY_2", "s3cret", "***"),
        ("CUDA_BYPASS_CHECK", "1", "1"),
        ("UV_KEYRING_PROVIDER", "subprocess", "subprocess"),
        ("PIP_INDEX_URL", "https://me:s3c/r'et@example.invalid/simple", "https://***@example.invalid/simple"),
        ("UV_INDEX_URL", 'https://me:s3c%2Fr%27"et@example.invalid/simple', "https://***@example.invalid/simple"),
        ("HTTPS_PROXY", "me:s3cret@proxy.invalid:3128", "***@proxy.invalid:3128"),
    ],
)
def test_secrets_are_masked(name: str, value: str, shown: str) -> None:
    assert variables.probe({name: value}) == {name: shown}
