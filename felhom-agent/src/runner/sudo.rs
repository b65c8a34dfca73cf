//! Root through `sudo -n`: whether it can be used, and whether it was sudo or the command that said no.
//!
//! sudo exits with 1 whenever it refuses, which a command may do as well. So after that status sudo is asked whether it
//! permits the command (`-l`, which starts nothing), and its words decide only what that leaves open. Seen with sudo
//! 1.9.13:
//!
//! | rules of the account | `sudo -n -l -- COMMAND` | `sudo -n -- COMMAND` |
//! |---|---|---|
//! | none without a password | 1, `sudo: a password is required` | the same |
//! | others without a password | 1, silent | 1, `sudo: a password is required` |
//! | others without and this one with a password | 0 | 1, `sudo: a password is required` |
//! | this one without a password | 0 | the command's own |

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use proxmox_privileged::{Command, CommandEnd, CommandOutput, RunError, SudoTrouble};

use super::{ASKING, ProcessRunner, line};

/// The program. Debian has it nowhere else.
const SUDO: &str = "/usr/bin/sudo";
/// Words before a command that is run, before one that is asked about, and those that list what is permitted. root is
/// named, since `runas_default` may be somebody else.
const RUN: [&str; 5] = [SUDO, "-n", "-u", "root", "--"];
const ASK: [&str; 6] = [SUDO, "-n", "-l", "-u", "root", "--"];
const LIST: [&str; 3] = [SUDO, "-n", "-l"];
/// Bit in the mode of a file that runs as its owner.
const SETUID: u32 = 0o4000;
/// What sudo says instead of asking for a password.
const PASSWORD_WANTED: &str = "a password is required";
/// What sudo says of a command that it permits and does not run. Whatever else it says is a warning beside the command.
const NOT_RUN: [&str; 7] = [
    PASSWORD_WANTED,
    "you must have a tty",
    "unable to execute",
    "command not found",
    "unable to allocate pty",
    "failed session initialization",
    "unable to fork",
];
/// What sudo says although it goes on: of its log, of the name of the host, of limits.
const WARNINGS: [&str; 7] = [
    "unable to open log file",
    "unable to write log file",
    "unable to resolve host",
    "unable to open audit",
    "unable to send",
    "setrlimit(",
    "timestamp",
];

impl ProcessRunner {
    /// What keeps sudo from becoming root, as far as that shows without starting it.
    pub fn sudo_trouble() -> Option<SudoTrouble> {
        if has_no_new_privileges() {
            return Some(SudoTrouble::NoNewPrivileges);
        }
        match fs::metadata(SUDO) {
            Ok(file) if file.uid() == 0 && file.mode() & SETUID != 0 => None,
            Ok(_) => Some(SudoTrouble::NotSetuid),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(SudoTrouble::Missing),
            Err(error) => Some(SudoTrouble::Other { message: format!("{SUDO}: {error}") }),
        }
    }

    /// Asks sudo whether it permits the command, and runs nothing.
    ///
    /// sudo says yes to a command that needs a password, too, if another command of the account needs none.
    pub async fn permits(&self, command: &Command) -> Result<(), RunError> {
        let asked = self.sudo(line(&ASK, command), ASKING).await?;
        refusal(command, &asked, &asked).map_or(Ok(()), Err)
    }

    /// What sudo permits to this account, in sudo's words.
    pub async fn permitted(&self) -> Result<String, RunError> {
        let listed = self.sudo(list(), ASKING).await?;
        match complaint(&listed) {
            Some(error) if !listed.is_success() => Err(error),
            _ => Ok(String::from_utf8_lossy(&listed.stdout).into_owned()),
        }
    }

    /// Runs the command as root.
    pub(super) async fn through_sudo(&self, command: &Command) -> Result<CommandOutput, RunError> {
        let ran = self.sudo(line(&RUN, command), command.limit()).await?;
        if ran.end != CommandEnd::Exit(1) {
            return Ok(ran);
        }
        let asked = self.sudo(line(&ASK, command), ASKING).await?;
        refusal(command, &asked, &ran).map_or(Ok(ran), Err)
    }

