"""Secrets: whatever an address carries, none is left; what is no secret stays; and the work grows with the text, no faster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.base.secrets import mask, mask_value
from tests.growth import too_fast

SECRET = "s3cr3t"
# Of what people and hosts make passwords; blanks end an address for everybody.
AROUND = st.text(alphabet="ab:/@'\"`%2F&?=#~!$;,()[]{}<>.-_é", max_size=6)
SCHEMES = st.sampled_from(["https", "http", "HTTPS", "git+https", "git+ssh", "ssh", "ftp", "s3", "oci"])
PATHS = st.sampled_from(["", "/", "/simple", "/t/x/y", "/simple?x=1", "/a@v1#egg=b", ":8080/simple/"])
FRAMES = st.sampled_from(["{}", "see {} there", "index-url = {}", "[{}, x", "a={} b=c", "error: {}: not found", "{}\n{}", "<{}>"])


@given(scheme=SCHEMES, before=AROUND, after=AROUND, path=PATHS, frame=FRAMES)
def test_no_login_survives(scheme: str, before: str, after: str, path: str, frame: str) -> None:
    address = f"{scheme}://me:{before}{SECRET}{after}@host.invalid{path}"
    assert SECRET not in mask(frame.replace("{}", address))


@given(scheme=SCHEMES, user=st.text(alphabet="ab%2F'\"`~!$", max_size=4), quote=st.sampled_from("'\"`"), path=PATHS)
def test_no_login_in_quotes_survives(scheme: str, user: str, quote: str, path: str) -> None:
    text = f"say {quote}{scheme}://{user}{SECRET}{user}@host.invalid{path}{quote}, and mail joe@example.invalid"
    shown = mask(text)
    assert SECRET not in shown
    assert shown.endswith("and mail joe@example.invalid")


@given(before=st.text(alphabet="ab%-.~", max_size=4), path=st.sampled_from(["", "/conda-forge", "/conda-forge/linux-64?x=1"]), frame=FRAMES)
def test_no_conda_token_survives(before: str, path: str, frame: str) -> None:
    assert SECRET not in mask(frame.replace("{}", f"https://conda.example.invalid/t/{before}{SECRET}{path}"))


@given(
    name=st.sampled_from(["token", "access_token", "API-KEY", "X-Amz-Signature", "X-Amz-Credential", "sig", "%74oken", "password", "pwd"]),
    first=st.sampled_from(["?", "?x=1&", "?x=y?", "?a&b&", "#", "?=&"]),
    value=st.text(alphabet="ab%'\"/:@?=;,.", max_size=5),
    frame=FRAMES,
)
def test_no_secret_of_a_query_survives(name: str, first: str, value: str, frame: str) -> None:
    assert SECRET not in mask(frame.replace("{}", f"https://host.invalid/simple{first}{name}={value}{SECRET}&z=1"))


@given(st.text(alphabet="a:/@'\"`%?&=#t{}$ token*\n", max_size=40))
def test_to_mask_again_changes_nothing(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "https://host.invalid/simple?x=1&page=2#egg=name",
        "https://${USER}:${PASSWORD}@host.invalid/simple",
        "https://host.invalid/t/${TOKEN}/main",
        "git+https://host.invalid/team/repo.git@v1.2-rc1#egg=name",
        "name @ git+https://host.invalid/repo@feature/x ; python_version > '3'",
        "'git+https://host.invalid/repo@main', and mail joe@example.invalid",
        "write to joe@example.invalid",
        '{"url":"https://a.invalid/b","mail":"x@y.invalid"}',
        "/srv/t/folder and file:///srv/t/folder",
        "numpy==1.26.4 ; python_version >= '3.9'",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    "address",
    [
        f"git+https://{SECRET}@host.invalid/repo@v1",
        f"git+https://me:{SECRET}@host.invalid/repo",
        f"git+https://me:1/{SECRET}@host.invalid/repo@v1",
        f"git+https://{SECRET}/x@host.invalid/repo",
        f"git+https://host.invalid:1/{SECRET}@v1",
        f"git+https://host.invalid/repo@v1,me:{SECRET}@host.invalid",
        f"git+https://host.invalid/repo@v1,https://me:{SECRET}@host.invalid",
        f"git+https://host.invalid/a:{SECRET}@v1",
        f"git+https://host.invalid/repo@v1?token={SECRET}",
        f"https://me.invalid/{SECRET}@host.invalid",
    ],
)
def test_what_a_version_system_is_asked_for_opens_no_way_around(address: str) -> None:
    assert SECRET not in mask(address)


def test_keys_of_services_are_hidden() -> None:
    assert mask("header ghp_0123456789abcdefghij01 end") == "header *** end"


def test_a_value_may_lack_its_scheme() -> None:
    assert mask_value("me:pw@proxy.invalid:3128") == "***@proxy.invalid:3128"
    assert mask_value("proxy.invalid:3128") == "proxy.invalid:3128"


@pytest.mark.parametrize(
    "unit",
    [
        "?token",
        "&token=x",
        "?a=",
        "://",
        "'a://",
        "https://u:p@",
        "https://h/t/",
        "/t/",
        "a@",
        "://x'@",
        "git+https://a.b/c@d",
        "git+https://a.b/",
        "git+https://a.b.",
        "'http://a',",
        "%",
        "sk-",
        "=&",
    ],
)
def test_the_work_grows_with_the_text(unit: str) -> None:
    """F1 took 512 times as long for eight times the text."""
    assert not too_fast(lambda size: mask(unit * (size // len(unit))), 160_000)
