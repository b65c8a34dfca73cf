//! The options of a container; those that come in numbers, `net0`, `net1`, ..., are maps by index.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lenient::read_in_parts;
use crate::property::{Device, Features, MountPoint, Net, Property, RootFs, Startup, index_of, key_of};
use crate::text::open_text;
use crate::{Hostname, Tags, VolumeId};

open_text!(
    /// Architecture of a container.
    ///
    /// Source: pve-container `PVE/LXC/Config.pm`, option `arch`.
    pub enum Arch {
        /// 64-bit x86.
        Amd64 = "amd64",
        /// 32-bit x86.
        I386 = "i386",
        /// 64-bit ARM.
        Arm64 = "arm64",
        /// 32-bit ARM with hardware floats.
        Armhf = "armhf",
        /// 32-bit RISC-V.
        Riscv32 = "riscv32",
        /// 64-bit RISC-V.
        Riscv64 = "riscv64",
    }
);

open_text!(
    /// What the console of a container shows.
    ///
    /// Source: pve-container `PVE/LXC/Config.pm`, option `cmode`.
    pub enum ConsoleMode {
        /// A login on one of its ttys; PVE's default.
        Tty = "tty",
        /// Its `/dev/console`.
        Console = "console",
        /// A shell without a login.
        Shell = "shell",
    }
);

/// The options of a container that a restore may set on top of what the backup has, and any other change too. Each needs
/// the privilege that changing it needs.
///
/// Source: pve-container `PVE/LXC/Config.pm`, `$confdesc`, and `PVE/LXC/Create.pm`, `restore_configuration`; recordings
/// `golden-restore-cores-memory`, `restore-override`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct CommonOptions {
    /// Cores, 1 to 8192; PVE's default is all of them.
    pub cores: Option<u32>,
    /// Limit of CPU time in cores, 0 to 8192; PVE's default 0 is none. Arrives as a string.
    pub cpulimit: Option<f64>,
    /// Share of CPU time against other guests, 0 to 500000; PVE's default is 100.
    pub cpuunits: Option<u32>,
    /// Description, at most 8192 characters. Comes back with a trailing newline.
    pub description: Option<String>,
    /// Host name; PVE's default is `CT` and the VMID.
    pub hostname: Option<Hostname>,
    /// Memory limit in MiB, 16 or more; PVE's default is 512.
    pub memory: Option<u64>,
    /// DNS servers, joined by blanks; PVE's default are those of the node.
    pub nameserver: Option<String>,
    /// Network interfaces, by index, 0 to 31. A restore replaces one as a whole, MAC address included.
    #[serde(flatten, skip_deserializing, serialize_with = "write_indexed")]
    pub net: BTreeMap<u16, Property<Net>>,
    /// Whether it starts with the node; PVE's default is no.
    pub onboot: Option<bool>,
    /// Whether destroying it and changing its volumes is refused; PVE's default is no.
    pub protection: Option<bool>,
    /// Search domains of the DNS; PVE's default are those of the node.
    pub searchdomain: Option<String>,
    /// Order and delays of its start and stop with the node.
    pub startup: Option<Property<Startup>>,
    /// Swap limit in MiB; PVE's default is 512.
    pub swap: Option<u64>,
    /// Tags.
    pub tags: Option<Tags>,
    /// Time zone, or `host`.
    pub timezone: Option<String>,
}

