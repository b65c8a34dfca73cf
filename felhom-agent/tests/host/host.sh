# The words with which the tests change the host that they were given. Read by /bin/sh before each line.

UUID=1eb2d69a-3f9f-4098-a928-68706a2d5f86
OTHER=7d2f7b0c-5b1e-4a64-9d5e-0c4a1f1f2b3d
TARGET=/mnt/felhom/usb
RULES=/etc/sudoers.d/felhom-agent
OTHERS=/etc/sudoers.d/zz-others
CONFIG=/etc/felhom-agent/config.json

# user COMMAND: as the account of the agent, with nothing of this environment but the path.
user() {
    setpriv --reuid "$USER" --regid "$USER" --clear-groups env -i PATH="$PATH" "$@"
}

# stub PROGRAM LINES: a script in the place of a program.
stub() {
    rm -f "$1"
    printf '#!/bin/sh\n%s\n' "$2" > "$1"
    chmod 755 "$1"
}

# play NAME: a pct that plays a recorded end and writes down its arguments.
play() {
    perl -0777 -ne '
        for my $key (qw(stdout stderr exit)) {
            my ($text) = /"$key":\s*("(?:[^"\\]|\\.)*"|\d+)/ or die "no $key";
            $text =~ s/^"|"$//g;
            my %plain = (n => "\n", t => "\t", r => "\r");
            $text =~ s/\\(.)/$plain{$1} \/\/ $1/ge;
            open(my $file, ">", "/run/$key") or die;
            print $file $text;
        }' "$FIXTURES/pct/$1.json"
    stub /usr/sbin/pct 'echo "$0 $*" >> /run/calls; cat /run/stdout; cat /run/stderr >&2; exit $(cat /run/exit)'
}

# empty_dev: a /dev with the least that programs need, and no disk.
empty_dev() {
    mount -t tmpfs -o mode=755 tmpfs /dev
    while read -r name major minor; do mknod -m 666 "/dev/$name" c "$major" "$minor"; done <<END
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
loop-control 10 237
fuse 10 229
END
}

# ext4 IMAGE UUID OPTIONS
ext4() {
    made=$1 uuid=$2
    shift 2
    rm -f "$made"
    truncate -s 8M "$made"
    mkfs.ext4 -q -F -U "$uuid" "$@" "$made"
}

