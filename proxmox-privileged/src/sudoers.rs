//! The sudoers drop-in: exactly the root commands of the table, as regular expressions over their arguments.
//!
//! sudo joins the arguments with blanks and matches the whole, so the rules cannot see where one argument ends. That is
//! harmless as long as no argument can hold a blank, which the argument types guarantee: they are the first fence, this
//! text is the second, and it holds for callers other than this program too.
//!
//! Written for sudo 1.9.10 and newer (PVE 9 has 1.9.16); checked with `visudo -s -c` of 1.9.13 and 1.9.16. sudo-rs
//! knows no regular expressions and refuses the file.

use alloc::format;
use alloc::string::String;

use crate::argument::UserName;
use crate::command::Privilege;
use crate::table::{BLKID, CREATE, MOUNT, SMARTCTL, Shape, UMOUNT};

/// How much later than the runner sudo ends a command, in seconds: the backstop for a runner that died.
const GRACE: u64 = 15;

/// The text of `/etc/sudoers.d/felhom-agent` for the account of the agent.
///
/// Install it with mode 0440 after `visudo -s -c -f FILE` has passed. A name with a dot in it is ignored by sudo.
pub fn sudoers(user: &UserName) -> String {
    let rules = [
        rule(user, &CREATE),
        rule(user, &MOUNT),
        rule(user, &UMOUNT),
        rule(user, &BLKID),
        rule(user, &SMARTCTL),
    ];
    // env_keep: sudo's own list lets DISPLAY, COLORS, PS1 and more through; an empty string instead of `!` is refused.
    // umask_override: the unit may run with UMask=0077, and a container created under that has an unreadable root.
    format!(
        "# What the Proxmox agent may run as root, and nothing else. Made by `felhom-agent sudoers`; do not edit.\n\
         # Needs sudo 1.9.10 or newer.\n\
         Defaults:{user} env_reset, !setenv, secure_path=\"/usr/sbin:/usr/bin:/sbin:/bin\"\n\
         Defaults:{user} !env_keep, env_check=LC_ALL\n\
         Defaults:{user} umask=0022, umask_override, use_pty\n\
         Defaults:{user} !requiretty, listpw=never\n{}",
        rules.concat()
    )
}

/// The comment and the rule of one root command.
fn rule<T>(user: &UserName, shape: &Shape<T>) -> String {
    let tags = match shape.privilege {
        Privilege::RootAlone => "NOPASSWD: NOSETENV: NOEXEC:",
        Privilege::Root | Privilege::Caller => "NOPASSWD: NOSETENV:",
    };
    format!(
        "\n# {}\n{user} ALL=(root) TIMEOUT={}s {tags} {} ^{}$\n",
        shape.purpose,
        shape.seconds + GRACE,
        shape.program,
        escaped(&shape.regex())
    )
}

/// The text with the characters escaped that sudoers keeps for itself.
fn escaped(regex: &str) -> String {
    regex.replace(',', r"\,").replace(':', r"\:").replace('=', r"\=")
}

#[cfg(test)]
mod tests;
