//! Whole messages: the bytes that go out, to this server and no other, and answers, good and bad.

use std::time::Duration;

use proxmox_api::{Error, HttpTransport, Method, Parameter, Request, Response, Stage};
use proxmox_types::Secret;

use crate::agent::{
    METHODS, TOKEN, VERSION, answer, client, get, node, not_sent, ok, request, trusting, with_headers,
};
use crate::faultd::{Faultd, Step};

/// What comes of an answer after which the server goes away as pveproxy does.
async fn response(answer: Vec<u8>) -> Response {
    let (_server, transport) = node(vec![vec![Step::Serve(answer, 1)]]).await;
    get(&transport).await.unwrap()
}

async fn version_error(answer: Vec<u8>) -> Error {
    let server = Faultd::node(vec![vec![Step::Serve(answer, 1)]]).await;
    client(&server).version().await.unwrap_err()
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

/// Status lines, and what is read from them.
fn status_lines() -> Vec<(String, u16, String)> {
    let statuses =
        [200, 202, 204, 304, 400, 403, 404, 500, 501, 502, 503, 504, 506, 595, 596, 597, 598, 599, 999];
    let long = "x".repeat(20 << 10);
    let kept = ["storage 'a|b' is not online", "a\tb", "two  blanks", &long, "100% (50/50); \"q\" <&>"];
    // The text is lost, the answer is not.
    let lost = ["500 Gerät fehlt", "500 \u{1f600}", "500"];
    let every = statuses.map(|status| (format!("{status} Said so"), status, "Said so".into()));
    let kept = kept.map(|reason| (format!("500 {reason}"), 500, reason.into()));
    let lost = lost.map(|line| (line.into(), 500, "Internal Server Error".into()));
    every.into_iter().chain(kept).chain(lost).collect()
}

#[tokio::test]
async fn status_reason_body_and_clock_arrive_as_they_were_sent_as_far_as_http_allows() {
    for (line, status, reason) in status_lines() {
        let body = r#"{"data":null,"message":"CT is locked (backup)\n"}"#;
        let body = if matches!(status, 204 | 304) { "" } else { body };
        let response = response(answer(&line, body)).await;
        let seen = (response.status, response.reason.as_str(), response.body.as_bytes());
        assert_eq!(seen, (status, reason.as_str(), body.as_bytes()));
    }
    // Errors of the gateway have neither a length nor a farewell.
    for line in ["595 Connection refused", "596 Connection timed out", "599 Too many redirections"] {
        let response = response(with_headers(line, "Connection: close\r\n", "")).await;
        assert_eq!(format!("{} {}", response.status, response.reason), line);
    }
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
        ("{\"data\":{\"version\":[9]}}", "data.version"),
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

/// The bytes of one request, with the port left out.
async fn written(request: Request) -> String {
    let (server, transport) = node(vec![vec![Step::Serve(ok(), 1), Step::Drain]]).await;
    transport.send(request).await.unwrap();
    drop(transport);
    let received = server.until_over(1).await[0].received.clone();
    String::from_utf8(received).unwrap().replace(&server.address().to_string(), "HOST")
}

/// A head as it must be: this line, the headers that every request has, and these.
fn head(line: &str, more: &str) -> String {
    let agent = concat!("felhom-agent/", env!("CARGO_PKG_VERSION"));
    format!(
        "{line} HTTP/1.1\r\nhost: HOST\r\nauthorization: PVEAPIToken={TOKEN}\r\nuser-agent: {agent}\r\n{more}\r\n"
    )
}

/// Every kind of byte that could be taken for syntax.
fn nasty() -> Vec<Parameter> {
    vec![
        Parameter::plain("tags", "a;b"),
        Parameter::plain("net0", "name=eth0,ip=dhcp"),
        Parameter::plain("description", "50 % & more +\r\nX: y?#\"<ä>\0"),
        Parameter::secret("password", Secret::new("p&q=r")),
    ]
}

const ENCODED: &str = "tags=a%3Bb&net0=name%3Deth0%2Cip%3Ddhcp\
    &description=50%20%25%20%26%20more%20%2B%0D%0AX%3A%20y%3F%23%22%3C%C3%A4%3E%00&password=p%26q%3Dr";

#[tokio::test]
async fn parameters_stand_in_the_query_of_reads_and_in_the_form_of_changes() {
    for method in METHODS {
        let is_form = matches!(method, Method::Post | Method::Put);
        let count = if is_form { 50_000 } else { 500 };
        // A large form is written whole, and not in chunks.
        let large = ("ä".repeat(count), format!("notes={}", "%C3%A4".repeat(count)));
        let large_parameters = vec![Parameter::plain("notes", &large.0)];
        for (parameters, encoded) in [(nasty(), ENCODED), (vec![], ""), (large_parameters, &large.1)] {
            let query = if is_form || encoded.is_empty() { String::new() } else { format!("?{encoded}") };
            let length = encoded.len();
            let form =
                format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n");
            let (headers, body) = if is_form { (form.as_str(), encoded) } else { ("", "") };
            let line = format!("{method} /api2/json/nodes/pve1/lxc/101/snapshot{query}");
            let written = written(Request { parameters, ..request(method) }).await;
            assert_eq!(written, head(&line, headers) + body);
        }
    }
}

#[tokio::test]
async fn a_path_that_cannot_stand_in_a_request_is_not_sent() {
    let server = Faultd::node(vec![vec![Step::Serve(ok(), 1)]]).await;
    for path in ["/nodes/a b", "/nodes/a HTTP/1.1\r\nX-Forged: 1", "/nodes/\u{e4}\0"] {
        let request = Request { path: path.into(), ..request(Method::Post) };
        assert_eq!(not_sent(trusting(&server).send(request).await).0, Stage::Build, "{path}");
    }
    assert_eq!(server.seen(), []);
}

#[tokio::test]
async fn redirects_are_answers_and_are_not_followed() {
    let elsewhere = Faultd::node(vec![vec![Step::Serve(ok(), 1)]]).await;
    let location =
        format!("Location: https://{}/api2/json/version\r\nContent-Length: 0\r\n", elsewhere.address());
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let redirect = with_headers(status, &location, "");
        let (server, transport) = node(vec![vec![Step::Serve(redirect, 1), Step::Drain]]).await;
        let response = get(&transport).await.unwrap();
        assert_eq!(status, format!("{} {}", response.status, response.reason));
        assert_eq!((server.requests(), elsewhere.seen()), (vec![1], vec![]));
    }
}
