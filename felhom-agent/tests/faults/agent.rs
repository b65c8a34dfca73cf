//! The client under test, what it is asked for, and answers as pveproxy forms them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use felhom_agent::config::{Config, Environment};
use felhom_agent::transport::HyperTransport;
use proxmox_api::{Client, HttpTransport, Method, Parameter, Request, Response, Stage, TransportError};
use proxmox_types::{ApiToken, Fingerprint};
use serde_json::json;

use crate::certificate::NODE;
use crate::faultd::{Faultd, Step};

/// The token, as it is configured.
pub(crate) const TOKEN: &str = "felhom@pve!agent=12345678-1234-1234-1234-123456789abc";

/// The methods that PVE has.
pub(crate) const METHODS: [Method; 4] = [Method::Get, Method::Post, Method::Put, Method::Delete];

/// What the client is told to trust.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    pub(crate) pins: Vec<Fingerprint>,
    pub(crate) key_pins: Vec<Fingerprint>,
    /// Content of the CA file.
    pub(crate) authority: Option<String>,
    pub(crate) server_name: Option<&'static str>,
    pub(crate) is_insecure: bool,
}

impl Trust {
    /// The node's certificate and nothing else.
    pub(crate) fn node() -> Self {
        Self { pins: vec![NODE.pin()], ..Self::default() }
    }

    /// Writes the configuration into the folder.
    pub(crate) fn write(&self, folder: &Path, url: &str) -> PathBuf {
        let ca_file = self.authority.as_ref().map(|pem| {
            let path = folder.join("ca.pem");
            std::fs::write(&path, pem).unwrap();
            path
        });
        let tls = json!({
            "pins": self.pins, "spki_pins": self.key_pins, "ca_file": ca_file, "server_name": self.server_name,
            "insecure": self.is_insecure,
        });
        let path = folder.join("config.json");
        std::fs::write(&path, json!({ "url": url, "node": "pve1", "tls": tls }).to_string()).unwrap();
        path
    }
}

/// A transport, configured as the agent's own.
pub(crate) fn transport(url: &str, trust: &Trust) -> HyperTransport {
    let folder = tempfile::tempdir().unwrap();
    let environment = Environment::from_iter([("FELHOM_AGENT_TOKEN".into(), TOKEN.into())]);
    let config = Config::load(&trust.write(folder.path(), url), &environment).unwrap();
    HyperTransport::new(&config).unwrap()
}

/// A transport that trusts the node.
pub(crate) fn trusting(server: &Faultd) -> HyperTransport {
    transport(&format!("https://{}", server.address()), &Trust::node())
}

/// The node with these scripts, and a transport that trusts it.
pub(crate) async fn node(scripts: Vec<Vec<Step>>) -> (Faultd, HyperTransport) {
    let server = Faultd::node(scripts).await;
    let transport = trusting(&server);
    (server, transport)
}

/// The same with a good answer on the second connection.
pub(crate) async fn first(script: Vec<Step>) -> (Faultd, HyperTransport) {
    node(vec![script, vec![Step::Serve(ok(), 1)]]).await
}

/// A client that trusts the node.
pub(crate) fn client(server: &Faultd) -> Client {
    wrapped(trusting(server))
}

/// A client over the transport.
pub(crate) fn wrapped(transport: HyperTransport) -> Client {
    let token: ApiToken = TOKEN.parse().unwrap();
    Client::new(Arc::new(transport), token.id().clone())
}

/// A request with one parameter.
pub(crate) fn request(method: Method) -> Request {
    Request {
        method,
        path: "/nodes/pve1/lxc/101/snapshot".into(),
        parameters: vec![Parameter::plain("snapname", "before")],
        time_limit: Duration::from_secs(2),
    }
}

/// The same with this time limit, in milliseconds.
pub(crate) fn limited(method: Method, limit: u64) -> Request {
    Request { time_limit: Duration::from_millis(limit), ..request(method) }
}

/// Sends a GET.
pub(crate) async fn get(transport: &HyperTransport) -> Result<Response, TransportError> {
    transport.send(request(Method::Get)).await
}

/// Why a request was not sent.
pub(crate) fn not_sent(answer: Result<Response, TransportError>) -> (Stage, String) {
    match answer {
        Err(TransportError::NotSent { stage, reason }) => (stage, reason),
        other => panic!("not NotSent: {other:?}"),
    }
}

/// Why nobody knows what became of a request.
pub(crate) fn unknown(answer: Result<Response, TransportError>) -> String {
    match answer {
        Err(TransportError::Unknown { reason }) => reason,
        other => panic!("not Unknown: {other:?}"),
    }
}

/// A body that `GET /version` can have.
pub(crate) const VERSION: &str = r#"{"data":{"version":"9.2.11","release":"9.2","repoid":"1a2b3c4d"}}"#;

/// An answer with this status line and body.
pub(crate) fn answer(status: &str, body: &str) -> Vec<u8> {
    with_headers(status, &format!("Content-Length: {}\r\n", body.len()), body)
}

/// An answer with these headers.
pub(crate) fn with_headers(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nServer: pve-api-daemon/3.0\r\n{headers}\r\n{body}").into_bytes()
}

/// A good answer.
pub(crate) fn ok() -> Vec<u8> {
    answer("200 OK", VERSION)
}
