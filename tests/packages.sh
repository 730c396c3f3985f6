#!/usr/bin/env bash
# Installs the Debian packages that the named groups need; says so, and does nothing when all are there.
#   tests/packages.sh build|run|test|fuzz|bench|lint ...
set -euo pipefail

declare -A packages=(
    [build]="gcc libc6-dev make pkg-config libcurl4-openssl-dev libyaml-dev libjansson-dev libpq-dev libssl-dev
             libcsv-dev libunistring-dev libxxhash-dev"
    [run]="postgresql-15 postgresql-client-15 python3 ca-certificates util-linux"
    [test]="perl libcmocka-dev postgresql-15-pgtap openssl nghttp2-server strace clang libclang-rt-14-dev
            parallel python3-yaml systemd"
    [fuzz]="afl++"
    [bench]="curl jq miller nginx-light python3-psycopg"
    [node]="nodejs npm"
    [slurm]="slurm-wlm munge nginx-light"
    [lint]="clang clang-tidy clang-tools cppcheck shellcheck valgrind gcovr bear"
)

if ! command -v dpkg-query >/dev/null; then
    echo "packages.sh: no dpkg here: install the equivalents of the packages listed in $0 yourself" >&2
    exit 0
fi

wanted=()
for group in "$@"; do
    [ -n "${packages[$group]:-}" ] || { echo "packages.sh: unknown group '$group' (${!packages[*]})" >&2; exit 64; }
    read -r -d '' -a names <<<"${packages[$group]}" || true
    wanted+=("${names[@]}")
done

installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
    sed -n 's/^installed //p' || true)
missing=()
for package in "${wanted[@]}"; do
    grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "packages.sh: missing, and neither root nor sudo to install them: ${missing[*]}" >&2
        exit 77
    fi
    as_root=(sudo)
    echo "Installing with sudo apt-get: ${missing[*]}" >&2
else
    echo "Installing with apt-get: ${missing[*]}" >&2
fi
apt_install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -q \
        --no-install-recommends "$@" >&2
}

"${as_root[@]}" apt-get update -q >&2
# On its own the server's package would also create a cluster and start it on TCP.
createcluster=/etc/postgresql-common/createcluster.conf
if [[ " ${missing[*]} " == *" postgresql-15 "* && ! -e $createcluster ]]; then
    apt_install postgresql-common
    "${as_root[@]}" sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' "$createcluster"
fi
apt_install "${missing[@]}"
