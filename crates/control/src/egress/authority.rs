//! The certificate authority of a box's sandbox: made with it, kept sealed, and trusted inside by the
//! file that programs are told of. Its key goes to the broker alone.

use bytes::{BufMut, BytesMut};
use smartbox_core::egress::port::Authority;
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::BROWSER_POLICY;
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::store::{self, StoreError};
use smartbox_link::Link;

use super::book::Book;
use super::browser;
use crate::control::Control;
use crate::error::ControlError;

/// For programs that have roots of their own: the authority's certificate, and what somebody added to
/// those of this machine. Relative to the home.
pub(super) const CERTIFICATE: &str = ".smartbox/authority.pem";
/// Everything that programs in the box should trust, relative to the home.
pub(super) const TRUST: &str = ".smartbox/trust.pem";

/// Between the certificate and the key, which are kept as one value.
const SEAM: &str = "\n-- key --\n";

/// Under which name it is kept among the platform's own secrets.
fn name(id: &SmartboxId) -> String {
    format!("EGRESS_AUTHORITY_{}", id.as_str().to_ascii_uppercase())
}

impl Book {
    /// The authority of a box's sandbox.
    pub(super) async fn authority_of(
        &self,
        id: &SmartboxId,
    ) -> Result<Option<Authority>, StoreError> {
        if let Some(known) = self.authorities().get(id) {
            return Ok(Some(known.clone()));
        }
        let kept = name(id);
        let found = store::read(&*self.store, move |tx| {
            Box::pin(async move { tx.secrets().open(Scope::Platform, kept).await })
        })
        .await?;
        let authority = found.as_ref().and_then(|text| text.expose().split_once(SEAM)).map(
            |(certificate, key)| Authority {
                certificate: certificate.to_owned(),
                key: Secret::new(key.to_owned()),
            },
        );
        if let Some(authority) = &authority {
            self.authorities().insert(id.clone(), authority.clone());
        }
        Ok(authority)
    }

    /// Forgets a box: it is removed.
    pub(crate) async fn bury(&self, id: &SmartboxId) -> Result<(), StoreError> {
        self.authorities().remove(id);
        self.known().remove(id);
        self.counts.forget(id);
        let kept = name(id);
        store::write(&*self.store, move |tx| {
            Box::pin(async move { tx.secrets().remove(Scope::Platform, kept).await.map(drop) })
        })
        .await
    }
}

impl Control {
    /// Makes the authority of a new sandbox; the one of the sandbox before is history.
    pub(crate) async fn new_authority(&self, id: &SmartboxId) -> Result<(), ControlError> {
        let authority = self.parts.egress.authority().map_err(|error| ControlError::Refused {
            why: format!("no certificate authority could be made: {error}"),
            hint: "try again; `smartbox doctor` looks at this machine".into(),
        })?;
        let text =
            Secret::new(format!("{}{SEAM}{}", authority.certificate, authority.key.expose()));
        let kept = name(id);
        store::write(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.secrets().set(Scope::Platform, kept, text).await.map(drop) })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        self.parts.book.authorities().insert(id.clone(), authority);
        Ok(())
    }

    /// Tells the programs of a box whom to trust: whom this machine trusts, and the box's authority.
    pub(crate) async fn furnish_trust(
        &self,
        id: &SmartboxId,
        link: &Link,
    ) -> Result<(), ControlError> {
        let Some(authority) = self.parts.book.authority_of(id).await? else { return Ok(()) };
        let known = &self.parts.settings.trust;
        let policy = browser::policy([&authority.certificate[..], &known.private]);
        let mut trust = BytesMut::from(&known.all[..]);
        trust.put_u8(b'\n');
        trust.put(authority.certificate.as_bytes());
        let certificates = format!("{}\n{}", authority.certificate, known.private);
        link.write(CERTIFICATE, 0o644, certificates.into()).await?;
        link.write(TRUST, 0o644, trust.freeze()).await?;
        link.write(BROWSER_POLICY, 0o644, policy).await?;
        Ok(())
    }
}
