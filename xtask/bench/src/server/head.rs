//! The heads of requests and answers, as far as a benchmark needs them.

use std::time::SystemTime;

use super::world::Answer;
use crate::Res;

/// Target and length of a complete head; nothing if it is not complete. A request without a token is refused.
pub(super) fn read(buffer: &[u8]) -> Res<Option<(String, usize)>> {
    let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&buffer[..end])?;
    let mut lines = head.split("\r\n");
    let target = lines.next().and_then(|line| line.strip_prefix("GET ")).ok_or("not a GET")?;
    let target = target.strip_suffix(" HTTP/1.1").ok_or("not HTTP/1.1")?;
    let is_token =
        |line: &str| line.get(..15).is_some_and(|name| name.eq_ignore_ascii_case("authorization: "));
    if !lines.any(|line| is_token(line) && line[15..].starts_with("PVEAPIToken=")) {
        return Err("a request without a token".into());
    }
    Ok(Some((target.to_owned(), end + 4)))
}

/// The head of an answer, with the headers of pveproxy.
pub(super) fn write(answer: &Answer, closes: bool) -> String {
    // An answer that pvedaemon formed carries both.
    let connection = if closes { "close\r\nConnection: Keep-Alive" } else { "Keep-Alive" };
    let date = httpdate::fmt_http_date(SystemTime::now());
    format!(
        "HTTP/1.1 {} {}\r\nCache-Control: max-age=0\r\nConnection: {connection}\r\nDate: {date}\r\n\
         Pragma: no-cache\r\nServer: pve-api-daemon/3.0\r\nContent-Length: {}\r\n\
         Content-Type: application/json;charset=UTF-8\r\nExpires: {date}\r\n\r\n",
        answer.status,
        answer.reason,
        answer.body.len(),
    )
}
