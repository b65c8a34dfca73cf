//! The checks of the read-only self-test, each beside what it does, in the order of the report.

mod api;
mod config;
mod connection;
mod guest;
mod host;
mod node;
mod permission;
mod service;
mod storage;
mod sudo;

use super::Check;

/// Every check of the read-only mode.
pub static READ_ONLY: [Check; 33] = [
    config::FILE,
    config::SECRET,
    config::TLS,
    connection::CONNECT,
    connection::HANDSHAKE,
    connection::PIN,
    connection::AUTHORITY,
    connection::EXPIRY,
    api::TOKEN,
    api::VERSION,
    api::SKEW,
    node::EXISTS,
    node::STATUS,
    service::SERVICES,
    node::POOL,
    node::BRIDGES,
    permission::NEED,
    permission::EXCESS,
    storage::LIST,
    storage::SPACE,
    storage::GOLDEN,
    guest::LIST,
    guest::LOCKS,
    guest::LEFTOVERS,
    sudo::FLAG,
    sudo::READY,
    sudo::EXACT,
    host::BINARIES,
    host::MOUNT_NAMESPACE,
    host::TEMPERATURES,
    host::DISKS,
    host::USB_DISKS,
    api::FIELDS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_stands_under_a_heading() {
        let homeless = READ_ONLY.iter().filter(|check| check.claim.heading().is_empty());
        assert_eq!(homeless.map(|check| check.claim.id).collect::<Vec<_>>(), [""; 0]);
    }
}
