//! Lists that PVE hands out in pages.

use core::marker::PhantomData;

use super::Call;
use crate::{Error, Page, Parameter};

/// Rows of a page, if the call does not say how many.
const LIMIT: u64 = 500;

/// The pages of a list, one request each.
///
/// A list that grows or shrinks meanwhile shows a row twice or never: PVE counts rows, it does not mark them.
#[derive(Debug)]
#[must_use = "pages are not read until `next` is awaited"]
pub struct Pages<'a, T> {
    call: Call<'a, Page<T>>,
    start: u64,
    limit: u64,
    is_over: bool,
}

impl<'a, T, P> Call<'a, Page<T>, P> {
    /// Reads the list page by page, from `start` on, `limit` rows at once; 500 unless the call says another number.
    ///
    /// ```
    /// # use proxmox_api::{*, sim::{Sim, now}};
    /// # let sim = Sim::new().as_token("root@pam!full".parse()?);
    /// # let client = sim.client();
    /// # now(async {
    /// # let node = "pve1".parse()?; let node = client.node(&node);
    /// let mut pages = node.tasks().pages();
    /// while let Some(page) = pages.next().await {
    ///     for row in page?.rows.iter() {
    ///         println!("{}", row.upid);
    ///     }
    /// }
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn pages(self) -> Pages<'a, T> {
        let number = |name: &str| {
            let sent = self.request.parameters.iter().find(|parameter| parameter.name == name);
            sent.and_then(|parameter| parameter.expose().parse().ok())
        };
        let (start, limit) = (number("start").unwrap_or(0), number("limit").unwrap_or(LIMIT));
        let Self { client, endpoint, mut request, fault, decoder, upid, .. } = self;
        request.parameters.retain(|parameter| parameter.name != "start" && parameter.name != "limit");
        let call = Call { client, endpoint, request, fault, decoder, upid, optional: PhantomData };
        Pages { call, start, limit, is_over: false }
    }
}

impl<T> Pages<'_, T> {
    /// Reads the next page; nothing after the last one, and nothing after an error.
    pub async fn next(&mut self) -> Option<Result<Page<T>, Error>> {
        if self.is_over {
            return None;
        }
        let page = self.read().await;
        let read = page.as_ref().map_or(0, |page| page.rows.len() + page.rows.unread().len());
        let total = page.as_ref().map_or(0, |page| page.total);
        let read = u64::try_from(read).unwrap_or(self.limit);
        self.start = self.start.saturating_add(read);
        self.is_over = read == 0 || self.start >= total;
        Some(page)
    }

    async fn read(&self) -> Result<Page<T>, Error> {
        let Call { client, endpoint, request, fault, decoder, upid, .. } = &self.call;
        let (mut request, fault) = (request.clone(), fault.clone());
        let place = [("start", self.start), ("limit", self.limit)];
        request.parameters.extend(place.map(|(name, value)| Parameter::plain(name, value)));
        let (decoder, upid) = (*decoder, *upid);
        let call = Call { client, endpoint, request, fault, decoder, upid, optional: PhantomData::<fn(())> };
        call.answer().await
    }
}
