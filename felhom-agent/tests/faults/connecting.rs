//! Before TLS is up: names, addresses, and peers that do not speak TLS as they should.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use proxmox_api::{HttpTransport, Method, Request, Stage};
use tokio::net::TcpSocket;

use crate::agent::{METHODS, Trust, get, limited, not_sent, ok, request, transport, trusting, unknown};
use crate::certificate::{NODE, STRANGER};
use crate::faultd::{Face, Faultd, Play, Step, VERSIONS};

/// A short time limit, and that with what may be added to it.
const SHORT: u64 = 300;
const SOON: Duration = Duration::from_millis(SHORT + 200);

/// A server without TLS.
async fn plain(script: Vec<Step>) -> Faultd {
    Faultd::start(vec![Play { face: Face::Plain, script }]).await
}

fn short() -> Request {
    limited(Method::Post, SHORT)
}

#[tokio::test]
async fn a_host_that_drops_packets_is_given_up_within_the_time_limit() {
    // A listener whose only place is taken drops what else arrives, as a firewall does.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let _place = TcpSocket::new_v4().unwrap().connect(address).await.unwrap();
    let transport = transport(&format!("https://{address}"), &Trust::node());
    let start = Instant::now();
    let (stage, reason) = not_sent(transport.send(short()).await);
    assert_eq!((stage, reason), (Stage::Connect, format!("{address}: nobody answered in time")));
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

/// The alert `protocol_version` of an old TLS.
const ALERT: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];

/// What answers on the port, what it does, and the end of what is said of it.
fn peers() -> [(&'static str, Vec<Step>, &'static str); 5] {
    let slow = "accepted the connection, but did not finish the TLS handshake in time";
    let http = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec();
    // rustls cannot play a server of TLS 1.0, so these are the bytes.
    let hello = [&[22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1][..], &[7; 32], &[0, 0, 47, 0]].concat();
    let drip = Step::Drip(vec![22, 3, 3, 0, 200, 2], Duration::from_millis(90));
    [
        ("one that says nothing", vec![Step::Drain], slow),
        ("one that drips", vec![drip, Step::Drain], "did not finish the TLS handshake in time"),
        ("plain HTTP", vec![Step::Write(http), Step::Drain], "the port answers, but not with TLS"),
        ("a ServerHello of TLS 1.0", vec![Step::Write(hello), Step::Drain], ""),
        ("an alert of TLS 1.0", vec![Step::Write(ALERT.to_vec()), Step::Drain], ""),
    ]
}

#[tokio::test]
async fn a_peer_that_does_not_speak_tls_as_it_should_is_told_in_time_and_gets_no_token() {
    for (what, script, end) in peers() {
        let server = plain(script).await;
        let transport = trusting(&server);
        let start = Instant::now();
        let (stage, reason) = not_sent(transport.send(short()).await);
        assert!(stage == Stage::Tls && reason.ends_with(end), "{what}: {stage:?} {reason}");
        assert!(start.elapsed() < SOON, "{what}: {:?}", start.elapsed());
        // The client has closed the connection, too.
        let seen = server.until_over(1).await;
        let received = String::from_utf8_lossy(&seen[0].received).into_owned();
        assert!(!received.contains("PVEAPIToken"), "{what}: {received}");
    }
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
            assert!(transport.send(request(method)).await.is_ok(), "{script:?} {method}");
            let retries = transport.record().counters().retries;
            assert_eq!((server.requests(), retries), (vec![0, 1], 1), "{script:?}");
            let server = Faultd::start(vec![broken.clone(), broken, good]).await;
            let (stage, _) = not_sent(trusting(&server).send(request(method)).await);
            assert_eq!((stage, server.seen().len()), (Stage::Tls, 2), "{script:?} {method}");
        }
    }
}

#[tokio::test]
async fn what_would_be_met_again_is_not_tried_again() {
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    let plays = [
        Play { face: Face::of(&STRANGER), script: vec![Step::Drain] },
        Play { face: Face::Plain, script: vec![Step::Write(http), Step::Drain] },
        Play { face: Face::Plain, script: vec![Step::Write(ALERT.to_vec()), Step::Drain] },
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
async fn a_server_that_speaks_only_h2_is_not_misread() {
    let settings = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
    let script = vec![Step::Read, Step::Write(settings), Step::Drain];
    let face = Face::tls(&[&NODE], NODE.key(), VERSIONS, "h2");
    let server = Faultd::start(vec![Play { face, script }]).await;
    let reason = unknown(get(&trusting(&server)).await);
    assert!(reason.contains("invalid HTTP"), "{reason}");
}
