//! Many callers and a slow server: who goes first, and who is told in time that nothing was sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use felhom_agent::transport::HyperTransport;
use proxmox_api::{HttpTransport, Method, Response, Stage, TransportError};

use crate::agent::{TOKEN, limited, ok, trusting};
use crate::faultd::{Faultd, Step};

/// How long the server takes for an answer.
const SERVICE: Duration = Duration::from_millis(20);

/// The time limit of every call, in milliseconds.
const LIMIT: u64 = 1500;

async fn slow() -> Faultd {
    let served = vec![Step::Read, Step::Pause(SERVICE), Step::Write(ok())];
    Faultd::node(vec![vec![served; 200].concat()]).await
}

/// Sends 200 requests at once, of which every fifth changes something, and says how each ended and after how long.
async fn crowd(transport: HyperTransport) -> Vec<(Result<Response, TransportError>, Duration)> {
    let transport = Arc::new(transport);
    let start = Instant::now();
    let callers: Vec<_> = (0..200)
        .map(|number| {
            let method = if number % 5 == 0 { Method::Post } else { Method::Get };
            let transport = transport.clone();
            tokio::spawn(async move { (transport.send(limited(method, LIMIT)).await, start.elapsed()) })
        })
        .collect();
    let mut ended = Vec::new();
    for caller in callers {
        ended.push(caller.await.unwrap());
    }
    ended
}

/// The methods of the requests on each connection, in order.
fn methods(server: &Faultd) -> Vec<String> {
    let lines = |seen: &[u8]| String::from_utf8_lossy(seen).into_owned();
    let is_head = |line: &&str| line.ends_with(" HTTP/1.1");
    let first = |line: &str| line.chars().find(char::is_ascii_uppercase);
    let seen = server.seen();
    // The line of a request may stand behind the body of the one before.
    let method = |line: &str| first(line.trim_start_matches("snapname=before"));
    seen.iter()
        .map(|seen| lines(&seen.received).lines().filter(is_head).filter_map(method).collect())
        .collect()
}

#[tokio::test]
async fn two_hundred_callers_of_a_slow_server_are_served_and_changes_go_first() {
    let server = slow().await;
    let ended = crowd(trusting(&server)).await;
    assert!(ended.iter().all(|(answer, _)| answer.is_ok()));
    let methods = methods(&server);
    assert_eq!((methods.len(), methods.concat().len()), (3, 200), "{methods:?}");
    for sequence in methods {
        // What was first on a lane came when there was no queue.
        let waited: String = sequence.chars().skip(1).collect();
        assert!(waited.trim_start_matches('P').chars().all(|method| method == 'G'), "{sequence}");
    }
}

#[tokio::test]
async fn whoever_gets_no_lane_in_time_was_not_sent_and_nothing_ends_as_unknown() {
    let (server, limit) = (slow().await, Duration::from_millis(250));
    let ended = crowd(trusting(&server).with_queue_limit(limit)).await;
    let (mut sent, mut not_sent) = (0, 0);
    for (answer, took) in ended {
        assert!(took < limit + Duration::from_millis(LIMIT), "{took:?}");
        match answer {
            Ok(_) => sent += 1,
            Err(TransportError::NotSent { stage: Stage::Queue, reason }) => {
                assert_eq!(reason, "all 3 were in use for 0.25 s");
                not_sent += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(sent >= 3 && not_sent > 100, "{sent} sent, {not_sent} not");
    assert_eq!(server.requests().iter().sum::<usize>(), sent);
    let received = server.seen().iter().map(|seen| seen.received.clone()).collect::<Vec<_>>().concat();
    assert_eq!(String::from_utf8_lossy(&received).matches(TOKEN).count(), sent);
}
