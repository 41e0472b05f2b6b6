# shellcheck shell=bash disable=SC2034
# The Debian packages that ./check and ./demo need, and how they are installed. Sourced by both.

packages_build='gcc libc6-dev meson ninja-build pkg-config libsodium-dev libssl-dev libsqlite3-dev libuv1-dev
libjansson-dev libseccomp-dev libedit-dev'

# A second compiler, the foreign peers of tests/peers/ and tests/stranger/, spin for models/, systemd to judge the unit,
# valgrind to find branches on secrets, ip for tests/network/, and tmux for the hotline.
packages_test='binutils clang iproute2 mandoc python3 socat spin strace systemd tmux valgrind golang-go golang-github-flynn-noise-dev
golang-golang-x-mod-dev python3-cryptography python3-dissononce libcbor-dev'

# What tools/coverage counts with, in ./check --long.
packages_long='gcovr'

# Installs what is missing of the packages named. Where it cannot, it prints the line to type and exits with 1.
packages_install() {
    local package missing='' as_root='' install='apt-get install -y --no-install-recommends'

    if ! command -v apt-get >/dev/null; then
        echo 'There is no apt-get here: going on with what is installed.'
        return
    fi
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=" $package"
    done
    [ -n "$missing" ] || return 0

    if [ "$(id -u)" -ne 0 ]; then
        as_root='sudo -n'
        sudo -n true 2>/dev/null || packages_give_up "These packages are missing, and this is neither root nor is there a sudo without a password" "$missing"
    fi
    echo "Installing:$missing"
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null >/dev/null || true
    # shellcheck disable=SC2086 # the lists are words
    $as_root env DEBIAN_FRONTEND=noninteractive $install -q $missing </dev/null >/dev/null ||
        packages_give_up "apt-get failed" "$missing"
}

packages_give_up() { # why missing
    local as_root=''

    [ "$(id -u)" -eq 0 ] || ! command -v sudo >/dev/null || as_root='sudo '
    echo "$1. Please type, as root:"
    echo "${as_root}apt-get update && ${as_root}apt-get install -y --no-install-recommends$2"
    exit 1
}