    /// Runs sudo, and takes away what it says every time.
    async fn sudo(&self, line: Vec<String>, limit: Duration) -> Result<CommandOutput, RunError> {
        if let Some(trouble) = Self::sudo_trouble() {
            return Err(RunError::SudoUnusable { trouble });
        }
        let mut output = self.process(line, limit).await?;
        if !output.stderr.is_empty()
            && let Some(rest) = output.stderr.strip_prefix(self.noise().await)
        {
            output.stderr = rest.to_vec();
        }
        Ok(output)
    }

    /// What sudo says whatever it is asked for, such as that another drop-in has a syntax error. Told once.
    async fn noise(&self) -> &[u8] {
        let learn = || async {
            let listed =
                self.process(list(), ASKING).await.ok().filter(CommandOutput::is_success).ok_or(())?;
            if !listed.stderr.is_empty() {
                tracing::warn!(text = %String::from_utf8_lossy(&listed.stderr), "sudo complains");
            }
            Ok::<_, ()>(listed.stderr)
        };
        self.noise.get_or_try_init(learn).await.map_or(&[], Vec::as_slice)
    }
}

fn list() -> Vec<String> {
    LIST.map(Into::into).into()
}

/// Why sudo did not run the command, from what it says about it (`-l`) and from what came of it.
fn refusal(command: &Command, asked: &CommandOutput, ran: &CommandOutput) -> Option<RunError> {
    if asked.is_success() {
        return not_run(ran);
    }
    complaint(asked).or_else(|| Some(RunError::NotPermitted { command: command.to_string() }))
}

/// Why sudo did not run a command that it permits.
fn not_run(ran: &CommandOutput) -> Option<RunError> {
    let stderr = String::from_utf8_lossy(&ran.stderr);
    let is_known = |said: &str| NOT_RUN.iter().any(|known| said.contains(known));
    if words(&stderr).any(is_known) { complaint(ran) } else { None }
}

/// What sudo itself says in its lines.
fn words(stderr: &str) -> impl Iterator<Item = &str> {
    stderr.lines().filter_map(|line| line.strip_prefix("sudo: "))
}

/// What sudo itself said, if it had the last word.
fn complaint(output: &CommandOutput) -> Option<RunError> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    words(stderr.lines().last()?).next()?;
    let is_warning = |said: &&str| WARNINGS.iter().any(|known| said.contains(known));
    let message = words(&stderr).filter(|said| !is_warning(said)).collect::<Vec<_>>().join("; ");
    match message.as_str() {
        "" => None,
        PASSWORD_WANTED => Some(RunError::PasswordWanted),
        _ => Some(RunError::SudoUnusable { trouble: SudoTrouble::Other { message } }),
    }
}

/// Whether no program that this process starts can become another user, which systemd's `NoNewPrivileges=yes` and many
/// other settings of a unit bring about.
///
/// Source: `proc_pid_status(5)`.
fn has_no_new_privileges() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("NoNewPrivs:").is_some_and(|value| value.trim() == "1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exited(status: i32, stderr: &str) -> CommandOutput {
        CommandOutput { end: CommandEnd::Exit(status), stderr: stderr.into(), ..CommandOutput::from("") }
    }

    #[test]
    fn a_warning_beside_the_commands_own_words_is_no_refusal() {
        let log = "sudo: unable to open log file /var/log/nosuch/sudo.log: No such file or directory\n";
        let cases = [
            (log, false),
            ("mount: wrong fs type\n", false),
            ("sudo: unable to resolve host pve1: Name or service not known\n", false),
            ("sudo: setrlimit(RLIMIT_CORE): Operation not permitted\n", false),
            ("sudo: a new warning of a later sudo\n", false),
            ("sudo: a password is required\n", true),
            ("sudo: unable to execute /usr/sbin/pct: Exec format error\n", true),
            (
                "sudo: pam_open_session: System error\nsudo: policy plugin failed session initialization\n",
                true,
            ),
            ("sudo: /usr/sbin/pct: command not found\n", true),
        ];
        for (said, is_refused) in cases {
            let found = not_run(&exited(1, said));
            assert_eq!(found.is_some(), is_refused, "{said}: {found:?}");
        }
        let password = exited(1, &format!("{log}sudo: a password is required\n"));
        assert_eq!(complaint(&password), Some(RunError::PasswordWanted));
        assert_eq!(complaint(&exited(1, log)), None);
    }
}
