//! A fenced crate is one plain library: nothing of it runs while it is built, and all of it lies in `src/`.

use cargo_metadata::{Package, Target, TargetKind};

use crate::workspace::{Violation, Workspace};

/// No build script, no `links`, no macro, binary or C library, no library file of another name.
pub(super) fn targets(workspace: &Workspace) -> Vec<Violation> {
    workspace.fenced().flat_map(|package| linked(package).into_iter().chain(odd(package))).collect()
}

fn linked(package: &Package) -> Option<Violation> {
    let library = package.links.as_ref()?;
    Some(Violation::new(format!("{} links {library}", package.name)))
}

fn odd(package: &Package) -> Vec<Violation> {
    let file = package.manifest_path.with_file_name("src/lib.rs");
    let has_library =
        package.targets.iter().any(|target| is_plain_library(target) && target.src_path == file);
    let missing = (!has_library).then(|| format!("{} has no plain library in src/lib.rs", package.name));
    let others = package.targets.iter().filter(|target| !is_plain_library(target) && !is_for_tests(target));
    let others =
        others.map(|target| format!("{} has a target of another kind: {}", package.name, target.src_path));
    missing.into_iter().chain(others).map(Violation::new).collect()
}

fn is_plain_library(target: &Target) -> bool {
    target.kind == [TargetKind::Lib]
}

fn is_for_tests(target: &Target) -> bool {
    [TargetKind::Test, TargetKind::Bench, TargetKind::Example].iter().any(|kind| target.kind.contains(kind))
}
