//! The command `sudoers`: prints what the agent may run as root.

use clap::Args;
use proxmox_privileged::argument::UserName;
use proxmox_privileged::sudoers;
use serde_json::json;

use super::output::{Common, Printed, usage};
use crate::report::exit::Exit;

/// Options of the command.
#[derive(Clone, Debug, Args)]
pub(super) struct SudoersArguments {
    /// The account of the agent
    #[arg(long, value_name = "USER", default_value = "felhom")]
    user: UserName,
}

pub(super) fn run(common: &Common, arguments: &SudoersArguments) -> Exit {
    if arguments.user.as_str() == "root" {
        return usage("root needs no rules; name the account of the agent");
    }
    let text = sudoers(&arguments.user);
    let document = json!({ "schema": "felhom.sudoers/1", "user": arguments.user.as_str(), "text": text });
    Printed::new(text, &document, Exit::Ok).print(common)
}
