//! The command `sudoers`: prints what the agent may run as root.

use clap::Args;
use proxmox_privileged::argument::UserName;
use proxmox_privileged::sudoers;

use super::print;
use crate::exit::Exit;

/// Options of the command.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// The account of the agent
    #[arg(long, value_name = "USER", default_value = "felhom")]
    user: UserName,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    print(&sudoers(&arguments.user))
}
