//! However a path or a host is written, it does not pass a route's policy.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::World;

/// The status of the answer to a head that is sent as it is; 0 if there is none.
async fn status(world: &World, line: &str, headers: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    let text = format!("{line} HTTP/1.1\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn no_spelling_of_a_path_opens_what_its_own_does_not() {
    let world = World::new().await;
    let host = format!("host: 127.0.0.1:{}\r\n", world.port);
    for path in [
        "/api/v1/boxes",
        "/api%2fv1%2fboxes",
        "/api/v1%2fboxes",
        "/api/v1/./boxes",
        "/health/../api/v1/boxes",
        "/health/%2e%2e/api/v1/boxes",
        "/health/..%2fapi/v1/boxes",
        "/health/..%5capi/v1/boxes",
        "/health/%252e%252e/api/v1/boxes",
        "/assets/page.css/../../api/v1/boxes",
        "/assets%2fpage.css%2f..%2f..%2fapi%2fv1%2fboxes",
        "//api/v1/boxes",
        "/api//v1/boxes",
        "/API/V1/BOXES",
        "/api/v1/boxes/",
        "/api/v1/boxes;x=/health",
        "/api/v1/boxes%00",
        "/api/v1/boxes%3f/health",
        "/api/v1/boxes/pa%2f..%2fother",
        "/api/v1/boxes/..%2f..%2fhealth",
        "/api/super/users/..%2f..%2f..%2fhealth",
        "/boxes/..%2fboxes",
        "/metrics",
        "/metrics%2f",
        "/%6detrics",
    ] {
        for method in ["GET", "POST", "DELETE", "HEAD"] {
            let found = status(&world, &format!("{method} {path}"), &host).await;
            assert!(matches!(found, 400..=405), "{method} {path}: {found}");
        }
    }
    assert_eq!(status(&world, "GET /health", &host).await, 200);
}

#[tokio::test]
async fn a_request_that_names_two_hosts_is_nobodys() {
    let world = World::new().await;
    let token = format!("authorization: Bearer {}\r\n", world.token);
    let port = world.port;
    for (line, hosts) in [
        ("GET /api/v1/boxes", format!("host: 127.0.0.1:{port}\r\nhost: 127.0.0.1:{port}\r\n")),
        ("GET /api/v1/boxes", format!("host: 127.0.0.1:{port}\r\nhost: evil.example\r\n")),
        ("GET http://evil.example/api/v1/boxes", format!("host: 127.0.0.1:{port}\r\n")),
        ("GET http://127.0.0.1/api/v1/boxes", "host: evil.example\r\n".to_owned()),
        ("GET /api/v1/boxes", "host: evil.example\r\n".to_owned()),
        ("GET /api/v1/boxes", "host: 127.0.0.1.evil.example\r\n".to_owned()),
        ("GET /api/v1/boxes", format!("host: pa.localhost:{port}\r\n")),
        ("GET /api/v1/boxes", format!("host: 127.0.0.1:{port}@evil.example\r\n")),
        ("GET /api/v1/boxes", "host: evil.example\r\nx-forwarded-host: 127.0.0.1\r\n".to_owned()),
        ("GET /api/v1/boxes", String::new()),
    ] {
        let found = status(&world, line, &format!("{hosts}{token}")).await;
        assert!(matches!(found, 400..=421), "{line} {hosts:?}: {found}");
    }
    let good = format!("host: 127.0.0.1:{port}\r\n{token}");
    assert_eq!(status(&world, "GET /api/v1/boxes", &good).await, 200);
}
