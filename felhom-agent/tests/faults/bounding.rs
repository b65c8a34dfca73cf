//! Answers that are torn, malformed or too much, and any bytes whatsoever: they end in an answer or an error, in time and
//! without a panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proxmox_api::{HttpTransport, Method};

use crate::agent::{
    VERSION, answer, first, get, limited, node, ok, trusting, unknown, with_headers, wrapped,
};
use crate::faultd::{Faultd, Seen, Step, ends};

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

/// The reason why an answer cannot be used, and what the server saw: one request, and the next on another connection.
async fn lost(script: Vec<Step>, limit: u64) -> (String, Vec<Seen>) {
    let (server, transport) = first([vec![Step::Read], script].concat()).await;
    let start = Instant::now();
    let reason = unknown(transport.send(limited(Method::Post, limit)).await);
    let late = Duration::from_millis(limit)..Duration::from_millis(limit + 200);
    assert_eq!(reason == LATE, late.contains(&start.elapsed()), "{reason}: {:?}", start.elapsed());
    server.until_over(1).await;
    get(&transport).await.unwrap();
    assert_eq!(server.requests(), [1, 1], "{reason}");
    (reason, server.seen())
}

const LATE: &str = "nothing more came in time";
const TOO_LARGE: &str = "the body is larger than 67108864 bytes";

#[tokio::test]
async fn an_endless_body_is_read_up_to_the_limit() {
    let chunk = format!("{CHUNK:x}\r\n{}\r\n", " ".repeat(CHUNK)).into_bytes();
    let chunked = with_headers("200 OK", "Transfer-Encoding: chunked\r\n", "");
    let [good, bad] = ["200 OK", "500 Internal Server Error"].map(|status| with_headers(status, "", ""));
    for (head, piece) in [(chunked, chunk), (good, vec![b' '; CHUNK]), (bad, vec![b' '; CHUNK])] {
        // The server would go on for four times as long as a body may be.
        let (reason, seen) =
            lost(vec![Step::Write(head), Step::Flood(piece, 4 * MOST / CHUNK)], 20_000).await;
        assert_eq!(reason, TOO_LARGE);
        assert!((MOST..MOST + BUFFERED).contains(&seen[0].sent), "{}", seen[0].sent);
        assert!(peak_memory() < 256 << 20, "{}", peak_memory());
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

/// Heads that are malformed or too large.
fn bad_heads() -> Vec<Vec<u8>> {
    let padding = [10_000, 101].map(|count| with_headers("200 OK", &"X-Padding: 1\r\n".repeat(count), ""));
    let long = with_headers("200 OK", &format!("X-Long: {}\r\n", "x".repeat(100 << 10)), "");
    let phrase = with_headers(&format!("500 {}", "x".repeat(600 << 10)), "Content-Length: 0\r\n", "");
    let lines = STATUS_LINES.iter().map(|line| format!("{line}\r\nContent-Length: 0\r\n\r\n").into_bytes());
    let headers = HEADERS.iter().map(|headers| with_headers("200 OK", headers, ""));
    lines.chain(headers).chain(padding).chain([long, phrase]).collect()
}

/// Answers that are not whole when the connection ends.
fn torn() -> Vec<(&'static str, Vec<u8>)> {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let longer = format!("Content-Length: {}\r\n", VERSION.len() + 1);
    vec![
        ("half a status line", b"HTTP/1.1 2".to_vec()),
        ("half a head", ok()[..40].to_vec()),
        ("a head and no body", ok()[..ok().len() - VERSION.len()].to_vec()),
        ("half a body", ok()[..ok().len() - 10].to_vec()),
        ("a body shorter than announced", with_headers("200 OK", &longer, VERSION)),
        ("half a chunk", with_headers("200 OK", chunked, "40\r\n{\"data\":")),
        ("chunks without an end", with_headers("200 OK", chunked, "d\r\n{\"data\":null}\r\n")),
        ("half a last chunk", with_headers("200 OK", chunked, "d\r\n{\"data\":null}\r\n0\r\n")),
        ("a chunk without a length", with_headers("200 OK", chunked, "xyz\r\n{\"data\":null}\r\n0\r\n\r\n")),
        ("a chunk longer than all", with_headers("200 OK", chunked, "fffffffffffffffff\r\n{}")),
    ]
}

/// Answers that cannot be used, each with its name and the reason; for torn and malformed ones any but being late will do.
fn unusable() -> Vec<(String, Vec<Step>, &'static str)> {
    let (head, body) = (ok()[..ok().len() - VERSION.len()].to_vec(), VERSION.as_bytes().to_vec());
    let drip = |bytes| Step::Drip(bytes, Duration::from_millis(200));
    let interim = Step::Flood(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000), usize::MAX);
    let mut rows = vec![
        ("an answer that does not come".into(), vec![Step::Drain], LATE),
        ("an answer that drips".into(), vec![drip(ok())], LATE),
        ("a body that drips".into(), vec![Step::Write(head), drip(body)], LATE),
        ("endless interim answers".into(), vec![interim], LATE),
    ];
    for length in ["67108865", "10000000000000", "18446744073709551613"] {
        let head = with_headers("200 OK", &format!("Content-Length: {length}\r\n"), "");
        rows.push((format!("a body of {length} bytes"), vec![Step::Write(head), Step::Drain], TOO_LARGE));
    }
    for (what, answer) in torn() {
        let torn = |end| [vec![Step::Write(answer.clone())], end].concat();
        rows.extend(ends().map(|end| (what.to_owned(), torn(end), "")));
    }
    for head in bad_heads() {
        let shown = String::from_utf8_lossy(&head[..head.len().min(60)]).into_owned();
        rows.push((shown, vec![Step::Write(head), Step::Drain], ""));
    }
    rows
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_unknown_and_the_last_on_its_connection() {
    for (what, script, expected) in unusable() {
        let limit = if expected == LATE { 500 } else { 2000 };
        let (reason, _) = lost(script, limit).await;
        assert!(if expected.is_empty() { reason != LATE } else { reason == expected }, "{what}: {reason}");
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_ends_with_a_proper_farewell_only() {
    let answer = vec![Step::Read, Step::Write(with_headers("200 OK", "", VERSION))];
    let (_server, transport) = node(vec![[answer.clone(), vec![Step::Close]].concat(), answer]).await;
    assert_eq!(get(&transport).await.unwrap().body.as_bytes(), VERSION.as_bytes());
    let reason = unknown(get(&transport).await);
    assert!(reason.contains("close_notify"), "{reason}");
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
