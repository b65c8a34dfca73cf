//! When a guest starts and stops with its node: `startup`.

use serde::{Deserialize, Serialize};

use super::{OtherKeys, PropertyString};

/// Order and delays of a guest's start and stop with its node.
///
/// Source: pve-common `PVE/JSONSchema.pm`, format `pve-startup-order`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Startup {
    /// Lower numbers start first and stop last; without one a guest starts after all that have one.
    pub order: Option<u32>,
    /// Seconds to wait after its start before the next guest starts.
    pub up: Option<u32>,
    /// Seconds to wait for it to stop.
    pub down: Option<u32>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub other: OtherKeys,
}

impl PropertyString for Startup {
    const DEFAULT_KEY: Option<&'static str> = Some("order");
}

#[cfg(test)]
mod tests {
    use super::super::{parse, print};
    use super::*;

    #[test]
    fn the_order_may_stand_alone() {
        let startup: Startup = parse("order=2,up=30,down=60").unwrap();
        assert_eq!((startup.order, print(&startup).unwrap()), (Some(2), "2,down=60,up=30".into()));
    }
}
