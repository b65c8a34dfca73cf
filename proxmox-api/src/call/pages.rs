//! Lists that PVE hands out in pages.

use proxmox_types::params::{LogRange, TaskFilter};
use serde::Serialize;

use super::Call;
use crate::{Error, Page};

/// Rows of a page, if the parameters do not say how many.
const LIMIT: u64 = 500;

/// The parameters of a list that PVE hands out in pages.
pub trait Paged: Clone + Serialize {
    /// How many rows are left out before the page, and how many it has.
    fn window(&mut self) -> (&mut Option<u64>, &mut Option<u64>);
}

impl Paged for TaskFilter {
    fn window(&mut self) -> (&mut Option<u64>, &mut Option<u64>) {
        (&mut self.start, &mut self.limit)
    }
}

impl Paged for LogRange {
    fn window(&mut self) -> (&mut Option<u64>, &mut Option<u64>) {
        (&mut self.start, &mut self.limit)
    }
}

/// The pages of a list, one request each.
///
/// A list that grows or shrinks meanwhile shows a row twice or never: PVE counts rows, it does not mark them.
#[derive(Debug)]
#[must_use = "pages are not read until `next` is awaited"]
pub struct Pages<'a, T, P> {
    call: Call<'a, Page<T>, P>,
    parameters: P,
    start: u64,
    is_over: bool,
}

impl<'a, T, P: Paged> Call<'a, Page<T>, P> {
    /// Reads the list page by page, from `start` on, `limit` rows at once; 500 unless the parameters say another number.
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// use types::params::TaskFilter;
    /// let mut pages = node.tasks().pages(TaskFilter::default());
    /// while let Some(page) = pages.next().await {
    ///     for row in page?.rows.iter() {
    ///         println!("{}", row.upid);
    ///     }
    /// }
    /// # Ok(()) });
    /// ```
    pub fn pages(self, mut parameters: P) -> Pages<'a, T, P> {
        let (start, limit) = parameters.window();
        let start = start.unwrap_or(0);
        limit.get_or_insert(LIMIT);
        Pages { call: self, parameters, start, is_over: false }
    }
}

impl<T, P: Paged> Pages<'_, T, P> {
    /// Reads the next page; nothing after the last one, and nothing after an error.
    pub async fn next(&mut self) -> Option<Result<Page<T>, Error>> {
        if self.is_over {
            return None;
        }
        *self.parameters.window().0 = Some(self.start);
        let page = self.call.again().with(self.parameters.clone()).answer().await;
        let read = page.as_ref().map_or(0, |page| page.rows.len() + page.rows.unread().len());
        let total = page.as_ref().map_or(0, |page| page.total);
        self.start = self.start.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        self.is_over = read == 0 || self.start >= total;
        Some(page)
    }
}
