//! Every sentence that the simulated node says, each with the recording or the source that has it.
//!
//! Nothing else makes a [`Said`], so the node has no words of its own.

use alloc::string::{String, ToString};
use core::fmt::{self, Display};

/// A sentence with `{}` for names and numbers.
#[derive(Clone, Copy)]
pub(super) struct Sentence(&'static str);

/// What was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said(String);

/// A sentence, and where it was seen: in the answer, the end or the log of a recording, or in a file of PVE's source
/// (`.pm`). The test below reads these lines.
const fn said(sentence: &'static str, _seen: &'static str) -> Sentence {
    Sentence(sentence)
}

impl Sentence {
    /// The sentence with these in the places of `{}`.
    pub(super) fn of(self, names: &[&dyn Display]) -> Said {
        let mut parts = self.0.split("{}");
        let first = parts.next().unwrap_or_default().to_string();
        let rest = parts.zip(names).map(|(part, name)| alloc::format!("{name}{part}"));
        Said(core::iter::once(first).chain(rest).collect())
    }
}

impl From<Sentence> for Said {
    fn from(sentence: Sentence) -> Self {
        Self(sentence.0.into())
    }
}

impl Said {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// What pveproxy says.
pub(super) const NO_TICKET: Sentence = said("Authentication failed!", "auth-bad-secret");
pub(super) const NO_DAEMON: Sentence = said("Connection refused", "pvedaemon-down-post");
pub(super) const NO_ANSWER: Sentence =
    said("Connection timed out", "libanyevent-http-perl AnyEvent/HTTP.pm http_request");
pub(super) const NOT_IMPLEMENTED: Sentence = said("Method '{} {}' not implemented", "http-unknown-path");
pub(super) const NO_NODE: Sentence = said(
    "hostname lookup '{}' failed - failed to get address info for: {}: Name or service not known",
    "get-node-unknown",
);

// Privileges.
pub(super) const DENIED: Sentence = said("Permission check failed", "lp-restore-nopool");
pub(super) const DENIED_FOR: Sentence = said("Permission check failed ({})", "start-403-none");
pub(super) const PRIVILEGE: Sentence = said("{}, {}", "start-403-none");
pub(super) const OTHER_FEATURES: Sentence = said(
    "changing feature flags (except nesting) is only allowed for root@pam",
    "config-put-r2-mount-feature-full",
);
pub(super) const PRIVILEGED_FEATURES: Sentence = said(
    "changing feature flags for privileged container is only allowed for root@pam",
    "golden-restore-features-nounpriv",
);

// Parameters.
pub(super) const BAD_PARAMETERS: Sentence = said("Parameter verification failed.", "vzdump-empty");
pub(super) const UNKNOWN_PARAMETER: Sentence = said(
    "property is not defined in schema and the schema does not allow additional properties",
    "config-put-badparam",
);
pub(super) const ABSENT: Sentence =
    said("property is missing and it is not optional", "get-disks-smart-noarg");
pub(super) const NO_GUEST: Sentence = said("property is missing", "vzdump-empty");
pub(super) const WRONG_TYPE: Sentence = said("type check ('{}') failed - got '{}'", "http-int-float");
pub(super) const TOO_SMALL: Sentence = said("value must have a minimum value of {}", "config-put-badparam");
pub(super) const TOO_BIG: Sentence =
    said("value must have a maximum value of {}", "pve-common PVE/JSONSchema.pm check_prop");
pub(super) const TOO_LONG: Sentence =
    said("value may only be {} characters long", "config-put-r2-description-8193");
pub(super) const TOO_SHORT: Sentence =
    said("value must be at least {} characters long", "pve-common PVE/JSONSchema.pm check_prop");
pub(super) const NOT_LISTED: Sentence =
    said("value '{}' does not have a value in the enumeration '{}'", "vzdump-bad-mode");
pub(super) const BAD_FORMAT: Sentence = said("invalid format - format error\n", "config-put-r2-net-bad-ip");
pub(super) const BAD_VMID: Sentence =
    said("invalid format - value does not look like a valid VM ID\n", "http-vmid-small");
pub(super) const BAD_NAME: Sentence =
    said("invalid format - invalid configuration ID '{}'\n", "snapshot-create-name-bad");
pub(super) const BAD_TAG: Sentence =
    said("invalid format - invalid characters in tag\n", "config-put-r2-tags-bad");
pub(super) const BAD_CONTENT: Sentence =
    said("invalid format - invalid content type '{}'\n", "content-bad-type");
pub(super) const BAD_DNS_NAME: Sentence =
    said("invalid format - value does not look like a valid DNS name\n", "config-put-r2-hostname-bad");
pub(super) const OTHER_PATTERN: Sentence =
    said("value does not match the regex pattern", "pve-common PVE/JSONSchema.pm check_prop");
pub(super) const PARTNER_ABSENT: Sentence =
    said("missing property - '{}' requires this property", "pve-common PVE/JSONSchema.pm check_object");
pub(super) const BAD_UPID: Sentence = said("unable to parse worker upid", "task-r2-status-bad-upid");
pub(super) const NO_TASK: Sentence = said("no such task", "task-r2-status-unknown");
pub(super) const NO_SUCH_STORAGE: Sentence = said("No such storage.", "node-storage-filter-missing");
pub(super) const VMID_IN_USE: Sentence = said("VM {} already exists", "get-nextid-taken");
pub(super) const NO_DIRECTORIES: Sentence =
    said("storage '{}' does not support container directories", "restore-r2-nostorage");
pub(super) const NO_TARGET: Sentence =
    said("both 'storage' and 'target-vmid' missing, either needs to be set", "move-volume-r2-no-target");
pub(super) const NO_VOLUME_KEY: Sentence = said("format error", "move-volume-r2-missing-volume");
pub(super) const OWN_NODE: Sentence =
    said("target is local node.", "pve-container PVE/API2/LXC.pm migrate_vm");

// What is missing, or in the way.
pub(super) const NO_TOKEN: Sentence = said("no such token '{}' for user '{}'", "token-get-missing.root");
pub(super) const NO_CONTAINER: Sentence =
    said("Configuration file 'nodes/{}/lxc/{}.conf' does not exist", "get-lxc-config-missing");
pub(super) const NO_GUEST_OF: Sentence = said("unable to find VM '{}'", "vzdump-missing-vmid");
pub(super) const NO_STORAGE: Sentence = said("storage '{}' does not exist", "get-storage-get-missing");
pub(super) const NO_SNAPSHOT: Sentence = said("snapshot '{}' does not exist", "snapshot-config-missing");
pub(super) const NO_VOLUME: Sentence = said("volume '{}' does not exist", "extractconfig-missing");
pub(super) const NO_SIZE: Sentence =
    said("volume_size_info on '{}' failed - no format", "content-volume-get-missing");
pub(super) const NO_BRIDGE: Sentence = said("bridge '{}' does not exist", "start-missing-bridge");
pub(super) const NO_POOL: Sentence = said("pool '{}' does not exist", "pools-poolid-missing");
pub(super) const NO_DEVICE: Sentence = said("not a valid block device", "get-disks-smart-missing");
pub(super) const TAKEN: Sentence = said("CT {} already exists on node '{}'", "create-twice-second");
pub(super) const RESERVED_NAME: Sentence =
    said("unable to use snapshot name '{}' (reserved name)", "snapshot-create-name-vzdump");
pub(super) const SNAPSHOT_TAKEN: Sentence = said("snapshot name '{}' already used", "snapshot-create-dup");
pub(super) const VOLUME_TAKEN: Sentence = said("disk image '{}' already exists", "allocate-r2-exists");

// States of a container.
pub(super) const LOCKED: Sentence = said("CT is locked ({})", "locked-delete");
pub(super) const RUNNING: Sentence = said("CT {} already running", "lxc-start-already-running");
pub(super) const NOT_RUNNING: Sentence = said("CT {} not running", "lxc-stop-not-running");
pub(super) const VM_NOT_RUNNING: Sentence = said("VM {} not running", "lxc-reboot-not-running");
pub(super) const OVERWRITES_RUNNING: Sentence =
    said("can't overwrite running container", "restore-force-403-path100");
pub(super) const DESTROYS_RUNNING: Sentence =
    said("unable to destroy CT {} - container is running", "lxc-delete-running");
pub(super) const CLONES_RUNNING: Sentence =
    said("Full clone of a running container is only possible from a snapshot", "clone-running-full");
pub(super) const MOVES_RUNNING: Sentence =
    said("cannot move volumes of a running container", "pve-container PVE/API2/LXC.pm move_volume");
pub(super) const CONVERTS_RUNNING: Sentence =
    said("you can't convert a running CT to template", "pve-container PVE/API2/LXC.pm template");
pub(super) const CONVERTS_SNAPSHOTS: Sentence =
    said("unable to create template, because CT contains snapshots", "template-r2-with-snapshot");
pub(super) const TEMPLATE_ALREADY: Sentence =
    said("you can't convert a template to a template", "template-again");
pub(super) const STARTS_TEMPLATE: Sentence =
    said("you can't start a CT if it's a template", "template-r2-start");
pub(super) const SNAPS_TEMPLATE: Sentence =
    said("you can't take a snapshot if it's a template", "template-snapshot");
pub(super) const NO_SNAPSHOTS: Sentence = said("snapshot feature is not available", "snapshot-missing-disk");
pub(super) const PROTECTED: Sentence =
    said("can't remove CT {} - protection mode enabled", "lxc-delete-protected");
pub(super) const HA_MANAGED: Sentence = said(
    "unable to remove CT {} - used in HA resources and purge parameter not set.",
    "pve-container PVE/API2/LXC.pm destroy_vm",
);
pub(super) const MODIFIED: Sentence =
    said("detected modified configuration - file changed by other user? Try again.", "resize-digest");
pub(super) const NO_OPTIONS: Sentence = said("no options specified", "config-put-empty");
pub(super) const READ_ONLY: Sentence =
    said("unable to modify read-only option: '{}'", "config-put-unprivileged");
pub(super) const REQUIRED: Sentence = said("unable to delete required option '{}'", "pending-delete-rootfs");
pub(super) const SHRINKS: Sentence = said("unable to shrink disk size", "resize-shrink");
pub(super) const SAME_SIZE: Sentence = said("disk is already at specified size", "resize-same");

// States of a storage and its volumes.
pub(super) const DISABLED: Sentence = said("storage '{}' is disabled", "content-disabled");
pub(super) const OFFLINE: Sentence = said("storage '{}' is not online", "content-inactive");
pub(super) const NOT_ACTIVATED: Sentence =
    said("could not activate storage '{}': {}", "vzdump-storage-inactive");
pub(super) const NO_BACKUPS: Sentence =
    said("storage '{}' does not support backups", "prune-dry-run-r2-btr-no-backup-content");
pub(super) const OTHER_CONTENT: Sentence =
    said("storage '{}' is not configured for content-type '{}'", "download-url-r2-no-content");
pub(super) const PROTECTED_VOLUME: Sentence =
    said("cannot remove protected volume '{}' on '{}'", "content-volume-delete-protected");
pub(super) const NOT_A_BACKUP: Sentence =
    said("unable to use volume {} - content type needs to be 'backup'", "extractconfig-notbackup");
pub(super) const NO_NOTES: Sentence = said("only backups can have notes", "volume-put-r2-notes-on-template");
pub(super) const BAD_SIZE: Sentence =
    said("unable to parse directory volume name '{}'", "create-rootfs-size-suffix");

// Ends of tasks.
pub(super) const OK: Sentence = said("OK", "lxc-start-ok");
pub(super) const WARNINGS: Sentence = said("WARNINGS: {}", "lxc-create-warnings");
pub(super) const JOB_ERRORS: Sentence = said("job errors", "vzdump-missing-vmid");
pub(super) const UNEXPECTED: Sentence = said("unexpected status", "get-tasks-limit500");
pub(super) const INTERRUPTED: Sentence = said("received interrupt", "restore-stopped-log");
pub(super) const CREATE_FAILED: Sentence = said("unable to create CT {} - {}", "lxc-create-fail-no-template");
pub(super) const RESTORE_FAILED: Sentence = said("unable to restore CT {} - {}", "restore-missing-archive");
pub(super) const FORBIDDEN: Sentence = said("403 {}", "vzdump-403-dsonly");
pub(super) const COMMAND_FAILED: Sentence =
    said("command '{}' failed: exit code 2", "restore-force-truncated");

// Lines of logs.
pub(super) const LOG_OK: Sentence = said("TASK OK", "lxc-create-ok-dir");
pub(super) const LOG_WARNINGS: Sentence = said("TASK WARNINGS: {}", "lxc-create-warnings");
pub(super) const LOG_ERROR: Sentence = said("TASK ERROR: {}", "vzdump-missing-vmid");
pub(super) const LOG_WARNING: Sentence = said("WARN: {}", "lxc-create-warnings");
pub(super) const LOG_EMPTY: Sentence = said("no content", "pve-common PVE/Tools.pm dump_logfile");
pub(super) const LOG_MISSING: Sentence =
    said("unable to open file - No such file or directory", "task-r2-log-unknown");
pub(super) const NEWER_DEBIAN: Sentence = said(
    "The container's Debian version '15' is newer than the tested version '14'. While everything may work fine, full \
     compatibility cannot be guaranteed. Please check for PVE system updates.",
    "lxc-create-warnings",
);
pub(super) const EXTRACTING: Sentence = said("extracting archive '{}'", "lxc-create-ok-dir");
pub(super) const RECOVERING: Sentence =
    said("recovering backed-up configuration from '{}'", "restore-r2-force-start");
pub(super) const RESTORING: Sentence = said("restoring '{}' now..", "restore-r2-force-start");
pub(super) const MERGING: Sentence =
    said("merging backed-up and given configuration..", "restore-r2-force-start");
pub(super) const PURGING: Sentence = said("purging CT {} from related configurations..", "lp-destroy");
pub(super) const CLONING: Sentence = said("creating a clone of container {} with ID {}", "clone-ok-full");
pub(super) const RESIZED: Sentence = said("Image resized.", "lp-resize");
pub(super) const REMOVED: Sentence = said("Removed volume '{}'", "content-delete-backuponly");
pub(super) const BACKUP_JOB: Sentence =
    said("INFO: starting new backup job: vzdump {} --storage {}", "vzdump-missing-vmid");
pub(super) const BACKUP_OF: Sentence = said("INFO: Starting Backup of VM {} (lxc)", "vzdump-ok-stopmode");
pub(super) const BACKUP_AT: Sentence = said("INFO: Backup started at {}", "vzdump-ok-stopmode");
pub(super) const BACKUP_MODE: Sentence = said("INFO: backup mode: {}", "vzdump-ok-stopmode");
pub(super) const BACKUP_FILE: Sentence =
    said("INFO: creating vzdump archive '/var/lib/vz/dump/{}'", "vzdump-ok-stopmode");
pub(super) const BACKUP_DONE: Sentence = said("INFO: Finished Backup of VM {} ({})", "vzdump-ok-stopmode");
pub(super) const BACKUP_FAILED: Sentence = said("ERROR: Backup of VM {} failed - {}", "vzdump-missing-vmid");
pub(super) const BACKUPS_FAILED: Sentence =
    said("INFO: Backup job finished with errors", "vzdump-missing-vmid");
pub(super) const BACKUPS_DONE: Sentence =
    said("INFO: Backup job finished successfully", "vzdump-ok-stopmode");

#[cfg(test)]
mod tests {
    #[test]
    fn a_sentence_takes_its_names_in_order() {
        assert_eq!(super::TAKEN.of(&[&101, &"pve1"]).as_str(), "CT 101 already exists on node 'pve1'");
        assert_eq!(super::OK.of(&[]).as_str(), "OK");
    }
}
