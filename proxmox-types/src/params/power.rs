//! Starting and stopping a container.

use serde::{Deserialize, Serialize};

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/status/start`. Left out is `skiplock`, which is for root@pam.
///
/// Source: pve-container `PVE/API2/LXC/Status.pm`; recordings `lxc-start-ok`, `lxc-start-skiplock-token`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartParams {
    /// Whether the start is logged in detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug: Option<bool>,
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/status/stop`. Left out is `skiplock`, which is for root@pam.
///
/// Source: pve-container `PVE/API2/LXC/Status.pm`; recording `stop-overrule`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StopParams {
    /// Whether running shutdown tasks of the container are aborted first; PVE's default is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrule_shutdown: Option<bool>,
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/status/shutdown`.
///
/// Source: pve-container `PVE/API2/LXC/Status.pm`; recordings `lxc-shutdown-ok`, `shutdown-timeout`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShutdownParams {
    /// Seconds to wait; PVE's default is 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// Whether a container that does not stop in time is stopped hard; else the task fails. PVE's default is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_stop: Option<bool>,
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/status/reboot`.
///
/// Source: pve-container `PVE/API2/LXC/Status.pm`; recording `lxc-reboot-ok`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RebootParams {
    /// Seconds to wait before the container is stopped hard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn full_values_have_the_documented_keys() {
        assert_eq!(to_value(StartParams { debug: Some(true) }).unwrap(), json!({ "debug": true }));
        assert_eq!(
            to_value(StopParams { overrule_shutdown: Some(true) }).unwrap(),
            json!({ "overrule-shutdown": true })
        );
        assert_eq!(
            to_value(ShutdownParams { timeout: Some(20), force_stop: Some(true) }).unwrap(),
            json!({ "timeout": 20, "forceStop": true })
        );
        assert_eq!(to_value(RebootParams { timeout: Some(20) }).unwrap(), json!({ "timeout": 20 }));
    }

    #[test]
    fn skiplock_is_unknown() {
        let error = serde_json::from_value::<StartParams>(json!({ "skiplock": 1 })).unwrap_err();
        assert_eq!(alloc::format!("{error}"), "unknown field `skiplock`, expected `debug`");
    }
}
