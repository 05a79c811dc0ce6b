# Sourced by the other scripts: where the toolchain is, what is installed, how things are said.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$1" >&2
    [ -z "${2:-}" ] || printf '  fix: %s\n' "$2" >&2
    exit 1
}

# Puts `swift` on the PATH, or says how to get it there.
need_swift() {
    local place
    for place in "" /opt/swift/usr/bin /usr/local/swift/usr/bin "$HOME/.local/share/swiftly/bin"; do
        [ -z "$place" ] || [ ! -x "$place/swift" ] || PATH="$place:$PATH"
        if command -v swift >/dev/null; then break; fi
    done
    command -v swift >/dev/null || fail "no Swift toolchain found" \
        "install Swift 6.2 or newer for Debian 12 from https://www.swift.org/install/linux/ and put its usr/bin on the PATH"
    local version major minor
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p')
    read -r major minor <<<"${version:-0 0}"
    ((major > 6 || (major == 6 && minor >= 2))) || fail "Swift $major.$minor is too old" \
        "install Swift 6.2 or newer (this project is developed with 6.3)"
}

# The packages of the given groups that are not installed yet.
missing_packages() {
    local group package
    while read -r group package _; do
        case " $* " in *" $group "*) ;; *) continue ;; esac
        [ "$package" != libipsec-mb-dev ] || [ "$(uname -m)" = x86_64 ] || continue
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            printf '%s ' "$package"
    done < <(grep -vE '^(#|$)' scripts/packages.txt)
}

# Installs the missing packages of the given groups; does nothing, quickly, when all are there.
install_packages() {
    local wanted sudo=""
    wanted=$(missing_packages "$@")
    [ -n "$wanted" ] || return 0
    command -v apt-get >/dev/null || fail "these Debian packages are missing: $wanted" \
        "this script installs them with apt-get, which is not here; install them by hand"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "these packages are missing: $wanted" \
            "run as root: apt-get install $wanted"
        sudo=sudo
    fi
    say "installing: $wanted"
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        $wanted >/dev/null 2>&1 && return 0
    $sudo apt-get update -qq >/dev/null || fail "apt-get update failed" \
        "check the network and /etc/apt/sources.list"
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        $wanted >/dev/null || fail "could not install: $wanted" "run: apt-get install $wanted"
}

# Runs tests and shows what came of them: not what began, whose arguments may be of a thousand lines
# (they end with "started."), and no lines of a thousand columns. XCTest is left out: the project has
# no tests of it, and the leak checker does not like its runner.
run_tests() {
    swift test --skip-build --disable-xctest "$@" 2>&1 |
        awk '/^◇/ { begun = 1 } /^(✔|✘)/ { begun = 0 } !begun; / started\.$/ { begun = 0 }' |
        cut -c 1-500
}
