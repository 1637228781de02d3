//! What the edge asks: who is signed in on a box's origin.

use smartbox_core::BoxFuture;
use smartbox_core::route::Route;
use smartbox_core::secret::Secret;
use smartbox_core::session::Session;
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
            let seat = self.seat(cookie, Some(&route.id)).await?;
            Ok(seat.and_then(|seat| {
                let right = seat.right?;
                let Session { account, person, .. } = seat.session;
                let who = person.map_or_else(|| account.to_string(), |person| person.to_string());
                Some(Person { account, who, name: seat.name, right })
            }))
        })
    }

    fn remembers(&self, cookie: &str) -> bool {
        self.sits(cookie)
    }

    fn enter<'a>(
        &'a self,
        route: &'a Route,
        ticket: Secret<String>,
    ) -> BoxFuture<'a, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(async move {
            let Some(ticket) = self.burn(ticket.expose(), &route.id).await? else {
                return Ok(None);
            };
            let value = self.begin_in(ticket, route.id.clone()).await?;
            // The ticket was made for somebody who might; what they may now, the records say.
            Ok(self.seat(value.expose(), Some(&route.id)).await?.map(|_| value))
        })
    }

    fn leave<'a>(
        &'a self,
        route: &'a Route,
        cookie: &'a str,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            match self.seat(cookie, Some(&route.id)).await? {
                Some(seat) => self.end(cookie, &seat.session.began_by()).await,
                None => Ok(()),
            }
        })
    }
}
