//! A call: one request with what its answer decodes to. Lazy, a value until it is awaited.

#[cfg(feature = "sim")]
pub(crate) mod made;
mod pages;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::future::IntoFuture;
use core::marker::PhantomData;

use proxmox_types::{Rows, Secret, Unread, Upid};
use serde::Serialize;

pub use self::pages::{Paged, Pages};
use crate::decode::{self, Decoder};
use crate::endpoint::Endpoint;
use crate::error::{Error, RefusedSnafu};
use crate::request::Encoded;
use crate::{BoxFuture, Change, Client, Page, Parameter, Request};

/// One call of the API. It does nothing until it is awaited or run, so it can be looked at, compared and logged before.
///
/// [`Call::run`] is the way to change something. Awaiting the call sends one request, once, and returns the plain answer.
/// A call that cannot be written, such as a backup of no guest, is not sent at all.
/// `P` holds the optional parameters, which [`Call::with`] takes; a call that has none takes none.
#[must_use = "a call does nothing until it is run or awaited"]
pub struct Call<'a, T, P = ()> {
    client: &'a Client,
    endpoint: &'static Endpoint,
    request: Request,
    /// Why the parameters cannot be written.
    fault: Option<String>,
    decoder: Decoder<T>,
    /// The worker that an answer names.
    upid: fn(&T) -> Option<&Upid>,
    optional: PhantomData<fn(P)>,
}

impl<'a, T, P> Call<'a, T, P> {
    pub(crate) fn new(client: &'a Client, endpoint: &'static Endpoint, decoder: Decoder<T>) -> Self {
        let request = Request {
            method: endpoint.method,
            path: roomy(endpoint.path),
            parameters: Vec::new(),
            time_limit: endpoint.pace.time_limit(),
        };
        Self { client, endpoint, request, fault: None, decoder, upid: |_| None, optional: PhantomData }
    }

    /// The same call with the variables of its path filled in, in order; what is left over is not in the path.
    pub(crate) fn at(mut self, variables: &[&dyn fmt::Display]) -> Self {
        fill(&mut self.request.path, self.endpoint.path, variables);
        self
    }

    /// The same call, whose answer is read so.
    pub(crate) fn reading<R>(self, decoder: Decoder<R>) -> Call<'a, R, P> {
        let Self { client, endpoint, request, fault, .. } = self;
        Call { client, endpoint, request, fault, decoder, upid: |_| None, optional: PhantomData }
    }

    /// A read at a path that is already filled in.
    pub(crate) fn read(
        client: &'a Client,
        endpoint: &'static Endpoint,
        path: &str,
        decoder: Decoder<T>,
    ) -> Self {
        let call = Self::new(client, endpoint, decoder);
        Self { request: Request { path: path.into(), ..call.request }, ..call }
    }

    /// The same call once more.
    fn again(&self) -> Self {
        let Self { client, endpoint, decoder, upid, .. } = *self;
        Self {
            request: self.request.clone(),
            fault: self.fault.clone(),
            client,
            endpoint,
            decoder,
            upid,
            optional: PhantomData,
        }
    }

    pub(crate) const fn client(&self) -> &'a Client {
        self.client
    }

    /// Adds optional parameters, once: `ct.stop().with(StopParams { .. })`.
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// ct.start().run().await?;
    /// let quickly = types::params::ShutdownParams { timeout: Some(30), ..Default::default() };
    /// ct.shutdown().with(quickly).run().await?;
    /// # Ok(()) });
    /// ```
    pub fn with(self, parameters: P) -> Call<'a, T>
    where
        P: Serialize,
    {
        let Self { client, endpoint, request, fault, decoder, upid, .. } = self.fields(&parameters);
        Call { client, endpoint, request, fault, decoder, upid, optional: PhantomData }
    }

    /// Adds the fields of a parameter struct.
    pub(crate) fn fields(mut self, parameters: &impl Serialize) -> Self {
        match crate::request::parameters(parameters) {
            Ok(parameters) => self.request.parameters.extend(parameters),
            Err(error) => self.fault = Some(error.to_string()),
        }
        self
    }

    /// Adds one parameter.
    pub(crate) fn parameter(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.request.parameters.push(Parameter::plain(name, value));
        self
    }

    /// Adds one parameter if there is a value for it.
    pub(crate) fn optional(self, name: &'static str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.parameter(name, value),
            None => self,
        }
    }

    /// Adds a parameter that is never printed.
    pub(crate) fn secret(mut self, name: &'static str, value: Option<&Secret>) -> Self {
        self.request.parameters.extend(value.map(|secret| Parameter::secret(name, secret.clone())));
        self
    }

    /// The request that awaiting this call sends.
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// assert_eq!(ct.start().request().line(), "POST /nodes/pve1/lxc/300/status/start");
    /// # Ok(()) });
    /// ```
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// The row of the endpoint table.
    pub const fn endpoint(&self) -> &'static Endpoint {
        self.endpoint
    }

    async fn answer(self) -> Result<T, Error> {
        if let Some(reason) = self.fault {
            return RefusedSnafu { request: self.request.line(), reason }.fail();
        }
        let response = self.client.exchange(&self.request).await?;
        let value = decode::answer(self.client, self.endpoint, &self.request, &response, self.decoder)?;
        if let Some(upid) = (self.upid)(&value) {
            self.client.remember(upid);
        }
        Ok(value)
    }
}

