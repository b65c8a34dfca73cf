//! Any bytes whatsoever from the server end in an answer or an error, in time and without a panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proxmox_api::{HttpTransport, Method, Request};

use crate::agent::{request, trusting, wrapped};
use crate::answers::ok;
use crate::faultd::{Faultd, Step, ends};

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
    let server = Faultd::node(vec![script, vec![Step::Serve(ok(), 1)]]).await;
    let transport = trusting(&server);
    let start = Instant::now();
    let _any = transport.send(Request { time_limit: Duration::from_secs(1), ..request(Method::Post) }).await;
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
