//! Builds the client and the runner from the configuration: the one place that names the production transport and the
//! production runner.

use std::sync::Arc;

use proxmox_api::Client;
use proxmox_privileged::Runner;

use crate::config::{Config, PrivilegedMode};
use crate::runner::ProcessRunner;
use crate::selftest::context::{Connection, Drift, Wire};
use crate::tls::TlsError;
use crate::transport::HyperTransport;

/// A connection as the configuration says. Opens nothing yet.
pub fn connect(config: &Config) -> Result<Connection, TlsError> {
    let transport = Arc::new(HyperTransport::new(&config.url, &config.token, &config.tls)?);
    let wire = Wire { record: transport.record(), verifier: transport.verifier() };
    let drift = Arc::new(Drift::default());
    let client = Client::observed(transport, config.token.id().clone(), drift.clone());
    Ok(Connection { client, wire: Some(wire), drift })
}

/// What runs root commands, as the configuration says. Starts nothing yet.
pub fn runner(mode: PrivilegedMode) -> Arc<dyn Runner> {
    Arc::new(ProcessRunner::new(mode))
}
