#!/usr/bin/env bash
# systemd as the first process of a namespace, with its own /etc, /run, /var/lib and /usr/local over those of this machine,
# and no units but a few targets and what /etc has.   boot.sh ETC LOCAL SOCKETS   becomes systemd; needs root
#   ETC      is laid over /etc
#   LOCAL    stands for /usr/local
#   SOCKETS  stands for /run/postgresql
set -euo pipefail
[ $# -eq 3 ] || { echo "usage: boot.sh ETC LOCAL SOCKETS" >&2; exit 64; }

# A group of its own in every hierarchy that systemd manages.
hierarchies=(/sys/fs/cgroup)
[ ! -d /sys/fs/cgroup/unified ] || hierarchies=(/sys/fs/cgroup/systemd /sys/fs/cgroup/unified)
for hierarchy in "${hierarchies[@]}"; do
    mkdir -p "$hierarchy/test-systemd-$$"
    echo $$ >"$hierarchy/test-systemd-$$/cgroup.procs"
done

# shellcheck disable=SC2016 # the shell inside expands them
exec unshare --mount --pid --uts --ipc --cgroup --fork --kill-child --mount-proc bash -euc '
    etc=$1 local=$2 sockets=$3
    mount --make-rprivate /
    if [ -d /sys/fs/cgroup/unified ]; then
        mount -t tmpfs cgroups /sys/fs/cgroup
        mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
        mount -t cgroup -o none,name=systemd,xattr cgroup /sys/fs/cgroup/systemd
        mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
    else
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
    fi
    mount --bind "$local" /usr/local
    mount -t overlay etc -o "lowerdir=$etc:/etc" /etc
    mount -t tmpfs run /run
    mkdir /run/postgresql /run/units
    mount --bind "$sockets" /run/postgresql
    mount -t tmpfs lib /var/lib
    for target in default sysinit basic shutdown local-fs timers network-online; do
        printf "[Unit]\nDescription=%s\n" "$target" >"/run/units/$target.target"
    done
    exec env -i PATH=/usr/sbin:/usr/bin container=test SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/units \
        /lib/systemd/systemd --system --log-target=console --show-status=no
' boot "$@"
