//! Answers as pveproxy forms them.

/// A body that `GET /version` can have.
pub(crate) const VERSION: &str = r#"{"data":{"version":"9.2.11","release":"9.2","repoid":"1a2b3c4d"}}"#;

/// An answer with this status line and body.
pub(crate) fn answer(status: &str, body: &str) -> Vec<u8> {
    with_headers(status, &format!("Content-Length: {}\r\n", body.len()), body)
}

/// An answer with these headers.
pub(crate) fn with_headers(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nServer: pve-api-daemon/3.0\r\n{headers}\r\n{body}").into_bytes()
}

/// A good answer.
pub(crate) fn ok() -> Vec<u8> {
    answer("200 OK", VERSION)
}
