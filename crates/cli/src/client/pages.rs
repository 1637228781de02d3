//! Lists that come in pages, read whole.

use serde::de::DeserializeOwned;
use smartbox_api::call::{Call, Json};
use smartbox_api::page::{MAX_LIMIT, Page, PageQuery};

use super::Client;
use crate::error::CliError;

/// A platform that gives more pages than this counts in circles.
const MAX_PAGES: usize = 10_000;

impl Client {
    /// Everything in a list, page after page.
    pub(crate) async fn all<T: DeserializeOwned>(
        &self,
        page: impl Fn(&PageQuery) -> Call<Json<Page<T>>>,
    ) -> Result<Vec<T>, CliError> {
        let mut all = Vec::new();
        let mut which = PageQuery { limit: Some(MAX_LIMIT), cursor: None };
        for _ in 0..MAX_PAGES {
            let found = self.json(page(&which)).await?;
            all.extend(found.items);
            which.cursor = found.next;
            if which.cursor.is_none() {
                return Ok(all);
            }
        }
        Err(CliError::Garbled("its list has no end".into()))
    }
}
