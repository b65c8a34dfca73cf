//! What `/etc/fstab` may call a filesystem: a tag and its value, a link below `/dev/disk`, or a device.
//!
//! Source: `fstab(5)`; util-linux `libmount/src/utils.c`, `mnt_valid_tagname`, and `libblkid/src/evaluate.c`; systemd
//! `src/shared/device-nodes.c` for the `\\x20` in the names of links.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::argument::FsUuid;
use crate::mount::escape::unhexed;
use crate::mount::filesystem::Survey;

/// The tags, and the folders below `/dev/disk` in which links have their values as names.
const TAGS: [(&str, &str); 5] = [
    ("UUID", "by-uuid"),
    ("LABEL", "by-label"),
    ("PARTUUID", "by-partuuid"),
    ("PARTLABEL", "by-partlabel"),
    ("ID", "by-id"),
];

/// A filesystem, and what it is called.
#[derive(Clone, Debug)]
pub struct Aliases {
    names: Vec<Alias>,
    devices: Vec<String>,
    is_same: fn(&str, &str) -> bool,
}

/// One name, so written that the same is equal.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Alias {
    Tag(&'static str, String),
    Path(String),
}

impl Aliases {
    /// What the filesystem is called, as far as the survey knows the devices that hold it.
    ///
    /// `is_same` tells whether a path below `/dev` is, or leads to, a device.
    pub fn new(uuid: &FsUuid, survey: &Survey, is_same: fn(&str, &str) -> bool) -> Self {
        let holders = survey.holders(uuid);
        let devices: Vec<String> = holders.iter().map(|holder| holder.device.clone()).collect();
        let known = holders.iter().flat_map(|holder| &holder.names).chain(&devices);
        let names = known.map(|name| Alias::read(name)).chain([Alias::tag("UUID", uuid.as_str())]);
        Self { names: names.collect(), devices, is_same }
    }

    /// Whether the first field of a line of fstab, its octal escapes resolved, names the filesystem.
    pub(crate) fn are_for(&self, source: &str) -> bool {
        let name = Alias::read(source);
        let leads_here = |path: &str| {
            path.starts_with("/dev/") && self.devices.iter().any(|device| (self.is_same)(path, device))
        };
        self.names.contains(&name) || leads_here(&name.path())
    }
}

impl Alias {
    fn read(source: &str) -> Self {
        let tagged = source.split_once('=').and_then(|(name, value)| {
            let (tag, _) = TAGS.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(name))?;
            Some(Self::tag(tag, unquoted(value)))
        });
        tagged.unwrap_or_else(|| Self::at(&plain(unquoted(source))))
    }

    fn tag(tag: &'static str, value: &str) -> Self {
        let has_digits_of_either_case = tag.ends_with("UUID");
        let value = if has_digits_of_either_case { value.to_ascii_lowercase() } else { value.to_owned() };
        Self::Tag(tag, value)
    }

    /// A path, or the tag that a link below `/dev/disk` stands for.
    fn at(path: &str) -> Self {
        let linked = path.strip_prefix("/dev/disk/").and_then(|rest| rest.split_once('/'));
        let tagged = linked.and_then(|(folder, value)| {
            let (tag, _) = TAGS.iter().find(|(_, known)| *known == folder)?;
            Some(Self::tag(tag, &unhexed(value)))
        });
        tagged.unwrap_or_else(|| Self::Path(path.to_owned()))
    }

    /// Where it is looked for.
    fn path(&self) -> String {
        match self {
            Self::Path(path) => path.clone(),
            Self::Tag(tag, value) => {
                let folder = TAGS.iter().find(|(known, _)| known == tag).map_or("", |(_, folder)| folder);
                format!("/dev/disk/{folder}/{}", hexed(value))
            }
        }
    }
}

/// A path by its components: none that is empty or `.`, and `..` carried out.
pub(crate) fn plain(path: &str) -> String {
    let mut steps = Vec::new();
    for step in path.split('/').filter(|step| !["", "."].contains(step)) {
        if step == ".." {
            steps.pop();
        } else {
            steps.push(step);
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", steps.join("/"))
}

/// A value without the quotes around it.
fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

/// A text as the name of a link has it.
fn hexed(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "#+-.:=@_".contains(c) || !c.is_ascii();
    let written = |c: char| if is_plain(c) { String::from(c) } else { format!("\\x{:02x}", u32::from(c)) };
    text.chars().map(written).collect()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::mount::filesystem::Filesystem;
    use crate::script::assert_cases;

    const UUID: &str = "1eb2d69a-3f9f-4098-a928-68706a2d5f86";

    fn aliases() -> Aliases {
        let uuid: FsUuid = UUID.parse().unwrap();
        let names = [
            "LABEL=My Disk #1",
            "PARTUUID=4F0A0C5E-01",
            "PARTLABEL=caf\u{e9}",
            "/dev/disk/by-id/usb-SanDisk_Ultra-0:0-part1",
            "/dev/disk/by-path/pci-0:2-part1",
            "/dev/backup",
        ];
        let holder = Filesystem {
            device: "/dev/sdb1".into(),
            uuid: Some(uuid.clone()),
            names: names.map(Into::into).into(),
            ..Filesystem::default()
        };
        let other =
            Filesystem { device: "/dev/sda1".into(), names: vec!["LABEL=other".into()], ..holder.clone() };
        let other = Filesystem { uuid: None, ..other };
        let survey = Survey { filesystems: vec![other, holder], ..Survey::default() };
        Aliases::new(&uuid, &survey, |path, device| {
            device == "/dev/sdb1"
                && ["/dev/mapper/stick", "/dev/disk/by-label/a\\x2fb", "/dev/disk/by-partuuid/77"]
                    .contains(&path)
        })
    }

    #[test]
    fn a_filesystem_is_known_by_every_name_of_its_own_and_by_no_other() {
        let aliases = aliases();
        assert_cases("aliases.txt", |name| if aliases.are_for(name) { "its own" } else { "another" }.into());
    }
}
