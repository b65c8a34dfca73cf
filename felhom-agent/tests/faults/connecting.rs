//! Before TLS is up: names, addresses, and peers that do not speak TLS as they should.
#![expect(
    clippy::disallowed_types,
    reason = "a process cannot change its own environment without unsafe code"
)]

use std::net::Ipv4Addr;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use proxmox_api::{HttpTransport, Method, Request, Stage};
use tokio::net::TcpSocket;

use crate::agent::{METHODS, TOKEN, Trust, get, not_sent, ok, request, transport, trusting, unknown};
use crate::certificate::STRANGER;
use crate::faultd::{Face, Faultd, Play, Step};

/// A short time limit, and what may be added to it.
const SHORT: Duration = Duration::from_millis(300);
const SLACK: Duration = Duration::from_millis(200);

/// A server without TLS.
async fn plain(script: Vec<Step>) -> Faultd {
    Faultd::start(vec![Play { face: Face::Plain, script }]).await
}

fn loopback() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    socket
}

fn short() -> Request {
    Request { time_limit: SHORT, ..request(Method::Post) }
}

#[tokio::test]
async fn an_unknown_host_name_is_told_by_name() {
    let transport = transport("https://nx.invalid:8006", &Trust::node());
    let (stage, reason) = not_sent(get(&transport).await);
    assert_eq!(stage, Stage::Resolve);
    assert!(reason.contains("nx.invalid"), "{reason}");
}

#[tokio::test]
async fn a_refused_connection_is_told_with_its_address() {
    // A socket that is bound, so that nobody else takes the port, and does not listen.
    let socket = loopback();
    let address = socket.local_addr().unwrap();
    let transport = transport(&format!("https://{address}"), &Trust::node());
    let (stage, reason) = not_sent(get(&transport).await);
    assert_eq!(stage, Stage::Connect, "{reason}");
    assert!(reason.contains(&address.to_string()), "{reason}");
}

#[tokio::test]
async fn a_host_that_drops_packets_is_given_up_within_the_time_limit() {
    // A listener whose only place is taken drops what else arrives, as a firewall does.
    let listener = loopback().listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let _place = TcpSocket::new_v4().unwrap().connect(address).await.unwrap();
    let transport = transport(&format!("https://{address}"), &Trust::node());
    let start = Instant::now();
    let (stage, reason) = not_sent(transport.send(short()).await);
    assert_eq!((stage, reason), (Stage::Connect, format!("{address}: nobody answered in time")));
    assert!(start.elapsed() < SHORT + SLACK, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_given_up_within_the_time_limit() {
    let server = plain(vec![Step::Drain]).await;
    let transport = trusting(&server);
    let start = Instant::now();
    let (stage, reason) = not_sent(transport.send(short()).await);
    assert_eq!(stage, Stage::Tls);
    let told = "accepted the connection, but did not finish the TLS handshake in time";
    assert_eq!(reason, format!("{} {told}", server.address()));
    assert!(start.elapsed() < SHORT + SLACK, "{:?}", start.elapsed());
    // It has closed the connection, too.
    server.until_over(1).await;
}

#[tokio::test]
async fn a_handshake_that_drips_is_not_called_silent() {
    let server =
        plain(vec![Step::Drip(vec![22, 3, 3, 0, 200, 2], Duration::from_millis(90)), Step::Drain]).await;
    let (stage, reason) = not_sent(trusting(&server).send(short()).await);
    assert_eq!(stage, Stage::Tls);
    assert!(reason.ends_with("did not finish the TLS handshake in time"), "{reason}");
}

/// Ways in which a connection breaks before TLS is up.
fn breaks() -> Vec<Vec<Step>> {
    let record = vec![22, 3, 3, 0, 200, 2, 0, 0];
    let cut = |end| vec![Step::Write(record.clone()), end];
    vec![vec![], vec![Step::Close], vec![Step::Reset], cut(Step::Close), cut(Step::Reset)]
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_handshake_is_tried_once_more_whatever_the_method() {
    for script in breaks() {
        for method in METHODS {
            let good = Play { face: Face::node(), script: vec![Step::Serve(ok(), 1)] };
            let broken = Play { face: Face::Plain, script: script.clone() };
            let server = Faultd::start(vec![broken.clone(), good.clone()]).await;
            let transport = trusting(&server);
            transport
                .send(request(method))
                .await
                .unwrap_or_else(|error| panic!("{script:?} {method}: {error}"));
            assert_eq!(
                (server.requests(), transport.record().counters().retries),
                (vec![0, 1], 1),
                "{script:?}"
            );
            let server = Faultd::start(vec![broken.clone(), broken, good]).await;
            let (stage, _) = not_sent(trusting(&server).send(request(method)).await);
            assert_eq!((stage, server.seen().len()), (Stage::Tls, 2), "{script:?} {method}");
        }
    }
}

#[tokio::test]
async fn what_would_be_met_again_is_not_tried_again() {
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    let alert = vec![21, 3, 1, 0, 2, 2, 70];
    let plays = [
        Play { face: Face::of(&STRANGER), script: vec![Step::Drain] },
        Play { face: Face::Plain, script: vec![Step::Write(http), Step::Drain] },
        Play { face: Face::Plain, script: vec![Step::Write(alert), Step::Drain] },
        Play { face: Face::Plain, script: vec![Step::Drain] },
    ];
    for play in plays {
        let server = Faultd::start(vec![play.clone()]).await;
        let transport = trusting(&server);
        not_sent(transport.send(short()).await);
        assert_eq!((server.seen().len(), transport.record().counters().retries), (1, 0), "{play:?}");
    }
}

#[tokio::test]
async fn plain_http_on_the_port_is_told_apart() {
    let refusal = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec();
    let server = plain(vec![Step::Write(refusal), Step::Drain]).await;
    let failure = not_sent(get(&trusting(&server)).await);
    assert_eq!(failure, (Stage::Tls, "the port answers, but not with TLS".into()));
}

#[tokio::test]
async fn a_server_of_an_old_tls_version_is_refused() {
    // rustls cannot play one, so these are the bytes: a ServerHello of TLS 1.0, and the alert `protocol_version`.
    let hello = [&[22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1][..], &[7; 32], &[0, 0, 47, 0]].concat();
    let alert = vec![21, 3, 1, 0, 2, 2, 70];
    for answer in [hello, alert] {
        let server = plain(vec![Step::Write(answer), Step::Drain]).await;
        let (stage, reason) = not_sent(get(&trusting(&server)).await);
        assert_eq!(stage, Stage::Tls, "{reason}");
        let seen = server.until_over(1).await;
        let received = String::from_utf8_lossy(&seen[0].received).into_owned();
        assert!(!received.contains("PVEAPIToken"), "{received}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_only_h2_is_not_misread() {
    let settings = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
    let script = vec![Step::Read, Step::Write(settings), Step::Drain];
    let server = Faultd::start(vec![Play { face: Face::speaking("h2"), script }]).await;
    let reason = unknown(get(&trusting(&server)).await);
    assert!(reason.contains("invalid HTTP"), "{reason}");
}

/// Runs the self-test's checks of the connection against the server.
async fn selftest(server: &Faultd, variables: &[(&str, String)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let config = Trust::node().write(folder.path(), &format!("https://{}", server.address()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_felhom-agent"));
    command.args(["selftest", "--only", "tls,api"]).arg("--config").arg(config);
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
    let output = selftest(&server, &variables).await;
    assert!(server.requests().iter().sum::<usize>() > 0, "{output:?}");
    assert_eq!(proxy.seen(), []);
}
