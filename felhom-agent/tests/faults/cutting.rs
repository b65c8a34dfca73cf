//! Answers that break off, stall, or never come: nobody knows what the server did, and nothing is sent twice.

use std::time::{Duration, Instant};

use proxmox_api::{HttpTransport, Method, Request};

use crate::agent::{METHODS, get, request, trusting, unknown};
use crate::answers::{VERSION, ok, with_headers};
use crate::faultd::{Faultd, Step, ends};

#[tokio::test]
async fn a_request_that_was_read_and_not_answered_is_unknown_and_not_repeated() {
    for end in ends() {
        for method in METHODS {
            let server = Faultd::node(vec![[vec![Step::Read], end.clone()].concat()]).await;
            unknown(trusting(&server).send(request(method)).await);
            assert_eq!(server.requests(), [1], "{method} {end:?}");
        }
    }
}

#[tokio::test]
async fn the_same_holds_on_a_kept_connection() {
    for end in ends() {
        for method in METHODS {
            let script = [vec![Step::Serve(ok(), 1), Step::Read], end.clone()].concat();
            let server = Faultd::node(vec![script]).await;
            let transport = trusting(&server);
            get(&transport).await.unwrap();
            unknown(transport.send(request(method)).await);
            assert_eq!(server.requests(), [2], "{method} {end:?}");
        }
    }
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

#[tokio::test]
async fn half_an_answer_is_unknown_and_the_last_on_its_connection() {
    for (what, answer) in torn() {
        for end in ends() {
            let script = [vec![Step::Read, Step::Write(answer.clone())], end].concat();
            let server = Faultd::node(vec![script, vec![Step::Serve(ok(), 1)]]).await;
            let transport = trusting(&server);
            let answer = transport.send(request(Method::Post)).await;
            assert!(answer.is_err_and(|error| error.may_have_happened()), "{what}");
            assert!(get(&transport).await.is_ok(), "after {what}");
            assert_eq!(server.requests(), [1, 1], "{what}");
        }
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_ends_with_a_proper_farewell_only() {
    let answer = vec![Step::Read, Step::Write(with_headers("200 OK", "", VERSION))];
    let server = Faultd::node(vec![[answer.clone(), vec![Step::Close]].concat(), answer]).await;
    let transport = trusting(&server);
    assert_eq!(get(&transport).await.unwrap().body.as_bytes(), VERSION.as_bytes());
    let reason = unknown(get(&transport).await);
    assert!(reason.contains("close_notify"), "{reason}");
}

/// An answer that would take far longer than the request may.
async fn assert_ends_in_time(script: Vec<Step>) {
    let server = Faultd::node(vec![script, vec![Step::Serve(ok(), 1)]]).await;
    let transport = trusting(&server);
    let (start, limit) = (Instant::now(), Duration::from_millis(500));
    let answer = transport.send(Request { time_limit: limit, ..request(Method::Post) }).await;
    let elapsed = start.elapsed();
    assert_eq!(unknown(answer), "nothing more came in time");
    assert!(elapsed >= limit && elapsed < limit + Duration::from_millis(200), "{elapsed:?}");
    server.until_over(1).await;
    get(&transport).await.unwrap();
    assert_eq!(server.requests(), [1, 1]);
}

#[tokio::test]
async fn an_answer_that_never_comes_ends_with_the_time_limit() {
    assert_ends_in_time(vec![Step::Read, Step::Drain]).await;
}

#[tokio::test]
async fn a_head_that_drips_ends_with_the_time_limit() {
    assert_ends_in_time(vec![Step::Read, Step::Drip(ok(), Duration::from_millis(200))]).await;
}

#[tokio::test]
async fn a_body_that_drips_ends_with_the_time_limit() {
    let (head, body) = (ok()[..ok().len() - VERSION.len()].to_vec(), VERSION.as_bytes().to_vec());
    let drip = Step::Drip(body, Duration::from_millis(200));
    assert_ends_in_time(vec![Step::Read, Step::Write(head), drip]).await;
}
