//! Connections in and between requests: cut off, kept, closed by either side, shared, and abandoned. Nothing is sent twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use felhom_agent::transport::HyperTransport;
use proxmox_api::{HttpTransport, Method, Parameter, Request, Response};
use tokio::task::JoinSet;

use crate::agent::{
    METHODS, VERSION, answer, get, limited, node, ok, request, trusting, unknown, with_headers,
};
use crate::faultd::{Faultd, Step, ends};

/// Sends so many requests at once, and waits until the three connections have one each.
async fn crowd(
    server: &Faultd,
    transport: &Arc<HyperTransport>,
    count: usize,
    limit: u64,
) -> JoinSet<Option<Response>> {
    let mut requests = JoinSet::new();
    for _ in 0..count {
        let transport = transport.clone();
        requests.spawn(async move { transport.send(limited(Method::Get, limit)).await.ok() });
    }
    server.until(|seen| seen.iter().map(|seen| seen.requests).sum::<usize>() == 3).await;
    requests
}

/// Answers on and on.
fn willing() -> Vec<Step> {
    vec![Step::Serve(ok(), usize::MAX)]
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request_and_closed_with_the_transport() {
    let (server, transport) = node(vec![willing()]).await;
    for method in METHODS {
        assert!(transport.send(request(method)).await.is_ok(), "{method}");
    }
    assert_eq!(server.requests(), [4]);
    drop(transport);
    server.until_over(1).await;
}

/// Every way in which a server goes away, with every method of the request that meets it.
fn meetings() -> impl Iterator<Item = (Vec<Step>, Method)> {
    ends().into_iter().flat_map(|end| METHODS.map(|method| (end.clone(), method)))
}

/// The server goes away between two requests.
async fn going(end: Vec<Step>) -> Faultd {
    Faultd::node(vec![[vec![Step::Serve(ok(), 1), Step::Gate], end].concat(), willing()]).await
}

#[test]
fn a_request_after_the_server_has_closed_goes_out_once_on_a_new_connection_however_busy_the_program_was() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (end, method) in meetings() {
        for is_busy in [true, false] {
            // While the runtime of the server runs, that of the client polls no socket.
            let (servers, clients) = (runtime(), runtime());
            let server = servers.block_on(going(end.clone()));
            let (stop, is_stopped) = tokio::sync::oneshot::channel::<()>();
            std::thread::scope(|scope| {
                scope.spawn(|| servers.block_on(is_stopped));
                let transport = trusting(&server);
                clients.block_on(get(&transport)).unwrap();
                server.open(1);
                let waiting = if is_busy { &runtime() } else { &clients };
                waiting.block_on(server.until_over(1));
                let answer = clients.block_on(transport.send(request(method)));
                assert!(answer.is_ok(), "{method}: {answer:?}");
                assert_eq!(server.requests(), [1, 1], "{method}");
                drop(stop);
            });
        }
    }
}

#[tokio::test]
async fn an_answer_that_announces_the_end_is_the_last_on_its_connection() {
    let headers = [
        "Connection: close\r\n",
        "Connection: close\r\nConnection: Keep-Alive\r\n",
        "connection: Keep-Alive, Close\r\n",
    ];
    for connection in headers {
        let headers = format!("{connection}Content-Length: {}\r\n", VERSION.len());
        let announced = vec![Step::Read, Step::Write(with_headers("200 OK", &headers, VERSION)), Step::Drain];
        let (server, transport) = node(vec![announced]).await;
        for _ in 0..2 {
            get(&transport).await.unwrap();
        }
        assert_eq!(server.requests(), [1, 1], "{connection}");
        // The client does not wait for the server to do as it says.
        server.until_over(2).await;
    }
}

#[tokio::test]
async fn an_answer_is_handed_over_even_if_the_server_did_not_read_the_request() {
    let refusal = answer("501 for data too large", "");
    let (server, transport) = node(vec![vec![Step::Peek, Step::Write(refusal), Step::Gate]]).await;
    let notes = vec![Parameter::plain("notes", "x".repeat(16 << 20))];
    let start = Instant::now();
    let response = transport.send(Request { parameters: notes, ..request(Method::Post) }).await.unwrap();
    assert_eq!((response.status, response.reason.as_str()), (501, "for data too large"));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    // The connection is in the middle of a request, so it is closed.
    server.open(1);
    server.until_over(1).await;
}

