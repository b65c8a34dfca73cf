//! Before TLS is up: names, addresses, and peers that do not speak TLS as they should.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use proxmox_api::{HttpTransport, Method, Request, Stage};
use tokio::net::TcpSocket;

use crate::agent::{Trust, get, not_sent, request, transport, trusting, unknown};
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
    assert_eq!(reason, format!("{} accepted the connection and then said nothing", server.address()));
    assert!(start.elapsed() < SHORT + SLACK, "{:?}", start.elapsed());
    // It has closed the connection, too.
    server.until_over(1).await;
}

#[tokio::test]
async fn a_peer_that_hangs_up_in_the_handshake_is_told_apart() {
    for end in [Step::Close, Step::Reset] {
        let server = plain(vec![end]).await;
        let (stage, _) = not_sent(get(&trusting(&server)).await);
        assert_eq!(stage, Stage::Tls);
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
