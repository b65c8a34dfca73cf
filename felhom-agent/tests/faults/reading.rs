//! Whole answers, good and bad: statuses, reason phrases and bodies.

use std::time::Duration;

use proxmox_api::error::{Cause, Denied};
use proxmox_api::{Client, Error, HttpTransport, Method, Response};
use proxmox_types::{NodeName, SnapshotName, Vmid};

use crate::agent::{TOKEN, client, get, request, trusting};
use crate::answers::{VERSION, answer, ok, with_headers};
use crate::faultd::{Faultd, Step};

/// A client of a server that answers every request with this and then goes away as pveproxy does.
async fn client_of(answer: Vec<u8>) -> (Faultd, Client) {
    let server = Faultd::node(vec![vec![Step::Serve(answer, 1)]]).await;
    let client = client(&server);
    (server, client)
}

async fn response(answer: Vec<u8>) -> Response {
    let server = Faultd::node(vec![vec![Step::Serve(answer, 1)]]).await;
    get(&trusting(&server)).await.unwrap()
}

async fn version_error(answer: Vec<u8>) -> Error {
    let (_server, client) = client_of(answer).await;
    client.version().await.unwrap_err()
}

#[tokio::test]
async fn a_refused_token_has_a_reason_and_nothing_else() {
    // pveproxy ends these with a bare TCP FIN; others say farewell in TLS first.
    for end in [vec![], vec![Step::Close]] {
        for reason in ["No ticket", "Authentication failed!", "Unauthorized"] {
            let refusal = with_headers(&format!("401 {reason}"), "Connection: close\r\n", "");
            let script = [vec![Step::Serve(refusal, 1)], end.clone()].concat();
            let server = Faultd::node(vec![script]).await;
            let error = client(&server).version().await.unwrap_err();
            assert!(error.is_unauthorized(), "{error}");
            assert_eq!(error.to_string(), format!("GET /version: the server refused the token: {reason}"));
            assert_eq!(server.requests(), [1], "a 401 takes 3 s each");
        }
    }
}

#[tokio::test]
async fn a_missing_privilege_is_read_from_the_reason_phrase() {
    let cases = [
        ("Permission check failed (/vms/101, VM.Snapshot)", &["VM.Snapshot"][..]),
        (
            "Permission check failed (/vms/101, VM.Snapshot|VM.Snapshot.Rollback)",
            &["VM.Snapshot", "VM.Snapshot.Rollback"],
        ),
    ];
    for (reason, privileges) in cases {
        let error = version_error(answer(&format!("403 {reason}"), "{\"data\":null}")).await;
        let denied = Denied {
            path: Some("/vms/101".into()),
            privileges: privileges.iter().map(ToString::to_string).collect(),
            any: privileges.len() > 1,
            ..Denied::default()
        };
        assert_eq!(error.denied(), Some(&denied));
    }
}

#[tokio::test]
async fn a_message_in_the_body_wins_over_the_reason_phrase() {
    let body = r#"{"data":null,"message":"CT is locked (backup)\n"}"#;
    let error = version_error(answer("500 CT is ", body)).await;
    assert_eq!(error.cause(), Some(&Cause::Locked { by: "backup".into() }));
    let body = r#"{"data":null,"message":"Parameter verification failed.\n","errors":{"vmid":"too small"}}"#;
    let error = version_error(answer("400 Parameter verification failed.", body)).await;
    assert_eq!(
        error.cause(),
        Some(&Cause::Parameters { fields: [("vmid".into(), "too small".into())].into() })
    );
}

#[tokio::test]
async fn reason_phrases_are_kept_as_far_as_http_allows() {
    let long = "x".repeat(20 << 10);
    let kept = ["storage 'a|b' is not online", "a\tb", "two  blanks", &long, "100% (50/50); \"q\" <&>"];
    for reason in kept {
        let response = response(answer(&format!("500 {reason}"), "")).await;
        assert_eq!((response.status, response.reason.as_str()), (500, reason));
    }
    // The text is lost, the answer is not.
    for reason in ["Gerät fehlt", "\u{1f600}"] {
        let response = response(answer(&format!("500 {reason}"), "")).await;
        assert_eq!((response.status, response.reason.as_str()), (500, "Internal Server Error"));
    }
    let response = response(answer("500", "")).await;
    assert_eq!((response.status, response.reason.as_str()), (500, "Internal Server Error"));
}

#[tokio::test]
async fn every_status_arrives_as_it_was_sent() {
    for status in
        [200, 202, 204, 304, 400, 403, 404, 500, 501, 502, 503, 504, 506, 595, 596, 597, 598, 599, 999]
    {
        let response = response(answer(&format!("{status} Said so"), "")).await;
        assert_eq!((response.status, response.reason.as_str()), (status, "Said so"));
    }
}

