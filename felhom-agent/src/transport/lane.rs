//! A lane: one HTTP/1.1 connection, and one request on it at a time, and how both are written and read.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::ext::ReasonPhrase;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderValue,
    TRANSFER_ENCODING, USER_AGENT,
};
use hyper::{Method, Uri};
use proxmox_api::{Request, Response, Stage, TransportError};
use tokio::task::AbortHandle;
use tokio::time::timeout_at;

use crate::config::Config;
use crate::report::chain;
use crate::report::finding::Found;
use crate::tls::unusable;

/// How long a connection is kept without a request; pveproxy closes it after 5 s.
const KEPT: Duration = Duration::from_secs(2);

/// How long a connection may take to be ready for the next request once its answer is complete. It takes longer only if
/// the server answered without reading the whole request.
const SETTLING: Duration = Duration::from_millis(100);

/// One connection. Dropping it closes it.
pub(super) struct Lane {
    sender: SendRequest<RequestBody>,
    task: AbortHandle,
    idle_since: Instant,
}

/// Why a lane gave no answer.
pub(super) enum Unanswered {
    /// No byte of the message was written, so it may go out elsewhere.
    Unwritten(Box<Message>),
    /// The connection ended, or time did, and nobody knows what the server did.
    Unknown(String),
}

impl Unanswered {
    pub(super) fn into_error(self) -> TransportError {
        match self {
            Self::Unwritten(_) => TransportError::NotSent {
                stage: Stage::Connect,
                reason: "the connection closed before the request was written".into(),
            },
            Self::Unknown(reason) => TransportError::Unknown { reason },
        }
    }
}

impl Lane {
    pub(super) fn new(sender: SendRequest<RequestBody>, task: AbortHandle) -> Self {
        Self { sender, task, idle_since: Instant::now() }
    }

    /// Whether it can be expected to take another request.
    pub(super) fn is_fresh(&self) -> bool {
        self.idle_since.elapsed() < KEPT && self.sender.is_ready()
    }

    /// Sends a message and reads the whole answer.
    pub(super) async fn send(
        &mut self,
        message: Message,
        deadline: Instant,
    ) -> Result<WholeAnswer, Unanswered> {
        let exchange = async {
            let sent = self.sender.try_send_request(message).await;
            match sent {
                Ok(response) => read(response).await.map_err(Unanswered::Unknown),
                Err(mut error) => Err(match error.take_message() {
                    Some(message) => Unanswered::Unwritten(Box::new(message)),
                    None => Unanswered::Unknown(chain(&error.into_error())),
                }),
            }
        };
        match timeout_at(deadline.into(), exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(Unanswered::Unknown("nothing more came in time".into())),
        }
    }

