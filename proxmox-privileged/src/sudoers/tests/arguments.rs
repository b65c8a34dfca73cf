//! Arguments of root commands, as patterns of their own. The tests with the real sudo use this file too.

use super::GoldenSpec;
use proptest::prelude::*;

const TEMPLATE: &str =
    r"[A-Za-z][A-Za-z0-9._-]{0,30}[A-Za-z0-9]:vztmpl/[A-Za-z0-9][A-Za-z0-9._+-]{0,80}\.tar\.(gz|xz|zst)";
const HOSTNAME: &str =
    r"([A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?\.){0,3}[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
pub(crate) const UUID: &str =
    "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-F]{4}-[0-9A-F]{4}|[0-9A-F]{16}";
pub(crate) const TARGET: &str = "/mnt/felhom/[a-z0-9][a-z0-9_-]{0,31}";
pub(crate) const DISK: &str =
    "/dev/(sd[a-z]{1,2}|vd[a-z]{1,2}|hd[a-z]|nvme(0|[1-9][0-9]?)n[1-9][0-9]?|mmcblk(0|[1-9][0-9]?))";
pub(crate) const PARTITION: &str = "/dev/(([sv]d[a-z]{1,2}|hd[a-z])([1-9][0-9]?)?|(nvme(0|[1-9][0-9]?)n[1-9][0-9]?|mmcblk(0|[1-9][0-9]?))(p[1-9][0-9]?)?)";

prop_compose! {
    pub(crate) fn golden()(
        vmid in 100_u32..=999_999_999,
        template in TEMPLATE,
        storage in "[A-Za-z][A-Za-z0-9._-]{0,40}[A-Za-z0-9]",
        bridge in "[A-Za-z][A-Za-z0-9._-]{1,14}",
        rootfs in 1_u32..=9999,
        cores in 1_u32..=999,
        memory in 16_u32..=9_999_999,
        hostname in HOSTNAME,
    ) -> GoldenSpec {
        GoldenSpec {
            vmid: vmid.try_into().unwrap(),
            template: template.parse().unwrap(),
            storage: storage.parse().unwrap(),
            bridge: bridge.parse().unwrap(),
            rootfs: rootfs.try_into().unwrap(),
            cores: cores.try_into().unwrap(),
            memory: memory.try_into().unwrap(),
            hostname: hostname.parse().unwrap(),
        }
    }
}
