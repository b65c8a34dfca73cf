//! Builds the client from the configuration: the one place that names the production transport.

use std::sync::Arc;

use proxmox_api::Client;

use crate::config::Config;
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
