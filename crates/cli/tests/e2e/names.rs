//! Names within a box: programs that look names up themselves find what they may reach, and nothing else;
//! what they look up goes nowhere.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::Value;
use smartbox_core::egress::address::is_stand_in;

use crate::egress::{Inside, REGISTRIES, mirrors};
use crate::platform::{Platform, puppet};

const HOST: &str = REGISTRIES[0];

/// Programs that look a name up, each in its own way: the C library, node by it and by itself, Python.
fn asking(name: &str) -> [String; 4] {
    let node = |call: &str| {
        format!(
            "node -e \"require('dns').{call}('{name}', (e, a) => {{ if (e) throw e; console.log([a].flat()[0]) }})\""
        )
    };
    [
        format!("getent ahosts {name} | head -n 1 | cut -d ' ' -f 1 | grep ."),
        node("lookup"),
        node("resolve4"),
        format!("python3 -c \"import socket; print(socket.getaddrinfo('{name}', 443)[0][4][0])\""),
    ]
}

#[test]
fn names_are_known_where_they_may_be_reached() {
    let config = puppet() + &format!("\n[egress]\nprivate = {:?}\n", mirrors());
    let mut platform = Platform::start(&config, &[]);
    let inside = Inside(&platform);

    // By default there is no name but the box's own, and nobody waits for that.
    let began = Instant::now();
    for script in asking(HOST) {
        let (fine, said) = inside.run(&script);
        assert!(!fine, "{script}: {said}");
    }
    assert!(began.elapsed() < Duration::from_secs(60), "each fails at once");
    let row = inside.row(HOST, 0).unwrap();
    assert_eq!((&row["why"], &row["allowed"]), (&"not-listed".into(), &false.into()), "{row}");
    let advice = format!("smartbox egress allow pa {HOST}\n");
    assert!(platform.ok(["egress", "pa"]).contains(&advice));
    let (fine, said) = inside.run("getent hosts localhost && getent hosts app.localhost");
    assert!(fine, "{said}");

    platform.ok(["egress", "allow", "pa", HOST]);
    let found: Vec<String> = asking(HOST)
        .iter()
        .map(|script| {
            let (fine, said) = inside.run(script);
            assert!(fine, "{script}: {said}");
            said.trim().to_owned()
        })
        .collect();
    let stand_in: Ipv4Addr = found[0].parse().unwrap();
    assert!(is_stand_in(stand_in) && found.iter().all(|one| *one == found[0]), "{found:?}");
    assert_eq!(inside.row(HOST, 0).unwrap()["allowed"], true);

    // Who asks the proxy for the address means the name: the host's own certificate is what comes.
    let ask = |host: &str| {
        let via = format!(
            "--noproxy '' --proxy http://127.0.0.1:3128 --connect-to {host}:443:{stand_in}:443"
        );
        format!("curl -sS -m 120 -o /dev/null -w '%{{http_code}}' {via} https://{host}/is-number")
    };
    let (fine, said) = inside.run(&ask(HOST));
    assert!(fine && said == "200", "{said}");
    assert!(inside.row(HOST, 443).unwrap()["opened"].as_u64() > Some(0));
    // Another name in the handshake is another host.
    let (fine, said) = inside.run(&ask("example.com"));
    assert!(!fine, "{said}");
    assert_eq!(inside.row(HOST, 443).unwrap()["why"], "mismatch");
    // Beside the proxy there is no way.
    let (fine, said) = inside.run(&format!("curl -sS -m 120 --noproxy '*' https://{HOST}/"));
    assert!(!fine && said.contains("onnect"), "{said}");

    a_tunnel_of_names_leads_nowhere(&platform, &inside);

    // The platform forgets what stood for what, and says the same again.
    let listen = platform.listen();
    platform.kill();
    platform.up(&listen);
    let (fine, said) = Inside(&platform).run(&asking(HOST)[0]);
    assert!(fine && said.trim() == found[0], "{said}");
}

/// What a program knows, in names of a domain whose servers listen: none of it leaves, and the account of
/// it stays short.
fn a_tunnel_of_names_leads_nowhere(platform: &Platform, inside: &Inside<'_>) {
    let script = "import socket, time
for n in range(300):
    try:
        socket.getaddrinfo('%032x.tunnel.example' % n, 443)
        print('FOUND')
    except socket.gaierror:
        pass
print('done')";
    let (fine, said) = inside.run(&format!("python3 -c \"{script}\""));
    assert!(fine && said == "done\n", "{said}");
    let rows: Vec<Value> = serde_json::from_str(&platform.ok(["egress", "pa", "--json"])).unwrap();
    let host = |row: &Value| row["host"].as_str().unwrap().ends_with("tunnel.example");
    let rows: Vec<&Value> = rows.iter().filter(|row| host(row)).collect();
    assert!((2..=17).contains(&rows.len()), "{rows:?}");
    let refused: u64 = rows.iter().map(|row| row["refused"].as_u64().unwrap()).sum();
    assert!(refused >= 300, "{rows:?}");
    assert!(!platform.ok(["egress", "pa"]).contains("allow pa *"), "no advice to allow all of it");
}
