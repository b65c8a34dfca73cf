//! Answers that are too much, and any bytes whatsoever: they end in an answer or an error, in time and without a panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proxmox_api::{HttpTransport, Method};

use crate::agent::{
    VERSION, answer, first, get, limited, node, ok, trusting, unknown, with_headers, wrapped,
};
use crate::faultd::{Faultd, Step, ends};

/// Largest body that is read.
const MOST: usize = 64 << 20;

/// What may be under way in buffers when the client stops reading.
const BUFFERED: usize = 8 << 20;

const CHUNK: usize = 1 << 20;

/// Most memory that this process ever had, in bytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

/// The server would go on for four times as long as a body may be.
async fn assert_stops_reading(head: Vec<u8>, piece: Vec<u8>) {
    let script = vec![Step::Read, Step::Write(head), Step::Flood(piece, 4 * MOST / CHUNK)];
    let (server, transport) = first(script).await;
    let reason = unknown(transport.send(limited(Method::Get, 20_000)).await);
    assert_eq!(reason, "the body is larger than 67108864 bytes");
    let sent = server.until_over(1).await[0].sent;
    assert!((MOST..MOST + BUFFERED).contains(&sent), "{sent}");
    get(&transport).await.unwrap();
    assert!(peak_memory() < 256 << 20, "{}", peak_memory());
}

#[tokio::test]
async fn an_endless_body_is_read_up_to_the_limit() {
    let chunk = format!("{CHUNK:x}\r\n{}\r\n", " ".repeat(CHUNK));
    assert_stops_reading(with_headers("200 OK", "Transfer-Encoding: chunked\r\n", ""), chunk.into()).await;
    for status in ["200 OK", "500 Internal Server Error"] {
        assert_stops_reading(with_headers(status, "", ""), vec![b' '; CHUNK]).await;
    }
}

#[tokio::test]
async fn a_body_that_is_announced_as_too_large_is_not_read_at_all() {
    for length in ["67108865", "10000000000000", "18446744073709551613"] {
        let head = with_headers("200 OK", &format!("Content-Length: {length}\r\n"), "");
        let server = Faultd::node(vec![vec![Step::Read, Step::Write(head), Step::Drain]]).await;
        let reason = unknown(trusting(&server).send(limited(Method::Get, 20_000)).await);
        assert_eq!(reason, "the body is larger than 67108864 bytes", "{length}");
        server.until_over(1).await;
    }
}

#[tokio::test]
async fn a_body_of_several_megabytes_is_read_whole() {
    let body = " ".repeat(5 << 20);
    let server = Faultd::node(vec![vec![Step::Serve(answer("200 OK", &body), 1)]]).await;
    assert_eq!(
        trusting(&server).send(limited(Method::Get, 20_000)).await.unwrap().body.as_bytes(),
        body.as_bytes()
    );
}

const STATUS_LINES: &[&str] = &[
    "HTTP/2.0 200 OK",
    "HTTP/1.1 99 Low",
    "HTTP/1.1 1000 High",
    "HTTP/1.1 2oo OK",
    "HTTP/1.1",
    "200 OK",
    "SSH-2.0-OpenSSH_9.2",
    "HTTP/1.1 200 \u{1}",
    "HTTP/1.1 200 a\0b",
    "\u{0}",
    "ICY 200 OK",
];

const HEADERS: &[&str] = &[
    "X-Folded: one\r\n two\r\n",
    "X Blank: 1\r\n",
    "X-Blank : 1\r\n",
    ": 1\r\n",
    "X-Nul: \0\r\n",
    "no colon\r\n",
    "Content-Length: 1\r\nContent-Length: 2\r\n",
    "Content-Length: -1\r\n",
    "Content-Length: 1x\r\n",
    "Content-Length: 99999999999999999999\r\n",
];

#[tokio::test]
async fn malformed_and_oversized_heads_are_errors() {
    let padding = [10_000, 101].map(|count| with_headers("200 OK", &"X-Padding: 1\r\n".repeat(count), ""));
    let long = with_headers("200 OK", &format!("X-Long: {}\r\n", "x".repeat(100 << 10)), "");
    let phrase = with_headers(&format!("500 {}", "x".repeat(600 << 10)), "Content-Length: 0\r\n", "");
    let lines = STATUS_LINES.iter().map(|line| format!("{line}\r\nContent-Length: 0\r\n\r\n").into_bytes());
    let headers = HEADERS.iter().map(|headers| with_headers("200 OK", headers, ""));
    for head in lines.chain(headers).chain(padding).chain([long, phrase]) {
        let shown = String::from_utf8_lossy(&head[..head.len().min(60)]).into_owned();
        let (_server, transport) = first(vec![Step::Read, Step::Write(head), Step::Drain]).await;
        assert_ne!(unknown(get(&transport).await), "nothing more came in time", "{shown}");
        get(&transport).await.unwrap();
    }
}

