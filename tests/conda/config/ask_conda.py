"""Run by the tests in a process of its own: what conda itself makes of configurations (the conda that conda-lock carries with it)."""

from __future__ import annotations

import json
import os
import re
import sys


def answer(case):
    os.environ.clear()
    os.environ.update(case["env"])
    from conda_lock._vendor.conda.base.context import context, reset_context
    from conda_lock._vendor.conda.models.channel import Channel

    reset_context()
    urls = {}
    for name in case["ask"]:
        subdirs = Channel(name).urls(with_credentials=True, subdirs=("noarch",))
        urls[name] = list(dict.fromkeys(re.sub("/(noarch|linux-64)$", "", url) for url in subdirs))
    return {
        "channels": list(context._channels),
        "channel_priority": str(context.channel_priority),
        "offline": context.offline,
        "ssl_verify": str(context.ssl_verify).lower(),
        "proxies": dict(context.proxy_servers),
        "pkgs_dirs": list(context.pkgs_dirs),
        "envs_dirs": list(context.envs_dirs),
        "allowlist": list(context.allowlist_channels),
        "urls": urls,
        "files": [str(path) for path in context.config_files],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps([answer(case) for case in json.load(sys.stdin)]))
