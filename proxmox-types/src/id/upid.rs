//! UPIDs: the handles of PVE's worker tasks.

use crate::NodeName;

name!(
    /// Handle of a worker task, kept byte for byte as the server wrote it.
    ///
    /// `UPID:node:pid:pstart:starttime:type:id:user:` with pid and starttime as 8 hex digits and pstart as 8 or, after 497
    /// days of uptime, 9. The id may be empty and may hold `@`, `>` and `%`; the user of a token's task is
    /// `user@realm!token`.
    ///
    /// Source: pve-common `PVE/UPID.pm`; recordings of every POST that starts a worker.
    ///
    /// ```
    /// # use proxmox_types::Upid;
    /// let upid: Upid = "UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump:100:root@pam:".parse()?;
    /// assert_eq!((upid.node(), upid.worker_type(), upid.id(), upid.user()), ("pve1", "vzdump", "100", "root@pam"));
    /// # Ok::<(), proxmox_types::Malformed>(())
    /// ```
    Upid,
    "a UPID",
    "UPID:node:pid:pstart:starttime:type:id:user: with the numbers in hex",
    |text| UpidFields::split(text).is_some_and(|parts| parts.holds())
);

/// The parts of a UPID between its colons.
struct UpidFields<'a> {
    node: &'a str,
    pid: &'a str,
    pstart: &'a str,
    starttime: &'a str,
    worker_type: &'a str,
    id: &'a str,
    user: &'a str,
}

impl<'a> UpidFields<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("UPID:")?.strip_suffix(':')?.split(':');
        let mut next = || parts.next();
        let read = Self {
            node: next()?,
            pid: next()?,
            pstart: next()?,
            starttime: next()?,
            worker_type: next()?,
            id: next()?,
            user: next()?,
        };
        next().is_none().then_some(read)
    }

    fn holds(&self) -> bool {
        let hex = |text: &str, lengths: &[usize]| {
            lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let plain = |text: &str| !text.contains(|c: char| c.is_whitespace() || c == '/');
        self.node.parse::<NodeName>().is_ok()
            && hex(self.pid, &[8])
            && hex(self.pstart, &[8, 9])
            && hex(self.starttime, &[8])
            && [self.worker_type, self.id, self.user].into_iter().all(plain)
            && !self.worker_type.is_empty()
            && !self.user.is_empty()
    }
}

impl Upid {
    /// Name of the node that runs the task; ask that node for its status.
    pub fn node(&self) -> &str {
        self.part(|parts| parts.node)
    }

    /// Kind of worker: `vzsnapshot`, `vzdump`, `resize`, `imgdel`, ...
    pub fn worker_type(&self) -> &str {
        self.part(|parts| parts.worker_type)
    }

    /// What the worker works on: a VMID, `101@local`, `101-mp0>102-mp0`, or nothing.
    pub fn id(&self) -> &str {
        self.part(|parts| parts.id)
    }

    /// Who started it: `user@realm` or `user@realm!token`.
    pub fn user(&self) -> &str {
        self.part(|parts| parts.user)
    }

    /// When it started, in seconds since 1970 by the server's clock.
    pub fn started(&self) -> u64 {
        u64::from_str_radix(self.part(|parts| parts.starttime), 16).unwrap_or_default()
    }

    /// Process id of the worker on its node.
    pub fn pid(&self) -> u32 {
        u32::from_str_radix(self.part(|parts| parts.pid), 16).unwrap_or_default()
    }

    /// Start time of the worker's process in clock ticks since boot, as in field 22 of `/proc/PID/stat`.
    pub fn pstart(&self) -> u64 {
        u64::from_str_radix(self.part(|parts| parts.pstart), 16).unwrap_or_default()
    }

    fn part<'a>(&'a self, select: impl Fn(&UpidFields<'a>) -> &'a str) -> &'a str {
        UpidFields::split(&self.0).as_ref().map_or("", select)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_upid_tells_its_parts() {
        let upid: Upid =
            "UPID:pve1:0000091C:0004ED09:6B052CDB:vzsnapshot:300:felhom@pve!agent:".parse().unwrap();
        assert_eq!(
            (upid.node(), upid.worker_type(), upid.id(), upid.user()),
            ("pve1", "vzsnapshot", "300", "felhom@pve!agent")
        );
        assert_eq!((upid.pid(), upid.pstart(), upid.started()), (2332, 322_825, 1_795_501_275));
    }

    proptest! {
        #[test]
        fn any_upid_round_trips(text in "UPID:[a-z][a-z0-9]{0,5}:[0-9A-Fa-f]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:[a-z_]{1,8}:[a-z0-9@>%.-]{0,9}:[a-z]{1,6}@pve(![a-z]{2,5})?:") {
            prop_assert_eq!(text.parse::<Upid>().unwrap().to_string(), text);
        }

        #[test]
        fn no_text_panics(text in "(UPID:)?[:0-9A-Fa-z/ ]{0,60}") {
            prop_assert_eq!(text.parse::<Upid>().ok().map(|upid| upid.to_string()), text.parse::<Upid>().is_ok().then_some(text));
        }
    }
}
