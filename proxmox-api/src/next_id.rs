//! Taking a free VMID, which PVE tells and does not reserve.

use proxmox_types::Vmid;

use crate::error::Error;
use crate::{Call, Cause, Change, Cluster, Started, Thing};

/// How often somebody else may be faster.
const ATTEMPTS: u32 = 10;

impl<'a> Cluster<'a> {
    /// Makes a call with a VMID that is free, and with the next one as long as somebody else was faster.
    ///
    /// For creating, restoring and cloning: `cluster.with_next_id(|vmid| node.restore(&params_for(vmid)))`. Only "already
    /// exists" is tried again, since PVE refuses it before anything is done. Returns the VMID, and what [`Call::settle`] says
    /// of the call: also if that is an error, the VMID may be ours. The outer error is about learning a free VMID.
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// use types::params::CloneParams;
    /// let copy = |vmid| ct.clone_to(&CloneParams { full: Some(true), ..CloneParams::new(vmid) });
    /// let (vmid, started) = client.cluster().with_next_id(copy).await?;
    /// client.wait(started?, client.patience()).await?;
    /// node.lxc(vmid).destroy().run().await?;
    /// # Ok(()) });
    /// ```
    pub async fn with_next_id<T: Change + Send + 'a>(
        self,
        mut call: impl FnMut(Vmid) -> Call<'a, T>,
    ) -> Result<(Vmid, Result<Started, Error>), Error> {
        let mut vmid = self.next_id().await?;
        for _ in 1..ATTEMPTS {
            match call(vmid).settle().await {
                Err(error) if is_taken(&error) && !error.may_have_happened() => {
                    vmid = self.next_after(vmid).await?;
                }
                started => return Ok((vmid, started)),
            }
        }
        Ok((vmid, call(vmid).settle().await))
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
