//! Taking a free VMID, which PVE tells and does not reserve.

use proxmox_types::Vmid;

use crate::error::Error;
use crate::{Call, Cause, Cluster, Outcome, Settled, Started, Thing};

/// How often somebody else may be faster.
const ATTEMPTS: u32 = 10;

/// A VMID, and what became of the call that was to take it.
#[derive(Debug)]
pub struct Claimed {
    /// The VMID.
    pub vmid: Vmid,
    /// What became of the call: also where that is unknown, the VMID may be ours.
    pub outcome: Outcome,
}

impl Claimed {
    /// The VMID and what the call started; an error if it was not executed, or if that is unknown.
    pub fn done(self) -> Result<(Vmid, Started), Error> {
        self.outcome.done().map(|started| (self.vmid, started))
    }
}

impl<'a> Cluster<'a> {
    /// Makes a call with a VMID that is free, and with the next one as long as somebody else was faster.
    ///
    /// For creating, restoring and cloning: `cluster.with_next_id(|vmid| node.restore(&params_for(vmid)))`. Only "already
    /// exists" is tried again, since PVE refuses it before anything is done. The error is about learning a free VMID;
    /// every other end of the call is the outcome, with the VMID.
    pub async fn with_next_id<T: Settled + Send + 'a>(
        self,
        mut call: impl FnMut(Vmid) -> Call<'a, T>,
    ) -> Result<Claimed, Error> {
        let mut vmid = self.next_id().await?;
        for _ in 1..ATTEMPTS {
            match call(vmid).settle().await {
                Outcome::NotDone(error) if is_taken(&error) => vmid = self.next_after(vmid).await?,
                outcome => return Ok(Claimed { vmid, outcome }),
            }
        }
        Ok(Claimed { vmid, outcome: call(vmid).settle().await })
    }

    /// A free VMID that is not the one which was just found taken, although PVE may not have noticed yet.
    async fn next_after(self, taken: Vmid) -> Result<Vmid, Error> {
        let free = self.next_id().await?;
        Ok(if free == taken { Vmid::try_from(taken.get().saturating_add(1)).unwrap_or(free) } else { free })
    }
}

fn is_taken(error: &Error) -> bool {
    matches!(error.cause(), Some(Cause::AlreadyExists { what: Thing::Container, .. }))
}
