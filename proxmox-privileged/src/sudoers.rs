//! The sudoers drop-in: exactly the root commands of this crate, as regular expressions over their arguments.
//!
//! sudo joins the arguments with blanks and matches the whole, so the rules cannot see where one argument ends. That is
//! harmless as long as no argument can hold a blank, which the argument types guarantee: they are the first fence, this
//! text is the second, and it holds for callers other than this program too.
//!
//! Written for sudo 1.9.10 and newer (PVE 9 has 1.9.16); checked with `visudo -s -c` of 1.9.13 and 1.9.16. sudo-rs
//! knows no regular expressions and refuses the file.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::command::argument::UserName;
use crate::command::shape::CommandRow;
use crate::command::{Privilege, Program};
use crate::mount::{filesystem, findmnt};
use crate::{golden, mount, sensors, smart};

/// Every command that this crate can run.
fn rows() -> Vec<CommandRow> {
    vec![
        golden::CREATE.row(),
        mount::MOUNT.row(),
        mount::UMOUNT.row(),
        findmnt::FINDMNT.row(),
        findmnt::VERIFY.row(),
        filesystem::BLKID.row(),
        smart::SMARTCTL.row(),
        sensors::SENSORS.row(),
    ]
}

/// The programs that this crate can run, each once.
pub fn programs() -> Vec<Program> {
    let mut programs: Vec<_> = rows().iter().map(|row| row.program).collect();
    programs.dedup();
    programs
}

/// How much later than the runner sudo ends a command, in seconds: the backstop for a runner that died.
const GRACE: u64 = 15;

/// The text of `/etc/sudoers.d/felhom-agent` for the account of the agent.
///
/// Install it with mode 0440 after `visudo -s -c -f FILE` has passed. A name with a dot in it is ignored by sudo.
///
/// ```
/// # use proxmox_privileged::{programs, sudoers};
/// let text = sudoers(&"felhom".parse()?);
/// assert!(text.contains("felhom ALL=(root) TIMEOUT=75s NOPASSWD: NOSETENV: NOEXEC: /usr/sbin/smartctl ^"));
/// assert!(programs().iter().any(|program| program.package() == "smartmontools"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sudoers(user: &UserName) -> String {
    let rules: String = rows().iter().filter_map(|row| rule(user, row)).collect();
    // env_keep: sudo's own list lets DISPLAY, COLORS, PS1 and more through; an empty string instead of `!` is refused.
    // umask_override: the unit may run with UMask=0077, and a container created under that has an unreadable root.
    format!(
        "# What the Proxmox agent may run as root, and nothing else. Made by `felhom-agent sudoers`; do not edit.\n\
         # Needs sudo 1.9.10 or newer.\n\
         Defaults:{user} env_reset, !setenv, secure_path=\"/usr/sbin:/usr/bin:/sbin:/bin\"\n\
         Defaults:{user} !env_keep, env_check=LC_ALL\n\
         Defaults:{user} umask=0022, umask_override, use_pty\n\
         Defaults:{user} !requiretty, listpw=never\n{rules}"
    )
}

/// The comment and the rule of one command, if it needs root.
fn rule(user: &UserName, row: &CommandRow) -> Option<String> {
    let tags = match row.privilege {
        Privilege::Caller => return None,
        Privilege::Root => "NOPASSWD: NOSETENV:",
        Privilege::RootAlone => "NOPASSWD: NOSETENV: NOEXEC:",
    };
    Some(format!(
        "\n# {}\n{user} ALL=(root) TIMEOUT={}s {tags} {} ^{}$\n",
        row.purpose,
        row.seconds + GRACE,
        row.program,
        escaped(&row.regex)
    ))
}

/// The text with the characters escaped that sudoers keeps for itself.
fn escaped(regex: &str) -> String {
    regex.replace(',', r"\,").replace(':', r"\:").replace('=', r"\=")
}

#[cfg(test)]
mod tests;
