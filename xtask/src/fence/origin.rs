//! Code comes from crates.io or from this repository.

use crate::workspace::{Violation, Workspace};

/// No git source, no other registry, no path outside the workspace.
pub(super) fn origin(workspace: &Workspace) -> Vec<Violation> {
    let strangers = workspace.metadata.packages.iter().filter(|package| match &package.source {
        Some(source) => !source.is_crates_io(),
        None => !workspace.is_member(package),
    });
    let told = strangers.map(|package| {
        let from =
            package.source.as_ref().map_or_else(|| package.manifest_path.to_string(), ToString::to_string);
        Violation::new(format!("{} comes from {from}", package.name))
    });
    told.collect()
}
