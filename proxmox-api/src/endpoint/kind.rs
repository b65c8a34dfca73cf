//! What the value of a parameter must be, checked before anything is sent.

use proxmox_types::property::{self, Features, MountPoint, Net, PropertyString, RootFs};
use proxmox_types::{NodeName, PoolId, SnapshotName, StorageId, Vmid, VolumeId};

/// Type and bounds of a parameter, as PVE's schema has them.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// 0 or 1.
    Boolean,
    /// A whole number within bounds; `i64::MAX` is no bound.
    Integer(i64, i64),
    /// A number of at least this much, at most that much; infinite is no bound.
    Number(f64, f64),
    /// Text of at least and at most that many characters.
    Text(usize, usize),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `rootfs`, `mp0` to `mp255`, and with `true` also `unused0` to `unused255`: PVE enumerates them all.
    VolumeKey(bool),
    /// Text of a named format.
    Format(Format),
    /// Items of a named format, joined by commas, semicolons or blanks. PVE calls it `NAME-list`.
    List(Format),
    /// A property string.
    Property(Format),
    /// Text that follows a pattern, which the schema spells out.
    Pattern(Format),
    /// Text, once per item of an array.
    Array,
}

/// A named format of PVE's.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// PVE's name for it; for a pattern, ours.
    pub name: &'static str,
    /// The rule, for people.
    pub rule: &'static str,
    /// Longest text; `usize::MAX` is no bound.
    pub max_length: usize,
    /// Whether text follows the format.
    pub accepts: fn(&str) -> bool,
}

/// No bound.
pub const UNBOUNDED: usize = usize::MAX;

impl Kind {
    /// Checks a value; the error is the rule that it breaks.
    pub fn check(&self, value: &str) -> Result<(), alloc::string::String> {
        let holds = |holds: bool, rule: &str| if holds { Ok(()) } else { Err(rule.into()) };
        match self {
            Self::Boolean => holds(matches!(value, "0" | "1"), "0 or 1"),
            Self::Integer(low, high) => {
                let inside = value.parse().is_ok_and(|number: i64| (*low..=*high).contains(&number));
                holds(inside, &range(low, (*high != i64::MAX).then_some(high), "a whole number"))
            }
            Self::Number(low, high) => {
                let inside = value.parse().is_ok_and(|number: f64| (*low..=*high).contains(&number));
                holds(inside, &range(low, high.is_finite().then_some(high), "a number"))
            }
            Self::Text(least, most) => {
                let count = value.chars().count();
                holds(count <= *most, &alloc::format!("at most {most} characters"))?;
                holds(count >= *least, &alloc::format!("at least {least} characters"))
            }
            Self::OneOf(words) => {
                holds(words.contains(&value), &alloc::format!("one of {}", words.join(", ")))
            }
            Self::VolumeKey(unused) => {
                holds(is_volume_key(value, *unused), "rootfs, mpN or unusedN, N up to 255")
            }
            Self::Format(format) | Self::Property(format) | Self::Pattern(format) => format.check(value),
            Self::List(format) => value
                .split([',', ';', ' '])
                .filter(|item| !item.is_empty())
                .try_for_each(|item| format.check(item)),
            Self::Array => Ok(()),
        }
    }
}

impl Format {
    fn check(&self, value: &str) -> Result<(), alloc::string::String> {
        if value.chars().count() > self.max_length {
            return Err(alloc::format!("at most {} characters", self.max_length));
        }
        if (self.accepts)(value) { Ok(()) } else { Err(self.rule.into()) }
    }
}

fn range(
    low: impl core::fmt::Display,
    high: Option<impl core::fmt::Display>,
    what: &str,
) -> alloc::string::String {
    match high {
        Some(high) => alloc::format!("{what} from {low} to {high}"),
        None => alloc::format!("{what} of at least {low}"),
    }
}

fn is_volume_key(text: &str, unused: bool) -> bool {
    let indexed = |option| property::index_of(text, option).is_some_and(|index| index <= 255);
    text == "rootfs" || indexed("mp") || (unused && indexed("unused"))
}

fn parses<T: core::str::FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

fn is_property<T: PropertyString>(text: &str) -> bool {
    property::parse::<T>(text).is_ok()
}

/// Whether the text has no control characters but tabs.
fn is_printable(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_control() && c != '\t')
}

