//! Calls of whatever endpoint, made of names and JSON: for tests that go through all of them.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::{Debug, Display};
use core::future::IntoFuture;
use core::pin::pin;
use core::str::FromStr;
use core::task::{Context, Poll, Waker};

use proxmox_types::lenient::{from_value, strictly};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Call;
use crate::{BoxFuture, Change, Client, Error, Request, Started};

/// What a call is made of.
#[derive(Clone, Debug)]
pub struct Given {
    /// The variables of the path.
    pub place: BTreeMap<String, String>,
    /// The parameters.
    pub parameters: Map<String, Value>,
    /// Whether a call that changes something is settled, and not only awaited.
    pub is_settled: bool,
    /// The parameter struct that was read, as `Debug` shows it.
    read: String,
}

/// A call that was made and answered.
#[derive(Debug)]
pub struct Made {
    /// What it sent.
    pub request: Request,
    /// What the call returned, as `Debug` shows it.
    pub answer: Result<String, Error>,
    /// What a changing call started, if it was settled.
    pub started: Option<Started>,
    /// Its parameter struct, as `Debug` shows it.
    pub parameters: String,
}

/// A call, or why a typed client cannot make it.
pub type Built = Result<Made, String>;

/// Makes a call of one endpoint.
pub(crate) type Build = for<'a> fn(&'a Client, &'a mut Given) -> BoxFuture<'a, Built>;

impl Given {
    /// A call at this place with these parameters.
    pub const fn new(place: BTreeMap<String, String>, parameters: Map<String, Value>) -> Self {
        Self { place, parameters, is_settled: false, read: String::new() }
    }

    /// Takes a variable of the path, or a parameter.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, String> {
        let variable = || self.place.get(name).map(|text| Value::String(text.clone()));
        let value = self.parameters.remove(name).or_else(variable).unwrap_or_default();
        from_value(&value).map_err(|error| format!("{name}: {error}"))
    }

    /// Reads a struct from the parameters that are left.
    pub(crate) fn rest<T: DeserializeOwned + Debug>(&mut self) -> Result<T, String> {
        let value = Value::Object(core::mem::take(&mut self.parameters));
        let read: T = strictly(&value.to_string()).map_err(|error| error.to_string())?;
        self.read = format!("{read:?}");
        Ok(read)
    }

    /// Takes a variable of the path, or a parameter, whose type is read from text.
    pub(crate) fn parse<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<T, String> {
        self.take::<String>(name)?.parse().map_err(|error| format!("{name}: {error}"))
    }

    async fn answered<T: Debug>(
        &mut self,
        request: Request,
        answer: impl Future<Output = Result<T, Error>>,
        started: fn(&T) -> Option<Started>,
    ) -> Built {
        if let Some(name) = self.parameters.keys().next() {
            return Err(format!("the call does not take `{name}`"));
        }
        match answer.await {
            Err(Error::Refused { reason, .. }) => Err(reason.into()),
            answer => Ok(Made {
                request,
                started: answer.as_ref().ok().and_then(started),
                answer: answer.map(|answer| format!("{answer:?}")),
                parameters: core::mem::take(&mut self.read),
            }),
        }
    }
}

impl<T: Send + Debug> Call<'_, T> {
    /// The call, answered, if all that was given was taken.
    pub async fn made(self, given: &mut Given) -> Built {
        given.answered(self.request.clone(), self.answer(), |_| None).await
    }
}

impl<T: Change + Send + Debug> Call<'_, T> {
    /// The same of a call that changes something.
    pub(crate) async fn made_to_change(self, given: &mut Given) -> Built {
        let request = self.request.clone();
        if given.is_settled {
            return given.answered(request, self.settle(), |started| Some(started.clone())).await;
        }
        given.answered(request, self.answer(), |_| None).await
    }
}

/// The value of a future over the simulated node in virtual time, which makes nobody wait: for tests and examples without
/// a runtime.
///
/// # Panics
///
/// If the future waits for something else.
#[expect(clippy::panic, reason = "a test that waits for ever says less than one that fails")]
pub fn now<F: IntoFuture>(future: F) -> F::Output {
    match pin!(future.into_future()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("virtual time never makes anybody wait"),
    }
}
