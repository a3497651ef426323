"""Where packages come from: pip's configuration in uv's words, and no password in sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.base.text import mask
from provisioner.engines.index import installer_environment, parse_pip_config
from tests.support import FixedHost


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no address", "no address"),
        ("http://host/simple", "http://host/simple"),
        ("http://ada:pw@host/simple", "http://***@host/simple"),
        ("at `https://ada:p@ss@host/simple`: failed", "at `https://***@host/simple`: failed"),
        ("https://ada:p/w@host/simple", "https://***@host/simple"),
        ("https://token@host http://b:c@other", "https://***@host http://***@other"),
        ("ada@example", "ada@example"),
        ("https://ada:p`w@host/simple", "https://***@host/simple"),
        ("https://host/simple?token=abc&x=1", "https://host/simple?token=***&x=1"),
    ],
)
def test_no_password_is_shown(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_pips_install_section_wins_over_global() -> None:
    text = "[global]\nindex-url = a\ncert = c\n[install]\nindex-url = b%20\n[list]\nindex-url = z\n"
    assert parse_pip_config(text) == {"index-url": "b%20", "cert": "c"}
    assert parse_pip_config("index-url = no section") == {}
    assert parse_pip_config("[global\n") == {}


def environment(tmp_path: Path, config: str = "", **env: str) -> dict[str, str]:
    (tmp_path / "pip").mkdir(exist_ok=True)
    (tmp_path / "pip" / "pip.conf").write_text(config)
    return dict(installer_environment(FixedHost({"HOME": "/no", "XDG_CONFIG_HOME": str(tmp_path), **env})))


def test_what_pip_is_configured_with_reaches_uv(tmp_path: Path) -> None:
    found = environment(tmp_path, "[global]\nindex-url = http://user/simple\ncert = /cert\nproxy = http://proxy\n")
    assert (found["UV_DEFAULT_INDEX"], found["SSL_CERT_FILE"], found["HTTPS_PROXY"]) == ("http://user/simple", "/cert", "http://proxy")
    assert environment(tmp_path, "[global]\nindex-url = a\n", PIP_INDEX_URL="b")["UV_DEFAULT_INDEX"] == "b"
    assert "UV_DEFAULT_INDEX" not in environment(tmp_path)


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_CONFIG_FILE"])
def test_what_uv_is_configured_with_wins(tmp_path: Path, name: str) -> None:
    found = environment(tmp_path, "[global]\nindex-url = a\n", **{name: "mine"})
    assert found[name] == "mine"
    assert "a" not in found.values()


def test_the_file_that_is_named_wins_and_the_null_device_turns_all_files_off(tmp_path: Path) -> None:
    (tmp_path / "named").write_text("[global]\nindex-url = named\n")
    config = "[global]\nindex-url = user\n"
    assert environment(tmp_path, config, PIP_CONFIG_FILE=str(tmp_path / "named"))["UV_DEFAULT_INDEX"] == "named"
    assert "UV_DEFAULT_INDEX" not in environment(tmp_path, config, PIP_CONFIG_FILE="/dev/null")


def test_other_environments_and_other_wishes_do_not_leak_in(tmp_path: Path) -> None:
    leaks = {
        "VIRTUAL_ENV": "x",
        "CONDA_PREFIX": "x",
        "PYTHONPATH": "x",
        "PYTHONHOME": "x",
        "UV_CONSTRAINT": "x",
        "UV_TARGET": "x",
        "UV_RESOLUTION": "x",
    }
    kept = {"UV_CACHE_DIR": "c", "UV_INDEX_COMPANY_PASSWORD": "p", "UV_HTTP_TIMEOUT": "9", "UV_FIND_LINKS": "w", "OTHER": "o"}
    found = environment(tmp_path, **leaks, **kept)
    assert not set(leaks) & set(found)
    assert found.items() >= kept.items()
    assert found["UV_PYTHON_DOWNLOADS"] == "never"
    assert found["NO_COLOR"] == "1"