/// Labels of letters, digits and inner hyphens, joined by dots.
fn is_dns_name(text: &str) -> bool {
    text.split('.').all(|label| {
        !label.starts_with('-')
            && !label.ends_with('-')
            && (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// `[a-z0-9_][a-z0-9_\-+.]*`, any case.
fn is_tag(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+.".contains(&byte))
}

/// `key=value` pairs joined by commas, each key one of the given; the first value may stand without its key.
fn has_keys(text: &str, keys: &[&str]) -> bool {
    is_printable(text)
        && text.split(',').enumerate().all(|(index, part)| match part.split_once('=') {
            Some((key, value)) => keys.contains(&key) && !value.is_empty(),
            None => index == 0,
        })
}

/// `\+?\d+(\.\d+)?[KMGT]?`
fn is_disk_size(text: &str) -> bool {
    let text = text.strip_prefix('+').unwrap_or(text);
    let number = text.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    number.split_once('.').map_or_else(|| digits(number), |(whole, part)| digits(whole) && digits(part))
}

const fn format(name: &'static str, rule: &'static str, accepts: fn(&str) -> bool) -> Format {
    Format { name, rule, max_length: UNBOUNDED, accepts }
}

const fn at_most(max_length: usize, format: Format) -> Format {
    Format { max_length, ..format }
}

/// `pve-vmid`.
pub const VMID: Format = format("pve-vmid", "a whole number from 100 to 999999999", parses::<Vmid>);
/// `pve-node`.
pub const NODE: Format = format("pve-node", "a node name", parses::<NodeName>);
/// `pve-storage-id`.
pub const STORAGE: Format = format("pve-storage-id", "a storage id", parses::<StorageId>);
/// `storage-pair-list` holds pairs `SOURCE:TARGET`, one target for all, or `1` for the same names over there.
pub const STORAGE_PAIR: Format = format("storage-pair", "1, STORAGE or SOURCE:TARGET", |text| {
    text == "1" || (text.split(':').count() <= 2 && text.split(':').all(parses::<StorageId>))
});
/// `pve-poolid`.
pub const POOL: Format = format("pve-poolid", "a pool id", parses::<PoolId>);
/// `pve-volume-id`.
pub const VOLUME: Format = format("pve-volume-id", "a volume id", parses::<VolumeId>);
/// `pve-storage-content`.
pub const CONTENT: Format = format(
    "pve-storage-content",
    "one of images, rootdir, vztmpl, iso, backup, snippets, import, none",
    |text| ["images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none"].contains(&text),
);
/// The name of a snapshot that exists, `pve-configid`.
pub const SNAPSHOT: Format = at_most(
    40,
    format(
        "pve-configid",
        "2 to 40 letters, digits, `-` and `_`, starting with a letter, and not `current`",
        parses::<SnapshotName>,
    ),
);
/// The name of a snapshot that is to be made: `vzdump` belongs to backups.
pub const NEW_SNAPSHOT: Format = at_most(
    40,
    format(
        "pve-configid",
        "2 to 40 letters, digits, `-` and `_`, starting with a letter, and neither `current` nor `vzdump`",
        |text| parses::<SnapshotName>(text) && text != "vzdump",
    ),
);
/// Names of options, as `delete` and `revert` take them.
pub const OPTION_NAME: Format = format("pve-configid", "an option name", |text| {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
});
/// `dns-name`.
pub const DNS_NAME: Format = format("dns-name", "a DNS name: letters, digits and inner hyphens", is_dns_name);
/// `dns-name` of at most 255 characters.
pub const HOSTNAME: Format = at_most(255, DNS_NAME);
/// `lxc-ip-with-ll-iface`.
pub const NAMESERVER: Format = format("lxc-ip-with-ll-iface", "an IP address", |text| {
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    parses::<core::net::IpAddr>(address)
});
/// `pve-startup-order`.
pub const STARTUP: Format =
    format("pve-startup-order", "[order=]N[,up=N][,down=N]", |text| has_keys(text, &["order", "up", "down"]));
/// `pve-tag`.
pub const TAG: Format =
    format("pve-tag", "letters, digits, `_`, `-`, `+` and `.`, not starting with a sign", is_tag);
/// `pve-ct-timezone`.
pub const TIMEZONE: Format = format("pve-ct-timezone", "`host` or a zone name", is_printable);
/// `prune-backups`.
pub const PRUNE: Format = format("prune-backups", "keep-all or keep-last, -hourly, -daily, ... =N", |text| {
    has_keys(
        text,
        &["keep-all", "keep-last", "keep-hourly", "keep-daily", "keep-weekly", "keep-monthly", "keep-yearly"],
    )
});
/// `backup-performance`.
pub const PERFORMANCE: Format = format("backup-performance", "max-workers=N,pbs-entries-max=N", |text| {
    has_keys(text, &["max-workers", "pbs-entries-max"])
});
/// `backup-fleecing`.
pub const FLEECING: Format = format("backup-fleecing", "[enabled=]0|1[,storage=STORAGE]", |text| {
    has_keys(text, &["enabled", "storage"])
});
/// `email-or-username`.
pub const MAIL: Format = format("email-or-username", "a mail address or a user name", is_printable);
/// `pve-task-status-type`.
pub const TASK_STATUS: Format =
    format("pve-task-status-type", "one of ok, error, warning, unknown", |text| {
        ["ok", "error", "warning", "unknown"].contains(&text)
    });
/// `pve-userid`.
pub const USER: Format = at_most(64, format("pve-userid", "user@realm", |text| text.contains('@')));

/// The property string `netN`.
pub const NET: Format =
    format("net", "a network interface as name=eth0,bridge=vmbr0,...", is_property::<Net>);
/// The property string `rootfs`.
pub const ROOTFS: Format =
    format("rootfs", "a root file system as STORAGE:GIB or a volume", is_property::<RootFs>);
/// The property string `mpN`.
pub const MOUNT_POINT: Format = format("mp", "a mount point as VOLUME,mp=/path", is_property::<MountPoint>);
/// The property string `features`.
pub const FEATURES: Format = format("features", "features as nesting=1,...", is_property::<Features>);

/// Size of a disk: absolute, or with `+` relative; K, M, G or T, or nothing for bytes.
pub const DISK_SIZE: Format =
    format(r"\+?\d+(\.\d+)?[KMGT]?", "[+]SIZE with K, M, G, T or nothing for bytes", is_disk_size);
/// Size of a new volume in KiB, or with M or G.
pub const NEW_SIZE: Format = format(r"\d+[MG]?", "SIZE in KiB, or with M or G", |text| {
    let digits = text.strip_suffix(['M', 'G']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
});
/// A block device of the node.
pub const DEVICE: Format = format(r"^/dev/[a-zA-Z0-9\/]+$", "/dev/NAME of letters and digits", |text| {
    text.strip_prefix("/dev/")
        .is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'/'))
});
/// An address to download from.
pub const HTTP_URL: Format = format(r"https?://.*", "an http:// or https:// address", |text| {
    text.starts_with("http://") || text.starts_with("https://")
});
/// A user or a token.
pub const USER_OR_TOKEN: Format = format(
    r"(?^:^(?^:[^\s:/]+)\@(?^:[A-Za-z][A-Za-z0-9\.\-_]+)(?:!(?^:[A-Za-z][A-Za-z0-9\.\-_]+))?$)",
    "user@realm or user@realm!token",
    |text| text.contains('@') && !text.contains(|c: char| c.is_whitespace() || c == ':' || c == '/'),
);
/// Name of a token.
pub const TOKEN_NAME: Format =
    format(r"(?^:[A-Za-z][A-Za-z0-9\.\-_]+)", "2 or more letters, digits, `.`, `-` and `_`", |text| {
        text.len() >= 2
    });
/// The program that starts a container.
pub const ENTRYPOINT: Format =
    format(r"(?^:[^\x00-\x08\x0a-\x1F\x7F]+)", "text without control characters", is_printable);
/// Environment of a container: `KEY=VALUE`, joined by NUL.
pub const ENVIRONMENT: Format = format(
    r"(?^:(?:\w+=[^\x00-\x08\x0a-\x1F\x7F]*)(?:\0\w+=[^\x00-\x08\x0a-\x1F\x7F]*)*)",
    "KEY=VALUE, joined by NUL",
    |text| text.split('\0').all(|pair| pair.split_once('=').is_some_and(|(key, _)| is_printable(key))),
);

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_value_out_of_bounds_names_the_rule() {
        let rules = [
            Kind::Integer(1, 8192).check("8193"),
            Kind::Integer(16, i64::MAX).check("15"),
            Kind::Number(0.0, f64::INFINITY).check("-1"),
            Kind::Text(0, 3).check("abcd"),
            Kind::OneOf(&["snapshot", "stop"]).check("turbo"),
            Kind::Format(VMID).check("99"),
            Kind::Boolean.check("true"),
        ]
        .map(Result::unwrap_err);
        assert_eq!(
            rules,
            [
                "a whole number from 1 to 8192",
                "a whole number of at least 16",
                "a number of at least 0",
                "at most 3 characters",
                "one of snapshot, stop",
                "a whole number from 100 to 999999999",
                "0 or 1",
            ]
            .map(ToString::to_string)
        );
    }

    #[test]
    fn every_item_of_a_list_is_checked() {
        assert_eq!(Kind::List(VMID).check("100,101"), Ok(()));
        assert!(Kind::List(VMID).check("100,99").is_err());
    }

    #[test]
    fn disk_sizes_follow_the_pattern_of_the_schema() {
        let verdicts = ["+1G", "512M", "1.5T", "1024", "", "+", "1GB", "-1G", "1.G"].map(is_disk_size);
        assert_eq!(verdicts, [true, true, true, true, false, false, false, false, false]);
    }
}
