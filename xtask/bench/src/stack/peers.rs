//! Other clients in Rust.

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::BenchSite;
use crate::Res;

/// hyper-util's pooling client over hyper-rustls.
pub(crate) struct HyperPool {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    url: String,
    authorization: HeaderValue,
}

impl HyperPool {
    pub(crate) fn open(place: &BenchSite) -> Res<Self> {
        let https =
            HttpsConnectorBuilder::new().with_tls_config(place.tls()?).https_only().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(https);
        Ok(Self { client, url: url(place), authorization: place.authorization()? })
    }

    pub(crate) async fn get(&self) -> Res<Bytes> {
        let request =
            hyper::Request::builder().uri(&self.url).header(AUTHORIZATION, self.authorization.clone());
        let response = self.client.request(request.body(Empty::new())?).await?;
        Ok(response.into_body().collect().await?.to_bytes())
    }
}

/// reqwest over the same rustls.
pub(crate) struct Reqwest {
    client: reqwest::Client,
    url: String,
    authorization: HeaderValue,
}

impl Reqwest {
    pub(crate) fn open(place: &BenchSite) -> Res<Self> {
        let client = reqwest::Client::builder().use_preconfigured_tls(place.tls()?).no_proxy().http1_only();
        let client = client.tcp_nodelay(true).build()?;
        Ok(Self { client, url: url(place), authorization: place.authorization()? })
    }

    pub(crate) async fn get(&self) -> Res<Bytes> {
        let request = self.client.get(&self.url).header(AUTHORIZATION, self.authorization.clone());
        Ok(request.send().await?.error_for_status()?.bytes().await?)
    }
}

fn url(place: &BenchSite) -> String {
    format!("https://127.0.0.1:{}{}", place.port, place.target())
}
