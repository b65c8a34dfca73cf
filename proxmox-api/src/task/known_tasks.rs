//! The tasks that were started lately, so that none of them is taken for one whose UPID was lost.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use proxmox_types::Upid;

/// How many are remembered. A lost one is looked for among those of the last seconds.
const MOST: usize = 64;

/// Hashes of the last UPIDs, without a lock.
pub(crate) struct KnownTasks {
    hashes: [AtomicU64; MOST],
    next: AtomicUsize,
}

impl KnownTasks {
    pub(crate) const fn new() -> Self {
        Self { hashes: [const { AtomicU64::new(0) }; MOST], next: AtomicUsize::new(0) }
    }

    pub(crate) fn remember(&self, upid: &Upid) {
        let index = self.next.fetch_add(1, Ordering::Relaxed) % MOST;
        if let Some(slot) = self.hashes.get(index) {
            slot.store(hash(upid), Ordering::Relaxed);
        }
    }

    pub(crate) fn knows(&self, upid: &Upid) -> bool {
        let wanted = hash(upid);
        self.hashes.iter().any(|slot| slot.load(Ordering::Relaxed) == wanted)
    }
}

/// FNV-1a.
fn hash(upid: &Upid) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    upid.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upid(pid: usize) -> Upid {
        alloc::format!("UPID:pve1:{pid:08X}:0004ED09:6B052CDB:vzdump:300:felhom@pve!agent:").parse().unwrap()
    }

    #[test]
    fn the_last_ones_are_known_and_older_ones_forgotten() {
        let known = KnownTasks::new();
        (0..=MOST).for_each(|pid| known.remember(&upid(pid)));
        let are_known = [0, 1, MOST, MOST + 1].map(|pid| known.knows(&upid(pid)));
        assert_eq!(are_known, [false, true, true, false]);
    }
}
