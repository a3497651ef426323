#!/bin/sh
# tfsetup @VERSION@ in one file, for Linux on x86-64 with glibc 2.31 or newer. What follows the last line of this script is data: a tool that unpacks
# (BusyBox, GPL-2.0, as Debian builds it), then Python, uv and tfsetup. The first start unpacks them into the cache, each start runs them from there.
set -eu
id=@ID@
keep=${TFSETUP_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/tfsetup}/standalone
here=$keep/$id

fail() {
    echo "error: $1" >&2
    [ -z "${2:-}" ] || echo "hint: $2" >&2
    exit 2
}

# Into $made, and from there in one move to its place, so that a start that is interrupted leaves nothing that looks whole.
unpack() {
    [ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || fail "this file is for Linux on x86-64, and here is $(uname -s) on $(uname -m)"
    umask 077
    made=""
    mkdir -p "$keep" 2>/dev/null && made=$(mktemp -d "$keep/.new-XXXXXX" 2>/dev/null) || made=$(mktemp -d) || fail "there is no folder to unpack into" "name one with TFSETUP_CACHE_DIR"
    trap 'rm -rf "$made"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    echo "tfsetup: unpacking itself, once, into $keep" >&2
    tail -c +@TOOL@ "$0" | head -c @TOOL_SIZE@ > "$made/busybox"
    chmod 700 "$made/busybox"
    tail -c +@DATA@ "$0" | "$made/busybox" xz -dc 2>"$made/said" | "$made/busybox" tar -x -C "$made" -f - 2>>"$made/said" || :
    [ -e "$made/tree/whole" ] || fail "it could not be unpacked: $(tail -n 1 "$made/said")" "is the file whole, and is there room (250 MB) in $keep? TFSETUP_CACHE_DIR names another folder"
    "$made/tree/bin/python3" -c "" 2>"$made/said" || fail "it cannot be started: $(head -n 1 "$made/said")" "it needs glibc 2.31 or newer, and a folder from which programs may be started; TFSETUP_CACHE_DIR names another"
}

# Only what is this user's own is started.
if [ ! -O "$here/whole" ]; then
    unpack
    if [ "${made%/*}" = "$keep" ]; then
        # Where another start was quicker, its folder stays.
        "$made/tree/bin/python3" -I -c 'import os, sys; os.path.exists(sys.argv[2]) or os.rename(*sys.argv[1:])' "$made/tree" "$here" || :
        rm -rf "$made"
        trap - EXIT INT TERM HUP
    else
        code=0
        "$made/tree/bin/python3" -I "$made/tree/bin/start.py" "$0" "$@" || code=$?
        exit $code
    fi
fi
exec "$here/bin/python3" -I "$here/bin/start.py" "$0" "$@"
