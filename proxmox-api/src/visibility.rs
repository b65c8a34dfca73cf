//! How much of a list a token can see: PVE leaves rows out without saying so.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proxmox_types::Permissions;

use crate::endpoint::{Privileges, Shows};
use crate::error::Error;
use crate::{Call, Denied};

/// How much of a list a token can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// All of it: what is not in the list does not exist.
    Everything,
    /// Only what lies on or below these paths; the list says nothing about the rest.
    Below(Vec<String>),
    /// Nothing, whatever there is: this is missing.
    Nothing(Denied),
}

impl<T> Call<'_, T> {
    /// Asks how much of the list that this call reads the token can see, to tell "nothing there" from "nothing shown".
    ///
    /// `GET /access/permissions`; needs no privilege. The call itself is not sent.
    pub async fn visibility(&self) -> Result<Visibility, Error> {
        let filters = self.endpoint().code_checks().filter(|check| check.shows == Shows::ByLeavingOut);
        let needed: Vec<&Privileges> = filters.map(|check| &check.needs).collect();
        if needed.is_empty() {
            return Ok(Visibility::Everything);
        }
        let permissions = self.client().access().permissions().await?;
        let fill = |path: &str| self.endpoint().filled(path, &self.request().path);
        Ok(needed
            .iter()
            .map(|needs| seen(needs, &permissions, &fill))
            .fold(Visibility::Everything, Visibility::and))
    }
}

impl Visibility {
    /// What two conditions leave over.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (nothing @ Self::Nothing(_), _) | (_, nothing @ Self::Nothing(_)) => nothing,
            (Self::Everything, other) | (other, Self::Everything) => other,
            (Self::Below(paths), Self::Below(others)) => Self::Below([paths, others].concat()),
        }
    }

    /// What one of two conditions is enough for.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => Self::Everything,
            (Self::Nothing(_), other) | (other, Self::Nothing(_)) => other,
            (Self::Below(paths), Self::Below(others)) => Self::Below([paths, others].concat()),
        }
    }
}

fn seen(needs: &Privileges, permissions: &Permissions, fill: &dyn Fn(&str) -> String) -> Visibility {
    let each = |parts: &'static [Privileges]| parts.iter().map(|part| seen(part, permissions, fill));
    match needs {
        Privileges::All(path, names) | Privileges::IfSent(_, path, names) => {
            on(&fill(path), names, false, permissions)
        }
        Privileges::AnyOf(path, names) => on(&fill(path), names, true, permissions),
        Privileges::Both(parts) => each(parts).fold(Visibility::Everything, Visibility::and),
        Privileges::Either(parts) => each(parts).reduce(Visibility::or).unwrap_or(Visibility::Everything),
        Privileges::Anyone | Privileges::OwnUser | Privileges::UserGroup(_) => Visibility::Everything,
    }
}

/// What can be seen of a path, which ends in a variable if it stands for many.
fn on(path: &str, names: &'static [&'static str], any: bool, permissions: &Permissions) -> Visibility {
    let held = |holds: &dyn Fn(&str) -> bool| {
        if any { names.iter().any(|name| holds(name)) } else { names.iter().all(|name| holds(name)) }
    };
    let is_held = |path: &str| held(&|name| permissions.holds(path, name));
    let is_inherited = |path: &str| held(&|name| permissions.is_inherited(path, name));
    let above = ancestors(path);
    let root = path.split('{').next().unwrap_or(path);
    if above.iter().any(|path| is_inherited(path)) || (root == path && is_held(path)) {
        return Visibility::Everything;
    }
    let below: Vec<String> = permissions
        .paths()
        .filter(|path| path.starts_with(root) && is_held(path))
        .map(ToString::to_string)
        .collect();
    if root != path && !below.is_empty() {
        return Visibility::Below(below);
    }
    Visibility::Nothing(Denied {
        path: Some(path.into()),
        privileges: names.iter().map(ToString::to_string).collect(),
        any,
        ..Denied::default()
    })
}

/// The paths that a path inherits from: `/`, `/vms` for `/vms/101`.
fn ancestors(path: &str) -> Vec<&str> {
    let ends = path.match_indices('/').map(|(end, _)| end);
    ends.filter_map(|end| path.get(..end.max(1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIT: Privileges = Privileges::All("/vms/{vmid}", &["VM.Audit"]);

    fn visible(needs: &Privileges, held: &str) -> Visibility {
        seen(needs, &proxmox_types::lenient::from_text(held).unwrap(), &ToString::to_string)
    }

    #[test]
    fn an_inherited_privilege_shows_everything() {
        let shown =
            [r#"{"/":{"VM.Audit":1}}"#, r#"{"/vms":{"VM.Audit":1}}"#].map(|held| visible(&AUDIT, held));
        assert_eq!(shown, [Visibility::Everything, Visibility::Everything]);
    }

    #[test]
    fn a_pool_shows_its_members_alone() {
        let held = r#"{"/pool/felhom":{"VM.Audit":1},"/vms/101":{"VM.Audit":0},"/vms/102":{"VM.Backup":0}}"#;
        assert_eq!(visible(&AUDIT, held), Visibility::Below(alloc::vec!["/vms/101".into()]));
    }

    #[test]
    fn without_the_privilege_nothing_is_shown() {
        let Visibility::Nothing(denied) = visible(&AUDIT, r#"{"/vms":{"VM.Audit":0}}"#) else { panic!() };
        assert_eq!(denied.to_string(), "permission denied: needs VM.Audit on /vms/{vmid}");
    }

    #[test]
    fn both_conditions_must_hold_and_one_of_either() {
        let space = Privileges::All("/storage/local", &["Datastore.AllocateSpace"]);
        let both: &'static [Privileges] = alloc::vec![space, AUDIT].leak();
        let held = r#"{"/storage/local":{"Datastore.AllocateSpace":0}}"#;
        assert!(matches!(visible(&Privileges::Both(both), held), Visibility::Nothing(_)));
        assert_eq!(visible(&Privileges::Either(both), held), Visibility::Everything);
    }
}
