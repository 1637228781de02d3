//! The broker as a process of its own: one box, which may reach the servers of this bench.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use smartbox_core::BoxFuture;
use smartbox_core::egress::address::Opened;
use smartbox_core::egress::port::{Authority, Egress as _, Passage, Rules, Standing, Witness};
use smartbox_core::egress::{Entry, HostName, Layer, PathPattern, Policy, Rule, Source, Spent};
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::Incoming;
use smartbox_core::secret::port::Release;
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::store::StoreError;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_egress::{Broker, Limits, Names, Parts};
use tokio::sync::watch;
use tokio_util::compat::TokioAsyncReadCompatExt as _;

use crate::AnyResult;

struct World {
    policy: Arc<Policy>,
    version: watch::Sender<u64>,
    authority: std::sync::OnceLock<Authority>,
}

impl Rules for World {
    fn standing<'a>(&'a self, _: &'a SmartboxId) -> BoxFuture<'a, Result<Standing, StoreError>> {
        let version = *self.version.borrow();
        let (policy, standins) = (self.policy.clone(), Arc::default());
        let standing = Standing { name: "pa".into(), policy, standins, version };
        Box::pin(async move { Ok(standing) })
    }
    fn changed(&self, _: SmartboxId, version: u64) -> BoxFuture<'static, ()> {
        let mut now = self.version.subscribe();
        Box::pin(async move { drop(now.wait_for(|now| *now != version).await) })
    }
    fn authority<'a>(
        &'a self,
        _: &'a SmartboxId,
    ) -> BoxFuture<'a, Result<Option<Authority>, StoreError>> {
        Box::pin(async { Ok(self.authority.get().cloned()) })
    }
    fn take<'a>(
        &'a self,
        _: &'a SmartboxId,
        _: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { Ok(true) })
    }
    fn spent<'a>(&'a self, _: &'a SmartboxId) -> BoxFuture<'a, Result<Spent, StoreError>> {
        Box::pin(async { Ok(Spent::new(self.now())) })
    }
}

impl Release for World {
    fn release(
        &self,
        _: SmartboxId,
        _: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(async { Ok(None) })
    }
    fn peek_of(
        &self,
        _: SmartboxId,
        _: Scope,
        _: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(async { Ok(None) })
    }
    fn release_of(
        &self,
        _: SmartboxId,
        _: Scope,
        _: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(async { Ok(None) })
    }
}

impl Witness for World {
    fn note(&self, _: Passage) {}
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "certificates are looked at by it")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp(since.map_or(0, |since| since.as_secs() as i64 * 1000))
    }
}

impl Names for World {
    fn lookup<'a>(&'a self, _: &'a HostName) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Err(io::ErrorKind::NotFound.into()) })
    }
}

/// By the root that is trusted, where the authority's certificate goes, and the ports; prints its own.
pub(crate) async fn serve(args: &[String]) -> AnyResult<()> {
    let [root, authority, http, tunnel, secure] = args else { return Err("five words".into()) };
    let mut inside = Rule::parse(&format!("127.0.0.1:{secure}"))?;
    inside.paths = vec![PathPattern::parse("/**")?];
    let plain = [http, tunnel].map(|port| Rule::parse(&format!("127.0.0.1:{port}")));
    let rules = plain.into_iter().chain([Ok(inside)]).collect::<Result<Vec<_>, _>>()?;
    let allow = rules.into_iter().map(Entry::new).collect();
    let layer = Layer { source: Source::Smartbox, allow, deny: Vec::new() };
    let world = Arc::new(World {
        policy: Arc::new(Policy { layers: vec![layer] }),
        version: watch::Sender::new(1),
        authority: std::sync::OnceLock::new(),
    });
    let broker = Broker::new(Parts {
        rules: world.clone(),
        release: world.clone(),
        witness: world.clone(),
        clock: world.clone(),
        names: world.clone(),
        opened: Opened::parse("127.0.0.1").into_iter().collect(),
        roots: vec![CertificateDer::from(std::fs::read(root)?)],
        limits: Limits { connections: 20_000, ..Limits::default() },
    });
    let made = broker.authority()?;
    std::fs::write(authority, &made.certificate)?;
    let _ = world.authority.set(made);
    let id: SmartboxId = "box_00000000000000000000".parse()?;
    let listener = crate::proxy::listener()?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        let _ = stream.set_nodelay(true);
        let program = Box::pin(std::future::ready(None));
        let call = Incoming { conn: Box::pin(stream.compat()), program };
        tokio::spawn(broker.serve(id.clone(), call));
    }
}
