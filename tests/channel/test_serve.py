"""The server of the tests serves what rattler takes, counts, and misbehaves as it is told."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

import pytest

from tests.channel import broken, build
from tests.channel.serve import Server
from tests.channel.using import install, solve

errors = pytest.importorskip("rattler.exceptions")


class TestServer:
    @pytest.fixture
    def small(self, tmp_path) -> build.Channel:
        return build.build(tmp_path / "channel", [broken.with_script()])

    def test_serves_and_counts(self, small, tmp_path):
        with Server(small.folder) as server:
            prefix = install(solve(server.url, "scripted", cache=tmp_path), tmp_path / "env", cache=tmp_path)
            assert server.count(small.package("scripted").path.name) == 1
        assert (prefix / "share/scripted.txt").exists()
        assert not (prefix / "post-link-ran").exists()

    @pytest.mark.parametrize("fault", ["fail", pytest.param("truncate", marks=pytest.mark.slow), "token"])
    def test_misbehaves_as_told(self, small, tmp_path, fault):
        with Server(small.folder, token="secret" if fault == "token" else "") as server:
            if fault == "fail":
                server.fail("/linux-64/repodata.json.zst", 404)
                server.fail("/linux-64/repodata.json", 403)
            elif fault == "truncate":
                server.truncate("/linux-64/repodata.json.zst", 100)
            url = f"http://{server.host}" if fault == "token" else server.url
            with pytest.raises((errors.GatewayError, errors.SolverError)):
                solve(url, "scripted", cache=tmp_path)
            server.behave()
            assert solve(server.url, "scripted", cache=tmp_path)

    def test_a_login_is_asked_for(self, small, tmp_path):
        with Server(small.folder, login=("someone", "secret")) as server:
            assert solve(server.url.replace("//", "//someone:secret@"), "scripted", cache=tmp_path)

    def test_stopped_refuses(self, small, tmp_path):
        with Server(small.folder) as server:
            url = server.url
        with pytest.raises(errors.GatewayError):
            solve(url, "scripted", cache=tmp_path)

    def test_status_and_speed(self, small):
        with Server(small.folder) as server:
            server.fail("repodata.json", 503)
            with pytest.raises(urllib.error.HTTPError, match="503"):
                urllib.request.urlopen(f"{server.url}/linux-64/repodata.json")
            server.behave()
            server.throttle("repodata.json", 2000)
            server.wait("repodata.json", 0.1)
            start = time.monotonic()
            content = urllib.request.urlopen(f"{server.url}/linux-64/repodata.json").read()
            assert content == (small.folder / "linux-64/repodata.json").read_bytes()
            assert time.monotonic() - start >= 0.1 + len(content) / 2000
            assert server.count("/linux-64/repodata.json") == 2
