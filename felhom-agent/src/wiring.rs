//! Builds the client and the runner from the configuration: the one place that names the production transport and the
//! production runner.

use std::sync::Arc;

use proxmox_api::Client;
use proxmox_privileged::{RunError, Runner, SudoTrouble};

use crate::config::{Config, PrivilegedMode};
use crate::connection::{Connection, Drift, WireFacts};
use crate::runner::ProcessRunner;
use crate::tls::TlsError;
use crate::transport::HyperTransport;

/// A connection as the configuration says. Opens nothing yet.
pub fn connect(config: &Config) -> Result<Connection, TlsError> {
    let transport = Arc::new(HyperTransport::new(&config.url, &config.token, &config.tls)?);
    let wire = WireFacts { record: transport.record(), verifier: transport.verifier() };
    let drift = Arc::new(Drift::default());
    let client = Client::observed(transport, config.token.id().clone(), drift.clone());
    Ok(Connection { client, wire: Some(wire), drift })
}

/// What keeps sudo from becoming root, as far as that shows without starting it.
pub fn sudo_trouble() -> Option<SudoTrouble> {
    ProcessRunner::sudo_trouble()
}

/// What sudo permits to this account, in sudo's words.
pub async fn permitted() -> Result<String, RunError> {
    ProcessRunner::new(PrivilegedMode::Sudo).permitted().await
}

/// What runs root commands, as the configuration says. Starts nothing yet.
pub fn runner(mode: PrivilegedMode) -> Arc<dyn Runner> {
    Arc::new(ProcessRunner::new(mode))
}
