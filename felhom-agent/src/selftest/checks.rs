//! The checks of the read-only self-test, each beside what it does.

mod api;
mod config;
mod connection;
mod guest;
mod host;
mod node;
mod permission;
mod storage;
mod sudo;

use std::sync::LazyLock;

use super::Check;

/// Every check of the read-only mode, in the order of the report.
pub static READ_ONLY: LazyLock<Vec<Check>> = LazyLock::new(|| {
    [
        config::CHECKS,
        connection::CHECKS,
        api::CHECKS,
        node::CHECKS,
        permission::CHECKS,
        storage::CHECKS,
        guest::CHECKS,
        sudo::CHECKS,
        host::CHECKS,
        api::LAST,
    ]
    .concat()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_stands_under_a_heading() {
        let homeless = READ_ONLY.iter().filter(|check| check.claim.heading().is_empty());
        assert_eq!(homeless.map(|check| check.claim.id).collect::<Vec<_>>(), [""; 0]);
    }
}
