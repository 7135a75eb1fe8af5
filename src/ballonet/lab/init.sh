#!/bin/busybox sh
# The first program of a guest: load the drivers, find the disks by their serials, become the workload.
/bin/busybox --install -s /bin
mount -t devtmpfs devtmpfs /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys

for word in $(cat /proc/cmdline); do
    case $word in
        lab.driver=*) driver=${word#*=} ;;
        lab.life=*) life=${word#*=} ;;
        lab.blocks=*) agent_blocks=${word#*=} ;;
    esac
done

# A balloon driver that is not loaded leaves a guest that accepts every size and never moves: say what failed.
while read -r module; do
    case $driver:$module in 0:*virtio_balloon*) continue ;; esac
    insmod "/modules/$module" || echo "lab: module $module was not loaded"
done < /modules/order

data=
for disk in /sys/block/vd*; do
    [ -e "$disk" ] || continue
    case $(cat "$disk/serial") in
        swap) mkswap "/dev/${disk##*/}" && swapon "/dev/${disk##*/}" ;;
        data) data=/dev/${disk##*/} ;;
    esac
done

# The agent's channel has its name in sysfs only, as no udev makes links here.
for port in /sys/class/virtio-ports/*; do
    [ -x /sbin/qemu-ga ] && [ "$(cat "$port/name")" = org.qemu.guest_agent.0 ] || continue
    mkdir -p /run
    /lib/agent/ld-linux-x86-64.so.2 --library-path /lib/agent /sbin/qemu-ga -m virtio-serial \
        -p "/dev/${port##*/}" -t /run ${agent_blocks:+-b "$agent_blocks"} &
done

# The workload asks for memory as it goes and lets most of it never be touched.
echo 1 > /proc/sys/vm/overcommit_memory
exec /workload "${life:-3600}" "$data"
