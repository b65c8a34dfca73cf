//! Serves the simulated node over loopback with TLS and pveproxy's manners, for `cargo xtask demo` and for tests.
//!
//! It says on stdout, in one line of JSON, where it listens and how to trust it, and ends when its stdin does. Lines on
//! stdin ask it things; see `control`.
#![expect(clippy::disallowed_types, reason = "a server for tests listens on loopback")]
#![expect(clippy::print_stdout, reason = "it speaks to its parent over stdout")]

#[path = "../../tests/faults/certificate.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "the tests of the transport have it, and need more certificates"
)]
mod certificate;
mod control;
mod server;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use certificate::{CLUSTER, NODE};
use clap::Parser;
use proxmox_api::sim::Sim;
use serde_json::json;
use tokio::net::TcpListener;

/// A simulated PVE 9.2 node on loopback.
#[derive(Debug, Parser)]
struct Listening {
    /// Folder for `pve-root-ca.pem`
    #[arg(long)]
    directory: PathBuf,
    /// Port to listen on; 0 is any
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Seconds that the node's clock is ahead of the real one
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    ahead: i64,
    /// How many customers' containers there are besides
    #[arg(long, default_value_t = 0)]
    customers: u32,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Listening::parse();
    let ca_file = arguments.directory.join("pve-root-ca.pem");
    std::fs::write(&ca_file, CLUSTER.pem())?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let sim = Sim::new().in_real_time(u64::try_from(now + arguments.ahead)?);
    control::populate(&sim, arguments.customers);
    let token = sim
        .world()
        .acl
        .tokens
        .get_key_value("felhom@pve!agent")
        .map(|(id, token)| format!("{id}={}", token.secret));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await?;
        let node = server::Served::new(sim, &NODE)?;
        println!(
            "{}",
            json!({
                "url": format!("https://{}", listener.local_addr()?), "node": "pve1", "ca_file": ca_file,
                "fingerprint": NODE.pin(), "token": token, "pid": std::process::id(),
            })
        );
        tokio::select! {
            () = node.serve(listener) => {}
            () = control::listen(&node) => {}
        }
        Ok(())
    })
}
