//! The name service of a box: its port, the datagrams that come there, and the file that names it.

use std::time::Duration;

use futures_util::StreamExt;
use smartbox_core::sandbox::DNS_PORT;
use smartbox_core::sandbox::port::{Runtime, RuntimeError};
use smartbox_runtime::Profile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::compat::FuturesAsyncReadCompatExt;

use crate::bench::{Bench, new_id};

#[tokio::test]
async fn a_box_asks_for_names_and_the_platform_answers() {
    let bench = Bench::new(Profile::Auto).await;
    answers(&bench).await;
    bench.clean().await;
}

/// The same for every profile with namespaces.
pub(crate) async fn answers(bench: &Bench) {
    let id = bench.up().await;
    let mut asked = bench.native.incoming(id.clone(), DNS_PORT).await.unwrap();
    let serve = async {
        let next = tokio::time::timeout(Duration::from_secs(60), asked.next());
        let mut conn = next.await.unwrap().unwrap().conn.compat();
        let mut question = vec![0; usize::from(conn.read_u16().await.unwrap())];
        conn.read_exact(&mut question).await.unwrap();
        assert_eq!(question, b"who");
        conn.write_all(b"\x00\x04\0it\0").await.unwrap();
    };
    let port = DNS_PORT.to_string();
    let asks = ["/opt/engine/probe", "datagram", &port, "who"];
    let ((), said) = tokio::join!(serve, bench.says(&id, &asks));
    assert_eq!(said, format!("127.0.0.1:{port} \0it\0\nkept\n"));
    let file = bench.says(&id, &["/bin/cat", "/etc/resolv.conf"]).await;
    assert!(file.ends_with("\nnameserver 127.0.0.1\n"), "{file}");
    bench.down(&id).await;
}

#[tokio::test]
async fn without_namespaces_the_machines_own_port_is_left_alone() {
    let bench = Bench::new(Profile::InsecureNone).await;
    let id = new_id();
    let mut spec = bench.spec(&id, 1);
    spec.listeners = vec![DNS_PORT];
    bench.native.start(spec).await.unwrap();
    let none = bench.native.incoming(id.clone(), DNS_PORT).await.map(drop);
    assert!(matches!(none, Err(RuntimeError::Refused { .. })), "{none:?}");
    bench.down(&id).await;
}
