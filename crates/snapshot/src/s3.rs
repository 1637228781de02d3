//! A bucket of S3-compatible storage: Amazon's, Cloudflare R2, MinIO and their like.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::client::{HttpClient, HttpConnector};
use object_store::limit::LimitStore;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use reqwest::redirect::Policy;
use rustls::crypto::{CryptoProvider, ring};
use smartbox_core::secret::Secret;
use smartbox_core::snapshot::port::SnapshotError;

use crate::driver::Restic;
use crate::error::of_store;
use crate::pace::{Paced, Veil};

/// Where a bucket is and what opens it.
#[derive(Clone)]
pub struct Bucket {
    /// The server's address, without the bucket.
    pub endpoint: String,
    /// The bucket's name.
    pub bucket: String,
    /// The region; Cloudflare's is `auto`.
    pub region: String,
    /// The name of the key.
    pub key_id: Secret<String>,
    /// The key.
    pub secret: Secret<String>,
    /// Whether the bucket stands in the path, rather than before the host.
    pub path_style: bool,
    /// What every object's name begins with; may be empty.
    pub prefix: String,
    /// How much is asked of it, and for how long.
    pub limits: Limits,
}

/// How much is asked of a server, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests at a time.
    pub concurrency: usize,
    /// Bytes a second, both ways together; none is no limit.
    pub bandwidth: Option<u64>,
    /// How long one request may take.
    pub timeout: Duration,
    /// How often a request is made again.
    pub retries: usize,
    /// For how long it is made again, counted from the first.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 16,
            bandwidth: None,
            timeout: Duration::from_secs(120),
            retries: 6,
            patience: Duration::from_secs(120),
        }
    }
}

/// Connecting either goes fast or does not go.
const CONNECT: Duration = Duration::from_secs(10);

impl Restic {
    /// In a bucket, which must be there. Nothing is asked of it yet.
    pub fn bucket(bucket: &Bucket) -> Result<Self, SnapshotError> {
        Ok(Self::at(bucket.store()?, bucket.whereabouts(), None))
    }
}

impl Bucket {
    /// A store over it, within its limits, whose errors do not say what opens it.
    pub fn store(&self) -> Result<Arc<dyn ObjectStore>, SnapshotError> {
        if CryptoProvider::get_default().is_none() {
            // Losing a race against another installer is as good as winning it.
            let _ = ring::default_provider().install_default();
        }
        let limits = self.limits;
        // Servers at home and in tests have no certificate; the signature covers what is sent.
        let client = ClientOptions::new().with_allow_http(true);
        let retry = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: limits.retries,
            retry_timeout: limits.patience,
        };
        let store = AmazonS3Builder::new()
            .with_endpoint(self.endpoint())
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_access_key_id(self.key_id.expose())
            .with_secret_access_key(self.secret.expose())
            .with_virtual_hosted_style_request(!self.path_style)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_client_options(client)
            .with_http_connector(Straight { timeout: limits.timeout })
            .with_retry(retry)
            .build()
            .map_err(of_store)?;
        let limited = LimitStore::new(store, limits.concurrency.max(1));
        let veil = Veil::over([self.key_id.clone(), self.secret.clone()]);
        let paced = Paced::new(limited, self.whereabouts(), limits.bandwidth, veil);
        Ok(match self.prefix.trim_matches('/') {
            "" => Arc::new(paced),
            prefix => Arc::new(PrefixStore::new(paced, Path::from(prefix))),
        })
    }

    /// A host that has the bucket's name before it is told whole.
    fn endpoint(&self) -> String {
        let endpoint = self.endpoint.trim_end_matches('/');
        match endpoint.split_once("://") {
            Some((scheme, host)) if !self.path_style => {
                format!("{scheme}://{}.{host}", self.bucket)
            }
            _ => endpoint.to_owned(),
        }
    }

    fn whereabouts(&self) -> String {
        let under = match self.prefix.trim_matches('/') {
            "" => String::new(),
            prefix => format!(", beneath `{prefix}`"),
        };
        format!("the bucket `{}` at {}{under}", self.bucket, self.endpoint.trim_end_matches('/'))
    }
}

/// Goes to the server that was named and to no other. One that leads elsewhere, to an address of this machine or
/// of its network, would have the platform ask there; the signature is for one host anyway.
#[derive(Debug)]
struct Straight {
    timeout: Duration,
}

impl HttpConnector for Straight {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(self.timeout)
            // Many requests at once are faster so, and this is what the servers are used to.
            .http1_only()
            .build()
            .map_err(|error| object_store::Error::Generic { store: "S3", source: error.into() })?;
        Ok(HttpClient::new(client))
    }
}

/// Without what opens it.
impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("at", &self.whereabouts()).finish_non_exhaustive()
    }
}