#[tokio::test]
async fn errors_of_the_gateway_need_neither_a_length_nor_a_farewell() {
    for (status, reason) in
        [(595, "Connection refused"), (596, "Connection timed out"), (599, "Too many redirections")]
    {
        let error =
            version_error(with_headers(&format!("{status} {reason}"), "Connection: close\r\n", "")).await;
        assert_eq!(error.cause(), Some(&Cause::Gateway { status, reason: reason.into() }));
        assert!(error.may_have_happened());
    }
}

#[tokio::test]
async fn the_servers_clock_is_kept_if_it_is_one() {
    for (date, kept) in [("Tue, 24 Nov 2026 05:53:33 GMT", Some(1_795_499_613)), ("yesterday", None)] {
        let headers = format!("Date: {date}\r\nContent-Length: 0\r\n");
        assert_eq!(response(with_headers("200 OK", &headers, "")).await.date, kept);
    }
}

#[tokio::test]
async fn a_body_that_is_not_the_endpoints_is_a_decode_error_with_its_place() {
    let cases = [
        ("", "."),
        ("<html><body>Bad Gateway</body></html>", "."),
        ("{\"data\":", "."),
        ("{}", "."),
        ("[]", "."),
        ("null", "."),
        ("{\"data\":null}", "data"),
        ("{\"data\":[]}", "data"),
        ("{\"data\":{\"version\":9}}", "data.version"),
        ("\u{feff}{\"data\":{}}", "."),
        ("{\"data\":{\"version\":\"9\",\"release\":\"9\",\"repoid\":\"\\ud800\"}}", "."),
    ];
    for (body, place) in cases {
        match version_error(answer("200 OK", body)).await {
            Error::Decode { path, .. } => assert_eq!(&*path, place, "{body}"),
            other => panic!("{body}: {other}"),
        }
    }
    let deep = format!("{{\"data\":{}", "[".repeat(1 << 20));
    assert!(matches!(version_error(answer("200 OK", &deep)).await, Error::Decode { .. }));
}

#[tokio::test]
async fn nothing_is_an_answer_for_calls_that_return_nothing() {
    let (_server, client) = client_of(answer("200 OK", "{\"data\":null}")).await;
    let (node, name): (NodeName, SnapshotName) = ("pve1".parse().unwrap(), "before".parse().unwrap());
    let vmid: Vmid = "101".parse().unwrap();
    let params = proxmox_types::params::SnapshotConfigParams::default();
    client.node(&node).lxc(vmid).snapshot(&name).set_config(&params).await.unwrap();
}

#[tokio::test]
async fn bodies_may_come_in_chunks_and_in_pieces() {
    let chunks = VERSION.chars().map(|byte| format!("1\r\n{byte}\r\n")).collect::<Vec<_>>().concat();
    let chunked = with_headers(
        "200 OK",
        "Transfer-Encoding: chunked\r\n",
        &format!("{chunks}0\r\nX-Trailer: 1\r\n\r\n"),
    );
    let server = Faultd::node(vec![vec![
        Step::Serve(chunked, 1),
        Step::Read,
        Step::Drip(ok(), Duration::from_micros(1)),
        Step::Serve(ok(), 1),
    ]])
    .await;
    let transport = trusting(&server);
    for _ in 0..3 {
        let response = transport.send(request(Method::Get)).await.unwrap();
        assert_eq!(response.body.as_bytes(), VERSION.as_bytes());
    }
    assert_eq!(server.requests(), [3]);
}

#[tokio::test]
async fn a_token_that_is_echoed_is_shown_nowhere() {
    let header = format!("PVEAPIToken={TOKEN}");
    let secret = TOKEN.rsplit_once('=').unwrap().1;
    let percent = secret.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    for echo in
        [header.clone(), secret.to_uppercase(), percent, header.replace('=', "%3D").replace('-', "\\u002d")]
    {
        for response in [
            answer(&format!("500 {echo}"), ""),
            answer("400 no", &format!(r#"{{"message":"{echo}","errors":{{"{echo}":"{echo}"}}}}"#)),
            answer("401 no", &echo),
            answer("403 no", &echo),
            answer(
                "200 OK",
                &format!(r#"{{"data":{{"version":["{echo}"],"{echo}":1,"release":"9","repoid":"x"}}}}"#),
            ),
            answer("200 OK", &format!(r#"{{"data":"{echo}"}}"#)),
            answer(&format!("302 {echo}"), &format!("<a href=\"{echo}\">")),
        ] {
            let error = version_error(response).await;
            let printed = format!("{error} {error:?}").to_lowercase();
            assert!(!printed.contains(secret) && !printed.contains("12345678"), "{printed}");
        }
    }
}