#[tokio::test]
async fn a_server_that_ends_every_connection_after_a_hundred_requests_is_no_trouble() {
    let (server, transport) = node(vec![vec![Step::Serve(ok(), 100), Step::Close]]).await;
    for number in 1..=250 {
        let answer = transport.send(request(Method::Post)).await;
        assert!(answer.is_ok(), "request {number}: {answer:?}");
    }
    assert_eq!(server.requests(), [100, 100, 50]);
}

#[tokio::test]
async fn twenty_requests_at_once_share_three_connections() {
    let gated = vec![Step::Read, Step::Gate, Step::Write(ok())];
    let server = Faultd::node(vec![vec![gated; 20].concat()]).await;
    let transport = Arc::new(trusting(&server));
    let answers = crowd(&server, &transport, 20, 2000).await;
    server.open(20);
    assert!(answers.join_all().await.iter().all(Option::is_some));
    let requests = server.requests();
    assert_eq!((requests.len(), requests.iter().sum::<usize>()), (3, 20), "{requests:?}");
}

#[tokio::test]
async fn waiting_for_a_free_connection_does_not_use_up_the_time_limit() {
    let scripts = [vec![vec![Step::Read, Step::Drain]; 3], vec![willing()]].concat();
    let (server, transport) = node(scripts).await;
    let transport = Arc::new(transport);
    let _others = crowd(&server, &transport, 3, 800).await;
    let start = Instant::now();
    let answer = transport.send(limited(Method::Post, 300)).await;
    assert!(answer.is_ok() && start.elapsed() > Duration::from_millis(300), "{answer:?}");
}

#[tokio::test]
async fn a_refused_token_is_not_sent_again_even_by_requests_that_wait() {
    let refusal = with_headers("401 Authentication failed!", "Connection: close\r\n", "");
    let script = vec![Step::Read, Step::Gate, Step::Write(refusal), Step::Close];
    let (server, transport) = node(vec![script]).await;
    let transport = Arc::new(transport);
    let answers = crowd(&server, &transport, 20, 2000).await;
    server.open(3);
    let reasons = answers.join_all().await.into_iter().map(|answer| answer.unwrap().reason);
    assert_eq!(reasons.collect::<Vec<_>>(), ["Authentication failed!"; 20]);
    assert_eq!(get(&transport).await.unwrap().status, 401);
    assert_eq!(server.requests(), [1; 3]);
}

#[tokio::test]
async fn a_connection_is_not_used_after_two_idle_seconds() {
    let (server, transport) = node(vec![willing()]).await;
    get(&transport).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    get(&transport).await.unwrap();
    assert_eq!(server.requests(), [1, 1]);
}

#[tokio::test]
async fn an_abandoned_request_closes_its_connection_and_nothing_else() {
    let half = ok()[..60].to_vec();
    let (server, transport) = node(vec![vec![Step::Read, Step::Write(half), Step::Drain], willing()]).await;
    let transport = Arc::new(transport);
    let abandoned = tokio::spawn({
        let transport = transport.clone();
        async move { get(&transport).await.is_ok() }
    });
    server.until(|seen| seen.first().is_some_and(|seen| seen.sent > 0)).await;
    abandoned.abort();
    server.until_over(1).await;
    for method in METHODS {
        transport.send(request(method)).await.unwrap();
    }
    assert_eq!(server.requests(), [1, 4]);
}

#[tokio::test]
async fn abandoned_requests_give_their_places_back() {
    let (server, transport) = node([vec![vec![Step::Read, Step::Drain]; 3], vec![willing()]].concat()).await;
    let transport = Arc::new(transport);
    crowd(&server, &transport, 3, 2000).await.shutdown().await;
    get(&transport).await.unwrap();
    assert_eq!(server.requests(), [1; 4]);
}

#[tokio::test]
async fn a_request_that_was_read_and_not_answered_is_unknown_and_not_repeated() {
    // On a new connection, and on one that was kept.
    for kept in [0, 1] {
        for (end, method) in meetings() {
            let script = [vec![Step::Serve(ok(), kept), Step::Read], end.clone()].concat();
            let (server, transport) = node(vec![script]).await;
            for _ in 0..kept {
                get(&transport).await.unwrap();
            }
            unknown(transport.send(request(method)).await);
            assert_eq!(server.requests(), [kept + 1], "{method} {end:?}");
        }
    }
}
