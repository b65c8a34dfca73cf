//! What goes out: these bytes and no others, to this server and no other.

use proxmox_api::{HttpTransport, Method, Parameter, Request, Stage};
use proxmox_types::Secret;

use crate::agent::{TOKEN, get, not_sent, request, trusting};
use crate::answers::{ok, with_headers};
use crate::faultd::{Faultd, Step};

/// The bytes of one request, with the port left out.
async fn written(request: Request) -> String {
    let server = Faultd::node(vec![vec![Step::Serve(ok(), 1), Step::Drain]]).await;
    let transport = trusting(&server);
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
async fn reads_and_removals_carry_their_parameters_in_the_query() {
    for method in [Method::Get, Method::Delete] {
        let request = Request { parameters: nasty(), ..request(method) };
        let line = format!("{method} /api2/json/nodes/pve1/lxc/101/snapshot?{ENCODED}");
        assert_eq!(written(request).await, head(&line, ""));
    }
}

#[tokio::test]
async fn changes_carry_their_parameters_in_a_form_of_known_length() {
    let headers =
        format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n", ENCODED.len());
    for method in [Method::Post, Method::Put] {
        let request = Request { parameters: nasty(), ..request(method) };
        let line = format!("{method} /api2/json/nodes/pve1/lxc/101/snapshot");
        assert_eq!(written(request).await, head(&line, &headers) + ENCODED);
    }
}

#[tokio::test]
async fn requests_without_parameters_have_neither_a_query_nor_a_body() {
    for method in [Method::Get, Method::Delete] {
        let request = Request { parameters: vec![], ..request(method) };
        let line = format!("{method} /api2/json/nodes/pve1/lxc/101/snapshot");
        assert_eq!(written(request).await, head(&line, ""));
    }
    let request = Request { parameters: vec![], ..request(Method::Post) };
    let headers = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 0\r\n";
    assert_eq!(written(request).await, head("POST /api2/json/nodes/pve1/lxc/101/snapshot", headers));
}

#[tokio::test]
async fn a_large_form_is_written_whole_and_never_in_chunks() {
    let text = "ä".repeat(50_000);
    let request = Request { parameters: vec![Parameter::plain("notes", &text)], ..request(Method::Post) };
    let written = written(request).await;
    let (head, body) = written.split_once("\r\n\r\n").unwrap();
    assert!(head.ends_with("content-length: 300006"), "{head}");
    assert_eq!(body, format!("notes={}", "%C3%A4".repeat(50_000)));
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
        let server = Faultd::node(vec![vec![Step::Serve(redirect, 1), Step::Drain]]).await;
        let response = get(&trusting(&server)).await.unwrap();
        assert_eq!(status, format!("{} {}", response.status, response.reason));
        assert_eq!((server.requests(), elsewhere.seen()), (vec![1], vec![]));
    }
}