#[tokio::test]
async fn bytes_after_an_answer_are_never_the_next_answer() {
    let forged = answer("200 OK", "{\"data\":\"forged\"}");
    let together = vec![Step::Read, Step::Write([ok(), forged.clone()].concat()), Step::Drain];
    let apart = vec![Step::Read, Step::Write(ok()), Step::Gate, Step::Write(forged), Step::Drain];
    for script in [together, apart] {
        let (server, transport) = first(script).await;
        assert_eq!(get(&transport).await.unwrap().body.as_bytes(), VERSION.as_bytes());
        server.open(1);
        server.until_over(1).await;
        assert_eq!(get(&transport).await.unwrap().body.as_bytes(), VERSION.as_bytes());
        assert_eq!(server.requests(), [1, 1]);
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(10);
    let (server, transport) = node(vec![vec![Step::Serve([interim, ok()].concat(), 2)]]).await;
    for _ in 0..2 {
        assert_eq!(get(&transport).await.unwrap().body.as_bytes(), VERSION.as_bytes());
    }
    assert_eq!(server.requests(), [2]);
}

#[tokio::test]
async fn endless_interim_answers_end_with_the_time_limit() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    let script = vec![Step::Read, Step::Flood(interim, usize::MAX)];
    let (_server, transport) = first(script).await;
    let reason = unknown(transport.send(limited(Method::Get, 500)).await);
    assert_eq!(reason, "nothing more came in time");
    get(&transport).await.unwrap();
}

#[tokio::test]
async fn a_switch_of_protocols_is_no_answer_to_wait_for() {
    let switch = with_headers("101 Switching Protocols", "Connection: upgrade\r\nUpgrade: websocket\r\n", "");
    let (server, transport) =
        node(vec![vec![Step::Read, Step::Write(switch), Step::Drain], vec![Step::Serve(ok(), 1)]]).await;
    // Whatever it is taken for, it ends, and the connection is not used again.
    let answer = get(&transport).await;
    assert!(answer.as_ref().map_or(true, |response| response.status == 101), "{answer:?}");
    get(&transport).await.unwrap();
    assert_eq!(server.requests(), [1, 1]);
}

/// Pieces of which answers consist, between bars.
const PIECES: &str = "HTTP/1.1 |HTTP/1.0 |200 OK|401 No ticket|595 x|100 Continue|101 x|304 x|\r\n|\n|\r| |:|\0|0|5|ffff\
    |99999999999|Content-Length: |Transfer-Encoding: chunked\r\n|Connection: close\r\n|Connection: Keep-Alive\r\n\
    |Content-Encoding: gzip\r\n|Date: Tue, 24 Nov 2026 05:53:33 GMT\r\n|0\r\n\r\n|5\r\nabcde\r\n|{\"data\":|\u{feff}|null}";

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = PIECES.split('|').map(|piece| piece.as_bytes().to_vec()).collect::<Vec<_>>();
    prop_oneof![8 => prop::sample::select(known), 1 => prop::collection::vec(any::<u8>(), 0..64)]
}

/// Pieces in any order, and good answers of which a few bytes were changed.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let edited = edits.prop_map(|edits| {
        let mut bytes = ok();
        for (index, byte) in edits {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    });
    prop_oneof![prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat()), edited]
}

fn end() -> impl Strategy<Value = Vec<Step>> {
    prop::sample::select(ends().to_vec())
}

/// Sends two requests to a server that answers with these bytes; fails if one of them takes too long.
async fn exchange(bytes: Vec<u8>, end: Vec<Step>) -> Result<(), TestCaseError> {
    let script = [vec![Step::Read, Step::Write(bytes)], end].concat();
    let (server, transport) = first(script).await;
    let start = Instant::now();
    let _any = transport.send(limited(Method::Post, 1000)).await;
    prop_assert!(start.elapsed() < Duration::from_millis(1200), "{:?}", start.elapsed());
    server.until_over(1).await;
    let version = wrapped(transport).version().await;
    prop_assert!(version.is_ok(), "{version:?}");
    prop_assert_eq!(server.requests(), [1, 1]);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end_in_an_answer_or_an_error(bytes in bytes(), end in end()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(exchange(bytes, end))?;
    }
}
