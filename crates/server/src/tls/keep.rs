//! The pair that is shown to whoever connects, and the look at its files: a good new pair takes the
//! old one's place for every connection from then on, a bad one is refused and said aloud.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use smartbox_core::time::Clock;
use tokio::sync::Notify;

use super::Files;
use super::pair::{Bytes, Digests, Pair, PairError};

/// How often the files are looked at. They are read and compared: a renewal may exchange a link two
/// directories above, of which no notification tells.
const PACE: Duration = Duration::from_secs(10);

/// What came of a look at the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// They are as they were.
    Same,
    /// There is a new pair, and it is shown from now on.
    Taken,
    /// There is a new pair, and it is worse than the one that is shown; for people.
    Refused(String),
}

/// Keeps the pair.
pub struct Keeper {
    files: Files,
    host: String,
    clock: Arc<dyn Clock>,
    shown: RwLock<Arc<Pair>>,
    seen: Mutex<Seen>,
}

/// What came of the last look.
#[derive(Debug, Default)]
struct Seen {
    /// Of the files of the pair that is shown.
    shown: Digests,
    /// Why what is in the files now is not shown, so that it is told once. It is judged anew each time
    /// all the same: one that is not good yet will be, and next to one that has expired it may be better.
    refused: Option<String>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Keeper {
    /// Reads the pair for the first time. One with faults is shown all the same: it can be renewed
    /// while the platform runs, and a platform that does not start helps nobody.
    pub fn open(files: Files, host: &str, clock: Arc<dyn Clock>) -> Result<Arc<Self>, PairError> {
        let bytes = Bytes::read(&files)?;
        let pair = Pair::parse(&files, &bytes)?;
        for fault in pair.faults(host, clock.now()) {
            tracing::warn!(path = %files.certificate.display(), why = %fault, "browsers will refuse the certificate");
        }
        Ok(Arc::new(Self {
            files,
            host: host.to_owned(),
            clock,
            shown: RwLock::new(Arc::new(pair)),
            seen: Mutex::new(Seen { shown: bytes.digest(), refused: None }),
        }))
    }

    /// The pair that is shown now.
    pub fn pair(&self) -> Arc<Pair> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the files. A new pair is taken if it has no fault that the old one has not.
    pub fn look(&self) -> Look {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match self.better(&seen.shown) {
            Ok(None) => {
                seen.refused = None;
                Look::Same
            }
            Ok(Some((pair, digests))) => {
                *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
                *seen = Seen { shown: digests, refused: None };
                Look::Taken
            }
            Err(why) if seen.refused.as_ref() == Some(&why) => Look::Same,
            Err(why) => {
                seen.refused = Some(why.clone());
                Look::Refused(why)
            }
        }
    }

    /// What is in the files, if that is not what is shown; or why it is no better, for people.
    fn better(&self, shown: &Digests) -> Result<Option<(Pair, Digests)>, String> {
        let bytes = Bytes::read(&self.files).map_err(|error| error.to_string())?;
        let digests = bytes.digest();
        if digests == *shown {
            return Ok(None);
        }
        let pair = Pair::parse(&self.files, &bytes).map_err(|error| error.to_string())?;
        let now = self.clock.now();
        let before = self.pair().faults(&self.host, now);
        match pair.faults(&self.host, now).into_iter().find(|fault| !before.contains(fault)) {
            Some(fault) => Err(fault.to_string()),
            None => Ok(Some((pair, digests))),
        }
    }

    /// Looks again and again, and at once when told to.
    pub async fn watch(&self, at_once: &Notify) {
        loop {
            let _ = tokio::time::timeout(PACE, at_once.notified()).await;
            match self.look() {
                Look::Same => {}
                Look::Taken => {
                    tracing::info!(path = %self.files.certificate.display(), "a new certificate is in use");
                }
                Look::Refused(why) => {
                    tracing::error!(
                        path = %self.files.certificate.display(), why,
                        "the new certificate is refused, and the one before stays in use"
                    );
                }
            }
        }
    }

    /// What rustls needs to serve it: TLS 1.2 and later, HTTP/2 before HTTP/1.1.
    pub fn server(self: &Arc<Self>) -> Result<ServerConfig, rustls::Error> {
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&versions)?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = ring::Ticketer::new()?;
        Ok(config)
    }
}

impl ResolvesServerCert for Keeper {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.pair().key.clone())
    }
}
