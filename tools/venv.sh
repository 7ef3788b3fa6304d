# Sourced by tools/demo and tools/test: a virtual environment with a right Python, and an install that is done again
# only when something that it was made from has changed.

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11, 3.12 or 3.13 is needed and none was found; install one or name it: PYTHON=/path/to/python3.12 $0" >&2
    return 2
}

make_venv() { # FOLDER
    [ -x "$1/bin/python" ] && "$1/bin/python" -c '' 2>/dev/null && return
    local python
    python=$(find_python) || exit 2
    rm -rf "$1"
    "$python" -m venv "$1" 2>/dev/null || {
        echo "$python could not make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 2
    }
}

install_once() { # VENV ROOT PIP-ARGUMENTS...
    local venv=$1 root=$2 stamp="$1/.installed-from" now
    shift 2
    now=$(cd "$root" && cat setup.cfg pyproject.toml constraints.txt && find protocols ocm_cti web -name '*.py' -o -name '*.toml' | sort | xargs cksum)
    [ -f "$stamp" ] && [ "$now" = "$(cat "$stamp")" ] && return
    # A stale build/ would put deleted modules into the installation.
    rm -rf "$root/build"
    echo "installing OCM and what it needs into $venv (about half a minute) ..." >&2
    "$venv/bin/python" -m pip install --disable-pip-version-check --quiet -c "$root/constraints.txt" "$@"
    rm -rf "$root/build"
    printf '%s' "$now" > "$stamp"
}