/// The options of a container, in its configuration and in parameters that set them. Nothing is required. What no token
/// should set, [`LxcConfig`](crate::LxcConfig) has.
///
/// A property string (`net0`, `mp0`, `rootfs`, `features`) is replaced as a whole: read, change one key, write back.
///
/// Source: pve-container `PVE/LXC/Config.pm`, `$confdesc`; recordings `get-lxc-config-100`, `get-lxc-config-101`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct LxcOptions {
    /// Those that a restore may set too.
    #[serde(flatten, skip_deserializing)]
    pub common: CommonOptions,
    /// Architecture; PVE's default is amd64.
    pub arch: Option<Arch>,
    /// What the console shows; PVE's default is a tty.
    pub cmode: Option<ConsoleMode>,
    /// Whether `/dev/console` exists; PVE's default is yes.
    pub console: Option<bool>,
    /// Whether its start is logged in detail.
    pub debug: Option<bool>,
    /// Command that runs as the first process; PVE's default is `/sbin/init`.
    pub entrypoint: Option<String>,
    /// Environment of the first process, `KEY=value` joined by NUL. Only readable with `VM.Config.Options`.
    pub env: Option<String>,
    /// Kernel features.
    pub features: Option<Property<Features>>,
    /// Mount points, by index.
    #[serde(flatten, skip_deserializing, serialize_with = "write_indexed")]
    pub mp: BTreeMap<u16, Property<MountPoint>>,
    /// Distribution (`debian`, `alpine`, `unmanaged`, ...), which decides how PVE sets it up.
    pub ostype: Option<String>,
    /// Root file system.
    pub rootfs: Option<Property<RootFs>>,
    /// Whether it is a template. Setting it converts no volume.
    pub template: Option<bool>,
    /// Number of ttys, 0 to 6; PVE's default is 2.
    pub tty: Option<u8>,
    /// Whether root in the container is no root on the node. Fixed once the container exists.
    pub unprivileged: Option<bool>,
    /// Volumes that were taken out, by index. Deleting the option destroys the volume.
    #[serde(flatten, skip_deserializing, serialize_with = "write_indexed")]
    pub unused: BTreeMap<u16, VolumeId>,
}

/// Changes nothing but these.
impl From<CommonOptions> for LxcOptions {
    fn from(common: CommonOptions) -> Self {
        Self { common, ..Self::default() }
    }
}

impl Serialize for CommonOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl Serialize for LxcOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

read_in_parts!(CommonOptions { net: ByIndex(net) });
read_in_parts!(LxcOptions { common: common, mp: ByIndex(mp), unused: ByIndex(unused) });

/// Writes an indexed option, for `#[serde(flatten, serialize_with = "write_indexed")]`.
pub(crate) fn write_indexed<T: Indexed + Serialize, S: Serializer>(
    values: &BTreeMap<u16, T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(index, value)| (key_of(T::OPTION, *index), value)))
}

/// Reads an indexed option, for `#[serde(flatten, deserialize_with = "read_indexed")]`.
pub(crate) fn read_indexed<'de, T: Indexed + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<u16, T>, D::Error> {
    ByIndex::deserialize(deserializer).map(|values| values.0)
}

/// A value that comes in numbers.
pub(crate) trait Indexed {
    /// The option without its number.
    const OPTION: &'static str;
}

impl Indexed for Property<Device> {
    const OPTION: &'static str = "dev";
}

impl Indexed for Property<MountPoint> {
    const OPTION: &'static str = "mp";
}

impl Indexed for Property<Net> {
    const OPTION: &'static str = "net";
}

impl Indexed for VolumeId {
    const OPTION: &'static str = "unused";
}

/// The values of one option by their numbers. Other keys are left to whoever reads them.
pub(crate) struct ByIndex<T>(pub(crate) BTreeMap<u16, T>);

impl<'de, T: Indexed + Deserialize<'de>> Deserialize<'de> for ByIndex<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys(PhantomData))
    }
}

struct Keys<T>(PhantomData<T>);

impl<'de, T: Indexed + Deserialize<'de>> Visitor<'de> for Keys<T> {
    type Value = ByIndex<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{0}0`, `{0}1`, ...", T::OPTION)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            match index_of(&key, T::OPTION) {
                Some(index) => drop(map.next_value::<Option<T>>()?.map(|value| values.insert(index, value))),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(ByIndex(values))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::params::sent;

    #[test]
    fn indexed_options_become_maps_and_come_back() {
        let config = json!({
            "net0": "bridge=vmbr0,name=eth0", "net10": "name=eth10", "mp0": "local:1,mp=/data",
            "unused3": "local:101/vm-101-disk-3.raw",
        });
        let options: LxcOptions = serde_json::from_value(config.clone()).unwrap();
        assert_eq!(options.common.net.keys().copied().collect::<alloc::vec::Vec<_>>(), [0, 10]);
        assert_eq!(sent(&options), config);
    }

    #[test]
    fn an_error_names_the_option() {
        let error = serde_json::from_value::<LxcOptions>(json!({ "net0": "bridge=vmbr0" })).unwrap_err();
        assert_eq!(
            alloc::format!("{error}"),
            "net0: malformed property string: missing field `name` in \"bridge=vmbr0\""
        );
    }

    #[test]
    fn nothing_set_is_nothing_sent() {
        assert_eq!(sent(&LxcOptions::default()), json!({}));
    }
}
