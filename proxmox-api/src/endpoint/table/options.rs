//! The options of a container that creating, restoring and reconfiguring share.
//!
//! Left out: `hookscript` and `devN`, which PVE grants to root@pam alone, and `lock`, which any token could set and
//! none could remove.

use super::super::kind::{
    DNS_NAME, ENTRYPOINT, ENVIRONMENT, FEATURES, HOSTNAME, MOUNT_POINT, NAMESERVER, NET, ROOTFS, STARTUP,
    TAG, TIMEZONE, VOLUME,
};
use super::{CodeCheck, Kind, ParameterRow, Privileges, at_least, check, optional};

/// Options that a restore can replace. Source: pve-container `PVE/LXC/Config.pm`, `$confdesc`.
pub(super) const OPTIONS: &[ParameterRow] = &[
    optional("cores", Kind::Integer(1, 8192)),
    optional("cpulimit", Kind::Number(0.0, 8192.0)),
    optional("cpuunits", Kind::Integer(0, 500_000)),
    optional("description", Kind::Text(0, 8192)),
    optional("features", Kind::Property(FEATURES)),
    optional("hostname", Kind::Format(HOSTNAME)),
    optional("memory", at_least(16)),
    optional("mp[n]", Kind::Property(MOUNT_POINT)),
    optional("nameserver", Kind::List(NAMESERVER)),
    optional("net[n]", Kind::Property(NET)),
    optional("onboot", Kind::Boolean),
    optional("protection", Kind::Boolean),
    optional("rootfs", Kind::Property(ROOTFS)),
    optional("searchdomain", Kind::List(DNS_NAME)),
    optional("startup", Kind::Format(STARTUP)),
    optional("swap", at_least(0)),
    optional("tags", Kind::List(TAG)),
    optional("timezone", Kind::Format(TIMEZONE)),
    optional("unprivileged", Kind::Boolean),
];

/// Options that a restore takes from the backup.
pub(super) const CREATE_OPTIONS: &[ParameterRow] = &[
    optional("arch", Kind::OneOf(&["amd64", "i386", "arm64", "armhf", "riscv32", "riscv64"])),
    optional("cmode", Kind::OneOf(&["shell", "console", "tty"])),
    optional("console", Kind::Boolean),
    optional("debug", Kind::Boolean),
    optional("entrypoint", Kind::Pattern(ENTRYPOINT)),
    optional("env", Kind::Pattern(ENVIRONMENT)),
    optional(
        "ostype",
        Kind::OneOf(&[
            "debian",
            "devuan",
            "ubuntu",
            "centos",
            "fedora",
            "opensuse",
            "archlinux",
            "alpine",
            "gentoo",
            "nixos",
            "unmanaged",
        ]),
    ),
    optional("template", Kind::Boolean),
    optional("tty", Kind::Integer(0, 6)),
    optional("unused[n]", Kind::Property(VOLUME)),
];

const fn option(
    when: &'static str,
    privileges: &'static [&'static str],
    recording: &'static str,
) -> CodeCheck {
    check(
        when,
        Privileges::All("/vms/{vmid}", privileges),
        "pve-container PVE/LXC.pm, check_ct_modify_config_perm",
    )
    .seen(recording)
}

/// What each option needs. A pool that is passed stands in for the container.
pub(super) const CPU: CodeCheck = check(
    "for `cores`, `cpulimit`, `cpuunits`",
    Privileges::All("/vms/{vmid}", &["VM.Config.CPU"]),
    "pve-container PVE/LXC.pm, check_ct_modify_config_perm",
);
pub(super) const MEMORY: CodeCheck =
    option("for `memory`, `swap`", &["VM.Config.Memory"], "config-put-403-vmonly");
pub(super) const NETWORK: CodeCheck = option(
    "for `netN`, `nameserver`, `searchdomain`, `hostname`",
    &["VM.Config.Network"],
    "config-put-403-vmonly-net",
);
pub(super) const DISK: CodeCheck =
    option("for `rootfs`, `mpN`", &["VM.Config.Disk"], "config-put-403-vmonly-mp");
pub(super) const OTHERS: CodeCheck =
    option("for every other option", &["VM.Config.Options"], "config-put-ok-vmonly-option");
pub(super) const NESTING: CodeCheck = option(
    "for `features` with `nesting` alone, of an unprivileged container; any other feature is for root@pam",
    &["VM.Allocate"],
    "config-put-keyctl-token",
);
pub(super) const BRIDGE: CodeCheck = check(
    "for each bridge in `netN`",
    Privileges::All("/sdn/zones/localnetwork/{bridge}", &["SDN.Use"]),
    "pve-guest-common PVE/GuestHelpers.pm, check_vnet_access",
)
.seen("config-put-403-nosdn");
pub(super) const NEW_VOLUME: CodeCheck = check(
    "for each new volume",
    Privileges::All("/storage/{storage}", &["Datastore.AllocateSpace"]),
    "pve-container PVE/API2/LXC.pm, create_vm",
);
