//! Finding the volumes that a backup made: vzdump does not return them, but its log names them.

use alloc::string::String;
use alloc::vec::Vec;

use proxmox_types::params::{ContentFilter, LogRange};
use proxmox_types::{Content, ContentType, Rows, Upid};

use crate::error::Error;
use crate::{Storage, Task};

/// Pages of the log that are read at most.
const MOST_PAGES: usize = 40;

impl Storage<'_> {
    /// Lists the volumes on this storage that a task of vzdump made, one per container.
    ///
    /// `GET /nodes/{node}/tasks/{upid}/log` and `GET /nodes/{node}/storage/{storage}/content?content=backup`. An empty
    /// list means that it made none here, or that the token may not see backups; [`Call::visibility`] tells which. Rows
    /// that could not be read stay among the unread ones, whatever made them.
    /// Source: pve-manager `PVE/VZDump.pm`, `exec_backup_task`; recordings `lp-vzdump.task-log`, `vzdump-multi.task-log`.
    ///
    /// [`Call::visibility`]: crate::Call::visibility
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// use types::params::VzdumpParams;
    /// let storage: types::StorageId = "local".parse()?;
    /// let ct: types::Vmid = "101".parse()?;
    /// let params = VzdumpParams { storage: Some(storage.clone()), ..VzdumpParams::new(ct.into()) };
    /// let ended = node.vzdump(&params).run().await?;
    /// let upid = ended.upid.ok_or("no task")?;
    /// assert_eq!(node.storage(&storage).backups_made_by(&upid).await?.len(), 1);
    /// # Ok(()) });
    /// ```
    pub async fn backups_made_by(self, upid: &Upid) -> Result<Rows<Content>, Error> {
        let archives = self.node.client.task(upid).archives().await?;
        let filter = ContentFilter { content: Some(ContentType::Backup), ..ContentFilter::default() };
        let mut volumes = self.content().with(filter).await?;
        volumes.retain(|volume| archives.iter().any(|archive| is_of(archive, volume.volid.name())));
        Ok(volumes)
    }
}

impl Task<'_> {
    /// What the log says that it is creating.
    async fn archives(self) -> Result<Vec<String>, Error> {
        let (mut archives, mut pages) = (Vec::new(), self.log().pages(LogRange::default()));
        for _ in 0..MOST_PAGES {
            let Some(page) = pages.next().await else { break };
            archives.extend(page?.rows.iter().filter_map(|line| archive(&line.t)).map(Into::into));
        }
        Ok(archives)
    }
}

/// `INFO: creating vzdump archive '/var/lib/vz/dump/NAME'`, or `INFO: creating Proxmox Backup Server archive 'ct/101/TIME'`.
fn archive(line: &str) -> Option<&str> {
    let (_, rest) = line.strip_prefix("INFO: creating ")?.split_once(" archive '")?;
    rest.strip_suffix('\'')
}

/// Whether a volume is the one that the log calls so: a path on a file storage, a snapshot on a backup server.
fn is_of(archive: &str, volume: &str) -> bool {
    let name = volume.strip_prefix("backup/").unwrap_or(volume);
    archive == name || archive.strip_suffix(name).is_some_and(|folder| folder.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_found_in_the_log_by_its_path_or_snapshot() {
        let file =
            archive("INFO: creating vzdump archive '/var/lib/vz/dump/vzdump-lxc-300-x.tar.zst'").unwrap();
        let server =
            archive("INFO: creating Proxmox Backup Server archive 'ct/300/2026-11-24T06:21:15Z'").unwrap();
        assert!(is_of(file, "backup/vzdump-lxc-300-x.tar.zst"));
        assert!(is_of(server, "backup/ct/300/2026-11-24T06:21:15Z"));
        assert!(!is_of(file, "backup/vzdump-lxc-30-x.tar.zst") && !is_of(file, "backup/x.tar.zst"));
        assert_eq!(archive("INFO: archive file size: 1MB"), None);
    }
}
