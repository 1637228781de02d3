//! What the edge asks: who is signed in on a box's origin.

use smartbox_core::BoxFuture;
use smartbox_core::route::Route;
use smartbox_core::secret::Secret;
use smartbox_core::store::StoreError;
use smartbox_edge::{Admit, Person};

use super::Access;

impl Admit for Access {
    fn who<'a>(
        &'a self,
        route: &'a Route,
        cookie: &'a str,
    ) -> BoxFuture<'a, Result<Option<Person>, StoreError>> {
        Box::pin(async move {
            let session = self.session(cookie, Some(&route.id)).await?;
            // A session of someone who no longer owns the box is none.
            let session = session.filter(|session| session.account == route.account);
            Ok(session.map(|session| Person { account: session.account, name: "owner".into() }))
        })
    }

    fn enter<'a>(
        &'a self,
        route: &'a Route,
        ticket: Secret<String>,
    ) -> BoxFuture<'a, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(async move {
            match self.burn(ticket.expose(), &route.id).await? {
                Some(account) if account == route.account => {
                    self.begin(&account, Some(route.id.clone())).await.map(Some)
                }
                _ => Ok(None),
            }
        })
    }

    fn leave<'a>(
        &'a self,
        route: &'a Route,
        cookie: &'a str,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            match self.session(cookie, Some(&route.id)).await? {
                Some(_) => self.end(cookie).await,
                None => Ok(()),
            }
        })
    }
}