impl<T: Change, P> Call<'_, T, P> {
    /// The same call, whose worker is remembered as one of this client.
    pub(crate) fn changing(self) -> Self {
        Self { upid: T::upid, ..self }
    }
}

impl<T, P> Call<'_, Rows<T>, P> {
    /// Reads the rows; one that could not be read and matters is an error.
    ///
    /// For callers who conclude something from the absence of a row.
    pub async fn unless_unread(self, matters: impl Fn(&Unread) -> bool) -> Result<Rows<T>, Error> {
        let request = self.request.line();
        let rows = self.answer().await?;
        decode::insist(request, &rows, matters).map(|()| rows)
    }
}

impl<T, P> Call<'_, Page<T>, P> {
    /// Reads the rows; one that could not be read and matters is an error.
    ///
    /// For callers who conclude something from the absence of a row.
    pub async fn unless_unread(self, matters: impl Fn(&Unread) -> bool) -> Result<Page<T>, Error> {
        let request = self.request.line();
        let page = self.answer().await?;
        decode::insist(request, &page.rows, matters).map(|()| page)
    }
}

impl<'a, T: Send + 'a, P: 'a> IntoFuture for Call<'a, T, P> {
    type Output = Result<T, Error>;
    type IntoFuture = BoxFuture<'a, Result<T, Error>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.answer())
    }
}

impl<T, P> fmt::Debug for Call<'_, T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", self.request)
    }
}

/// Room for a variable in a path; a longer one makes the path grow.
const ROOM: usize = 48;

/// A path template as it is, with room for its variables.
fn roomy(template: &str) -> String {
    let variables = template.bytes().filter(|byte| *byte == b'{').count();
    let mut path = String::with_capacity(template.len() + variables * ROOM);
    path.push_str(template);
    path
}

/// Writes a path template with its variables filled in, in order, percent-encoded.
fn fill(path: &mut String, template: &str, variables: &[&dyn fmt::Display]) {
    path.clear();
    let mut variables = variables.iter();
    let mut rest = template;
    while let Some((before, variable)) = rest.split_once('{') {
        path.push_str(before);
        if let Some(value) = variables.next() {
            // A text takes whatever is written to it.
            let _written = write!(Encoded(path), "{value}");
        }
        rest = variable.split_once('}').map_or("", |(_, rest)| rest);
    }
    path.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_variables_are_encoded_as_whole_segments() {
        let template = "/nodes/{node}/storage/{storage}/content/{volume}/x";
        let mut path = roomy(template);
        assert_eq!(path, template);
        fill(&mut path, template, &[&"pve1", &"local", &"local:iso/a b.iso"]);
        assert_eq!(path, "/nodes/pve1/storage/local/content/local%3Aiso%2Fa%20b.iso/x");
        fill(&mut path, template, &[&"pve1"]);
        assert_eq!(path, "/nodes/pve1/storage//content//x");
    }
}