# attach IMAGE DEVICE [1]: makes the image a disk of this name, one that nobody can write to if there is a 1.
#
# Takes a free loop device, makes a node for it and gives it the image. Bit 2 of the flags makes the kernel let go of the
# device when nobody has it open any more, so it cannot outlive the test. That can only be said by this call, which no
# program of util-linux makes without mounting. Source: Linux include/uapi/linux/loop.h, struct loop_config.
attach() {
    perl -MErrno -MFcntl -e '
        my ($image, $device, $read_only) = (@ARGV, 0);
        my $mode = $read_only ? O_RDONLY : O_RDWR;
        sysopen(my $file, $image, $mode) or die "$image: $!";
        sysopen(my $control, "/dev/loop-control", O_RDWR) or die "loop-control: $!";
        my $info = pack("Q5 L4 a64 a64 a32 Q2", 0, 0, 0, 0, 0, 0, 0, 0, 4 | $read_only, "", "", "", 0, 0);
        my $config = pack("L L a* a64", fileno($file), 0, $info, "");
        my $loop;
        do {
            my $number = 0 + (ioctl($control, 0x4C82, 0) or die "LOOP_CTL_GET_FREE: $!");
            unlink $device;
            system("mknod", "-m", "666", $device, "b", 7, $number) == 0 or die;
            sysopen($loop, $device, $mode) or die "$device: $!";
        } until ioctl($loop, 0x4C0A, $config) || !$!{EBUSY};
        exit if my $holder = fork;
        mkdir "/run/holders";
        open(my $note, ">", "/run/holders/" . $device =~ s/.*\///r) or die;
        print $note $$;
        close $_ for $note, *STDIN, *STDOUT, *STDERR;
        sleep while 1;' "$@"
}

# pull DEVICE: what is pulled out goes, unless it is mounted.
pull() {
    note="/run/holders/${1#/dev/}"
    until [ -s "$note" ]; do sleep 0.01; done
    kill "$(cat "$note")"
    while kill -0 "$(cat "$note")" 2> /dev/null; do sleep 0.01; done
    rm "$note"
}

# sysfs PORT NAMES: lets the kernel and udev tell of these disks and no other, all on one port.
sysfs() {
    for folder in /sys/class/block /sys/block; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
    port=$1
    shift
    for name; do
        at="/run/devices/$port/$name"
        mkdir -p "$at" /run/udev/data /dev/disk/by-uuid
        number="$((0x$(stat -c %t "/dev/$name"))):$((0x$(stat -c %T "/dev/$name")))"
        echo "$number" > "$at/dev"
        echo 16384 > "$at/size"
        ln -s "$at" "/sys/class/block/$name"
        printf 'E:ID_FS_UUID=%s\nE:ID_FS_TYPE=ext4\nE:ID_FS_LABEL=\n' "$UUID" > "/run/udev/data/b$number"
        ln -sf "../../$name" "/dev/disk/by-uuid/$UUID"
    done
}

# configured MORE: a configuration that names the disk with these keys, and nothing else.
configured() {
    mkdir -p /etc/felhom-agent
    printf '{"usb":[{"name":"usb","uuid":"%s"%s}]}' "$UUID" "$1" > "$CONFIG"
}

# disk PORT: a host with one disk, /dev/sda1 with an ext4, which the configuration names.
disk() {
    empty_dev
    ext4 /run/image "$UUID"
    attach /run/image /dev/sda1
    sysfs "${1:-usb1}" sda1
    configured
}

# stuck SOURCE TARGET: mounts a filesystem whose driver never answers, until `kill $(cat /run/driver)`.
# Source: Linux Documentation/filesystems/fuse.rst; call 165 is mount(2) on x86-64, 40 on arm64.
stuck() {
    grep -q '\<fuse$' /proc/filesystems || { echo "SKIPPED: the kernel has no FUSE"; return; }
    served fuse '"fd=%d,rootmode=40000,user_id=0,group_id=0", fileno($driver)' "$@"
}

# automount SOURCE TARGET: mounts an autofs that nobody serves, as systemd does for x-systemd.automount.
# Source: Linux Documentation/filesystems/autofs.rst.
automount() {
    served autofs '"fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", fileno($kernel), getpgrp(0)' "$@"
}

served() {
    perl -MFcntl -e '
        my ($kind, $options, $source, $target) = @ARGV;
        my $call = `uname -m` =~ /x86_64/ ? 165 : 40;
        exit if fork;
        setpgrp(0, 0);
        open(my $driver, "+<", "/dev/fuse");
        pipe(my $requests, my $kernel) or die "pipe: $!";
        $options = eval "sprintf $options";
        syscall($call, $source, $target, $kind, 0, $options) == 0 or die "mount: $!";
        open(my $note, ">", "/run/driver") or die;
        print $note $$;
        close $_ for $note, *STDIN, *STDOUT, *STDERR;
        sleep while 1;' "$@"
    until [ -s /run/driver ]; do sleep 0.01; done
}

# mounts: all of them, without their numbers.
mounts() {
    cut -d' ' -f4- /proc/self/mountinfo
}

# state: what only a command that changes something may change.
state() {
    mounts
    stat -c '%i %a %U %G' /etc/fstab 2> /dev/null && cat /etc/fstab
}

# unchanged COMMAND: says so if the command changes the mounts or the table.
unchanged() {
    before=$(state)
    "$@"
    ended=$?
    [ "$before" = "$(state)" ] || echo "the host was changed"
    return "$ended"
}

# refusals: the first line of every command that shall not take the disk.
refusals() {
    : > /etc/fstab
    for verb in mount persist "persist --dry-run"; do
        unchanged felhom-agent usb $verb usb 2>&1 | head -n 1
    done
    felhom-agent usb status
}

# node [MORE]: a simulated node, and an agent that is configured for it, with more keys of the configuration.
node() {
    mkdir /run/node /run/node/ca
    mkfifo /run/node/in
    : > /run/node/out
    sleep infinity > /run/node/in 2> /dev/null &
    "$SIMULATED_NODE" --directory /run/node/ca < /run/node/in >> /run/node/out 2> /dev/null &
    reply 1 > /dev/null
    mkdir -p /etc/felhom-agent
    rm -f "$CONFIG"
    printf '{"url":"%s","node":"pve1","token":"%s","tls":{"pins":["%s"],"ca_file":"/run/node/ca/pve-root-ca.pem"}%s}' \
        "$(fact url)" "$(fact token)" "$(fact fingerprint)" "$1" > "$CONFIG"
    chmod 600 "$CONFIG"
}

# ask WORDS: the node something; see the example's `control`.
ask() {
    lines=$(wc -l < /run/node/out)
    echo "$*" > /run/node/in
    reply "$((lines + 1))"
}

reply() {
    until [ "$(wc -l < /run/node/out)" -ge "$1" ]; do sleep 0.01; done
    tail -n 1 /run/node/out
}

fact() {
    sed -n "1s/.*\"$1\":\"\?\([^\",}]*\).*/\1/p" /run/node/out
}

# account: a host as it should be for the account of the agent, which asks a node.
account() {
    node ",\"state_dir\":\"/run/state\",\"usb\":[{\"name\":\"usb\",\"uuid\":\"$UUID\"}]"
    chmod -R go+rX /run/node/ca
    chown -R "$USER:$USER" /etc/felhom-agent
    rules
    # What the rules name and this machine does not have, such as pct.
    sed -n 's/.*NOSETENV:.* \(\/[^ ]*\) ^.*/\1/p' "$RULES" | while read -r program; do
        [ -e "$program" ] || stub "$program" 'exit 1'
    done
}

# checks IDS [BEFORE]: what the account is told of these checks, its agent behind these words.
checks() {
    ids=$1
    shift
    user "$@" felhom-agent selftest --only "$ids" 2>&1 | grep '^  '
}

# rules: the generated ones, for the account of the tests.
rules() {
    rm -f "$RULES"
    felhom-agent sudoers --user "$USER" > "$RULES"
    chmod 0440 "$RULES"
}

# recorded_disks: disks whose health was recorded: one that expects to fail, a good one, one that cannot be asked.
recorded_disks() {
    mount -t tmpfs -o mode=755 tmpfs /sys/block
    mkdir /sys/block/sda /sys/block/nvme0n1 /sys/block/vda
    sed 's/"passed": true/"passed": false/' "$FIXTURES/host/smartctl/smart__dev_sda.json" > /run/sda.json
    cp "$FIXTURES/host/smartctl/smart__dev_nvme0n1.json" /run/nvme0n1.json
    cp "$FIXTURES/host/smartctl/local73__virtio_vda.json" /run/vda.json
    # The rule forbids smartctl to start programs.
    stub /usr/sbin/smartctl \
        'while IFS= read -r line || test "$line"; do printf "%s\\n" "$line"; done < /run/${5#/dev/}.json'
}

# golden NAME: a node, a pct that plays this, and the words of a creation.
golden() {
    node
    play "$1"
}

# What a creation of the golden container is given. The simulated node has the number 310 to give.
create='--vmid 310 --template local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz --storage local-btrfs --rootfs 1 --memory 256'

# but THIS THAT: what a creation is given, with that in the place of this.
but() {
    echo "$create" | sed "s|$1|$2|"
}
