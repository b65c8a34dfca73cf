//! The agent as a process of its own: what it takes from its environment, and what it prints.
#![expect(
    clippy::disallowed_types,
    reason = "a process cannot change its own environment without unsafe code"
)]

use std::process::{Command, Output};

use crate::agent::{TOKEN, Trust};
use crate::answers::ok;
use crate::faultd::{Face, Faultd, Play, Step};

/// Runs the self-test's checks of the connection against the server.
async fn selftest(server: &Faultd, arguments: &[&str], variables: &[(&str, String)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let config = Trust::node().write(folder.path(), &format!("https://{}", server.address()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_felhom-agent"));
    command.args(["selftest", "--only", "tls,api"]).arg("--config").arg(config).args(arguments);
    command.env_clear().env("FELHOM_AGENT_TOKEN", TOKEN).envs(variables.iter().cloned());
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

#[tokio::test]
async fn proxies_in_the_environment_are_not_used() {
    let server = Faultd::node(vec![vec![Step::Serve(ok(), usize::MAX)]]).await;
    let proxy = Faultd::start(vec![Play { face: Face::Plain, script: vec![Step::Drain] }]).await;
    let address = format!("http://{}", proxy.address());
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let variables = names.map(|name| (name, address.clone()));
    let output = selftest(&server, &[], &variables).await;
    assert!(server.requests().iter().sum::<usize>() > 0, "{output:?}");
    assert_eq!(proxy.seen(), []);
}

#[tokio::test]
async fn the_secret_is_not_in_what_is_printed_however_much_that_is() {
    let server = Faultd::node(vec![vec![Step::Serve(ok(), usize::MAX)]]).await;
    let output = selftest(&server, &["-vvv"], &[]).await;
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let (_, secret) = TOKEN.split_once('=').unwrap();
    assert!(printed.contains("/version"), "{printed}");
    assert!(!printed.contains(secret), "{printed}");
}
