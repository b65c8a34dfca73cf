//! A command: which program with which arguments, and nothing that was not in the table.

pub mod argument;
pub(crate) mod grammar;
pub(crate) mod shape;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// A program that can be run, at its path on Debian 13. Each one is a constant beside the function that runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Program {
    path: &'static str,
    package: &'static str,
}

impl Program {
    /// A program, and the Debian package that has it.
    pub(crate) const fn new(path: &'static str, package: &'static str) -> Self {
        Self { path, package }
    }

    /// Absolute path.
    pub const fn path(self) -> &'static str {
        self.path
    }

    /// The Debian package that has it.
    pub const fn package(self) -> &'static str {
        self.package
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

/// Whose rights a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// The caller's own.
    Caller,
    /// Root's.
    Root,
    /// Root's, for a program that starts no other program.
    RootAlone,
}

/// One command line out of the table. Prints as it would be typed in a shell.
///
/// There is no public constructor: only the functions of this crate make one.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    pub(crate) program: Program,
    pub(crate) privilege: Privilege,
    pub(crate) changes: bool,
    pub(crate) limit: Duration,
    pub(crate) purpose: &'static str,
    pub(crate) args: Vec<String>,
}

impl Command {
    /// The program to run.
    pub const fn program(&self) -> Program {
        self.program
    }

    /// The arguments after the program's name.
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// Whether the command must run as root, by `sudo -n` for anyone else.
    pub fn needs_root(&self) -> bool {
        self.privilege != Privilege::Caller
    }

    /// Whether it changes something. A dry run shows such a command instead of running it.
    pub const fn changes(&self) -> bool {
        self.changes
    }

    /// What the command is for, for the log: `mount a filesystem below /mnt/felhom, ...`.
    pub const fn purpose(&self) -> &'static str {
        self.purpose
    }

    /// How long the command may take. The sudoers rule allows 15 s more.
    pub const fn limit(&self) -> Duration {
        self.limit
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program.path())?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", ShellWord(arg)))
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({self})")
    }
}

/// An argument, in single quotes if a shell would read it otherwise.
struct ShellWord<'a>(&'a str);

impl fmt::Display for ShellWord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(&byte);
        if !self.0.is_empty() && self.0.bytes().all(plain) {
            f.write_str(self.0)
        } else {
            write!(f, "'{}'", self.0.replace('\'', r"'\''"))
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_command_prints_as_it_would_be_typed() {
        let printed = |args: &[&str]| {
            let args = args.iter().map(ToString::to_string).collect();
            Command {
                program: Program::new("/usr/bin/umount", "mount"),
                privilege: Privilege::Root,
                changes: true,
                limit: Duration::ZERO,
                purpose: "",
                args,
            }
            .to_string()
        };
        assert_eq!(
            [printed(&["/mnt/felhom/usb"]), printed(&["it's", "", "a b"])],
            ["/usr/bin/umount /mnt/felhom/usb", r"/usr/bin/umount 'it'\''s' '' 'a b'"]
        );
    }
}
