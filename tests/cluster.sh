#!/usr/bin/env bash
# A private PostgreSQL cluster in DIR/pg: UNIX socket only, no TCP. The server refuses to run as root, so root runs it
# as an unprivileged user.
#   tests/cluster.sh start DIR   creates it when needed, starts it; prints what a client has to export
#   tests/cluster.sh env DIR     prints the same for one that runs; status 1 when it does not
#   tests/cluster.sh stop DIR
#   tests/cluster.sh remove DIR  stops it and deletes it
set -euo pipefail

port=5432
socket_max=107 # bytes of sun_path
shm_needed=6000000 # KB in /dev/shm, and of memory

fail() {
    echo "cluster.sh: $*" >&2
    exit 1
}

as_owner() {
    if [ "$(id -u)" -eq 0 ]; then runuser -u "$owner" -- "$@"; else "$@"; fi
}

owner() {
    if [ "$(id -u)" -ne 0 ]; then id -un
    elif getent passwd postgres >/dev/null; then echo postgres
    else echo nobody; fi
}

server_bin() {
    local newest
    newest=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 2>/dev/null | sort -V | tail -n 1)
    if [ -x "$newest/bin/postgres" ]; then echo "$newest/bin"; else pg_config --bindir; fi
}

# Where a cluster lies that is not in DIR. Tests make and drop thousands of databases, and a third of their time went into
# a disk's looking for inodes: in memory, where that is plenty.
elsewhere() {
    if [ -n "${CLUSTER_THROWAWAY:-}" ] && as_owner test -w /dev/shm &&
        [ "$(df --output=avail /dev/shm | tail -n 1)" -ge "$shm_needed" ] &&
        [ "$(awk '/^MemAvailable/ {print $2}' /proc/meminfo)" -ge "$shm_needed" ]; then
        echo /dev/shm
    else
        echo /var/tmp
    fi
}

# A folder of the owner. Where DIR/pg cannot be reached by that user (a checkout in /root, say), or where the cluster is
# thrown away, DIR/pg is a link to a folder elsewhere.
make_home() {
    local moved
    [ -L "$dir/pg" ] && [ ! -e "$dir/pg" ] && rm "$dir/pg"
    if [ ! -e "$dir/pg" ]; then
        mkdir -p "$dir"
        install -d -m 0700 -o "$owner" "$dir/pg"
        if [ -n "${CLUSTER_THROWAWAY:-}" ] || ! as_owner test -w "$dir/pg" 2>/dev/null; then
            moved=$(mktemp -d "$(elsewhere)/pipeline-pg-XXXXXX")
            chown "$owner" "$moved"
            rmdir "$dir/pg"
            ln -s "$moved" "$dir/pg"
        fi
    fi
    home=$(readlink -f "$dir/pg")
}

# The socket lies in the home, or where that path is too long for a socket, in a private folder elsewhere.
socket_dir() {
    local short base=/tmp
    if [ "$(printf %s "$home/run/.s.PGSQL.$port.lock" | wc -c)" -le "$socket_max" ]; then
        as_owner mkdir -p -m 0700 "$home/run"
        echo "$home/run"
        return
    fi
    short=$(cat "$home/socket-dir" 2>/dev/null || true)
    if [ -z "$short" ] || ! as_owner test -O "$short"; then
        [ "$(id -u)" -eq 0 ] || base=${XDG_RUNTIME_DIR:-/tmp}
        short=$(as_owner mktemp -d "$base/pg-XXXXXX")
        echo "$short" >"$home/socket-dir"
    fi
    echo "$short"
}

is_ready() {
    [ -n "$sockets" ] && "$bin/pg_isready" -q -h "$sockets" -p "$port"
}

# A pid file left by a crash or by another life of this container may name a process that is no server of ours.
drop_stale_pid() {
    local pid
    [ -e "$home/data/postmaster.pid" ] || return 0
    pid=$(head -n 1 "$home/data/postmaster.pid")
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ] &&
        [ "$(as_owner readlink -f "/proc/$pid/cwd")" = "$home/data" ]; then
        return 0
    fi
    rm -f "$home/data/postmaster.pid" "$sockets/.s.PGSQL.$port" "$sockets/.s.PGSQL.$port.lock"
}

print_env() {
    echo 'unset PGSERVICE PGPASSWORD PGDATABASE PGHOSTADDR'
    # The server's own psql before Debian's wrapper, a Perl program that takes several times as long to start.
    printf 'export PGHOST=%q PGPORT=%q PGUSER=postgres PATH=%q\n' "$sockets" "$port" "$bin:$PATH"
}

start() {
    make_home
    sockets=$(socket_dir)
    if ! is_ready; then
        if [ ! -e "$home/data/PG_VERSION" ]; then
            rm -rf "$home/data"
            as_owner "$bin/initdb" -D "$home/data" -U postgres -E UTF8 --locale=C.UTF-8 --lc-collate=C \
                --auth=trust --no-sync >"$home/initdb.log" 2>&1 || fail "initdb failed: $(cat "$home/initdb.log")"
            echo "include = 'private.conf'" >>"$home/data/postgresql.conf"
        fi
        drop_stale_pid
        cat >"$home/data/private.conf" <<CONF
listen_addresses = ''
port = $port
unix_socket_directories = '"${sockets//\'/\'\'}"'
unix_socket_permissions = 0700
max_connections = 50
CONF
        [ -z "${CLUSTER_THROWAWAY:-}" ] || printf 'fsync = off\nfull_page_writes = off\n' >>"$home/data/private.conf"
        as_owner "$bin/pg_ctl" -D "$home/data" -l "$home/server.log" -w -t 60 start >/dev/null ||
            fail "the server did not start: $(tail -n 5 "$home/server.log")"
    fi
    print_env
}

stop() {
    [ -n "$home" ] && [ -e "$home/data/postmaster.pid" ] || return 0
    drop_stale_pid
    [ ! -e "$home/data/postmaster.pid" ] || as_owner "$bin/pg_ctl" -D "$home/data" -m fast -w stop >/dev/null
}

remove() {
    stop
    case $sockets in "$home"/*) ;; *) rm -rf "$sockets" ;; esac
    rm -rf "$home" "$dir/pg"
}

[ $# -eq 2 ] || fail "usage: cluster.sh start|env|stop|remove DIR"
dir=$(readlink -m "$2")
cd / # a folder that the owner may enter
owner=$(owner)
bin=$(server_bin)
home='' sockets=''
if [ -e "$dir/pg" ] && [ "$1" != start ]; then
    home=$(readlink -f "$dir/pg")
    sockets=$(socket_dir)
fi
case $1 in
    start | stop) "$1" ;;
    remove) [ -z "$home" ] || remove ;;
    env)
        is_ready || exit 1
        print_env
        ;;
    *) fail "unknown command '$1'" ;;
esac