    /// Waits a moment until the connection can take another request; false if it cannot, or closes instead.
    pub(super) async fn settle(&mut self, deadline: Instant) -> bool {
        let limit = deadline.min(Instant::now() + SETTLING);
        let is_ready = self.sender.is_ready()
            || matches!(timeout_at(limit.into(), self.sender.ready()).await, Ok(Ok(())));
        self.idle_since = Instant::now();
        is_ready
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Largest body that is read, in bytes.
const MOST: usize = 64 << 20;

/// The body of a request: complete, so that it has a length and is never chunked, which PVE refuses.
type RequestBody = Full<Bytes>;

/// A request as it is written.
pub(super) type Message = hyper::Request<RequestBody>;

/// Where the API is.
const ROOT: &str = "/api2/json";

/// Headers that every request has.
pub(super) struct RequestHead {
    headers: HeaderMap,
}

/// A whole answer.
pub(super) struct WholeAnswer {
    pub(super) response: Response,
    /// Whether the server says that it closes the connection.
    pub(super) closes: bool,
    /// Size of the body in bytes.
    pub(super) size: u64,
}

impl RequestHead {
    pub(super) fn new(config: &Config) -> Found<Self> {
        let (url, token) = (&config.url, &config.token);
        let unusable = |what| unusable(config, &format!("{what} cannot stand in a header"));
        let host = format!("{}:{}", url.host, url.port);
        let host = HeaderValue::try_from(host).map_err(|_| unusable("the host"))?;
        let text = format!("PVEAPIToken={}={}", token.id(), token.secret().expose());
        let mut authorization = HeaderValue::try_from(text).map_err(|_| unusable("the token"))?;
        authorization.set_sensitive(true);
        let agent = HeaderValue::from_static(concat!("felhom-agent/", env!("CARGO_PKG_VERSION")));
        let headers = [(HOST, host), (AUTHORIZATION, authorization), (USER_AGENT, agent)];
        Ok(Self { headers: headers.into_iter().collect() })
    }

    /// Writes a request: parameters of GET and DELETE in the query, of POST and PUT in a form body.
    pub(super) fn message(&self, request: &Request) -> Result<Message, TransportError> {
        let parameters = request.encoded_parameters();
        let (query, form) =
            if request.method.has_body() { (String::new(), Some(parameters)) } else { (parameters, None) };
        let uri = target(&request.path, &query)?;
        let mut headers = self.headers.clone();
        if let Some(form) = &form {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            // hyper leaves it out where there is nothing, and a proxy may insist on it.
            headers.insert(CONTENT_LENGTH, form.len().into());
        }
        let mut message = Message::new(Full::new(Bytes::from(form.unwrap_or_default())));
        *message.method_mut() = method(request.method);
        *message.uri_mut() = uri;
        *message.headers_mut() = headers;
        Ok(message)
    }
}

const fn method(method: proxmox_api::Method) -> Method {
    match method {
        proxmox_api::Method::Get => Method::GET,
        proxmox_api::Method::Post => Method::POST,
        proxmox_api::Method::Put => Method::PUT,
        proxmox_api::Method::Delete => Method::DELETE,
    }
}

/// What stands in the first line of a request.
fn target(path: &str, query: &str) -> Result<Uri, TransportError> {
    let mark = if query.is_empty() { "" } else { "?" };
    let target = [ROOT, path, mark, query].concat();
    Uri::try_from(target)
        .map_err(|error| TransportError::NotSent { stage: Stage::Build, reason: error.to_string() })
}

/// Reads an answer to its end.
async fn read(response: hyper::Response<Incoming>) -> Result<WholeAnswer, String> {
    let (parts, body) = response.into_parts();
    let phrase =
        parts.extensions.get::<ReasonPhrase>().map(|phrase| String::from_utf8_lossy(phrase.as_bytes()));
    let reason = phrase.filter(|phrase| !phrase.is_empty()).map(std::borrow::Cow::into_owned);
    let canonical = || parts.status.canonical_reason().unwrap_or_default().to_string();
    let date = parts.headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    let closes = parts.headers.get_all(CONNECTION).iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|text| text.split(',').any(|token| token.trim().eq_ignore_ascii_case("close")))
    });
    let has_end = [CONTENT_LENGTH, TRANSFER_ENCODING].iter().any(|name| parts.headers.contains_key(name));
    let bytes = collect(body, parts.status.as_u16() >= 400 && !has_end).await?;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let response = Response {
        status: parts.status.as_u16(),
        reason: reason.unwrap_or_else(canonical),
        date: date.and_then(|date| Some(date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())),
        body: bytes.into(),
    };
    Ok(WholeAnswer { response, closes, size })
}

/// Reads a body to its end.
///
/// pveproxy ends a connection with a bare FIN and says nothing in TLS. So a body that only the end of the connection
/// delimits may break off: a 401 and a 595 have such a body, an empty one, and their status says all there is to know.
/// Source: pve-http-server `PVE/APIServer/AnyEvent.pm`, `response` and `client_do_disconnect`.
async fn collect(mut body: Incoming, may_break_off: bool) -> Result<Vec<u8>, String> {
    let too_large = || format!("the body is larger than {MOST} bytes");
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > MOST {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Err(_) if may_break_off => break,
            frame => frame.map_err(|error| chain(&error))?,
        };
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > MOST {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
