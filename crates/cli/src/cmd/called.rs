//! What the smartboxes are called that a listing knows by their ids.

use std::collections::BTreeMap;

use smartbox_api::call;
use smartbox_api::smartbox::BoxesQuery;
use smartbox_core::id::SmartboxId;

use crate::client::Client;

/// The names of those that there are.
#[derive(Debug, Default)]
pub(super) struct Called(BTreeMap<SmartboxId, String>);

impl Called {
    /// Asks for them. Whoever may not list them has the ids.
    pub(super) async fn ask(client: &Client) -> Self {
        let boxes = client.all(|page| {
            let (limit, cursor) = (page.limit, page.cursor.clone());
            call::some_boxes(&BoxesQuery { limit, cursor, ..BoxesQuery::default() })
        });
        let boxes = boxes.await.unwrap_or_default();
        Self(boxes.into_iter().map(|view| (view.id, view.name)).collect())
    }

    /// Its name; of one that is gone, its id.
    pub(super) fn name(&self, id: &SmartboxId) -> String {
        self.0.get(id).cloned().unwrap_or_else(|| id.to_string())
    }
}
