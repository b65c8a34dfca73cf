//! Changing a configuration, and learning what of the change waits for the next start.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proxmox_types::params::SetConfigParams;
use proxmox_types::{PendingChange, Rows, Unread};

use crate::error::Error;
use crate::{Call, Lxc};

/// What became of a change that PVE accepted.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum ConfigChange {
    /// All of it is in effect.
    Live,
    /// These options wait for the next start; the others are in effect.
    AtNextStart(Vec<PendingChange>),
    /// It was accepted; whether it waits could not be read.
    Unverified(Error),
}

impl Lxc<'_> {
    /// Changes options as [`Lxc::set_config`] does, and tells whether the change is live or pending.
    ///
    /// `PUT /nodes/{node}/lxc/{vmid}/config`, then `GET /nodes/{node}/lxc/{vmid}/pending`; needs what they need.
    /// A lost answer is looked for as [`Call::settle`] does. An error means that nothing was accepted, unless
    /// [`Error::may_have_happened`].
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// use types::params::SetConfigParams;
    /// let options = types::CommonOptions { memory: Some(1024), ..Default::default() }.into();
    /// let digest = ct.config().await?.digest;
    /// let change = SetConfigParams { options, digest, ..SetConfigParams::default() };
    /// assert!(matches!(ct.apply(&change).await?, ConfigChange::Live));
    /// # Ok(()) });
    /// ```
    pub async fn apply(self, params: &SetConfigParams) -> Result<ConfigChange, Error> {
        let change = self.set_config(params);
        let changed = changed(&change);
        change.settle().await?;
        Ok(match self.pending().unless_unread(|row| may_be_of(row, &changed)).await {
            Ok(options) => of(options, &changed),
            Err(error) => ConfigChange::Unverified(error),
        })
    }
}

/// The options that a call sets, deletes or reverts.
fn changed<T>(call: &Call<'_, T>) -> Vec<String> {
    let parameters = call.request().parameters.iter();
    let names = parameters.flat_map(|parameter| match parameter.name.as_ref() {
        "digest" => Vec::new(),
        "delete" | "revert" => parameter.expose().split(',').map(ToString::to_string).collect(),
        name => alloc::vec![name.to_string()],
    });
    names.collect()
}

/// Whether a row that could not be read may be that of a changed option.
fn may_be_of(row: &Unread, changed: &[String]) -> bool {
    row.field("key").is_none_or(|key| changed.contains(&key))
}

fn of(options: Rows<PendingChange>, changed: &[String]) -> ConfigChange {
    let waits = |option: &PendingChange| option.is_pending() && changed.contains(&option.key);
    let pending: Vec<PendingChange> = options.into_iter().filter(waits).collect();
    if pending.is_empty() { ConfigChange::Live } else { ConfigChange::AtNextStart(pending) }
}
