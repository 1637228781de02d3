//! The broker beside Debian's tinyproxy and squid, in one run and in turns: a thousand parallel downloads,
//! what a request waits longer than without a proxy, and memory of five thousand idle connections.
//!
//! `just bench-egress` prints tables. Without the word `full` it is a self-check of a second, without the
//! other proxies. All of them have the machine to themselves in turn; server, clients and proxy share it.

#![expect(clippy::print_stdout, reason = "it is for reading")]

mod load;
mod memory;
mod origin;
mod proxy;
mod serve;

use std::time::Duration;

use load::Road;
use origin::Origin;
use proxy::Proxy;

pub(crate) type AnyResult<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What is asked of whom.
struct Plan {
    /// Downloads at once, and the bytes of each.
    downloads: usize,
    bytes: usize,
    /// Rounds of downloads.
    rounds: usize,
    /// Single requests, one after the other.
    requests: usize,
    /// Idle connections.
    idle: usize,
}

const FULL: Plan =
    Plan { downloads: 1_000, bytes: 1 << 20, rounds: 5, requests: 1_000, idle: 5_000 };
const CHECK: Plan = Plan { downloads: 10, bytes: 1 << 16, rounds: 1, requests: 10, idle: 10 };

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(at) = args.iter().position(|arg| arg == "serve") {
        return runtime.block_on(serve::serve(&args[at + 1..]));
    }
    let full = args.iter().any(|arg| arg == "full");
    runtime.block_on(run(if full { FULL } else { CHECK }, full))
}

async fn run(plan: Plan, full: bool) -> AnyResult<()> {
    let origin = Origin::start(plan.bytes).await?;
    let (files, proxies) = start(&origin, full).await?;
    for road in [Road::Http, Road::Tunnel] {
        downloads(&plan, &origin, &proxies, road).await?;
    }
    for road in [Road::Http, Road::Tunnel] {
        latency(&plan, &origin, &proxies, road).await?;
    }
    println!("\nMemory with {} open, idle connections", plan.idle);
    drop((proxies, files));
    for road in [Road::Tunnel, Road::Opened] {
        // What they held before would be held still, and what is open now would be found room in it.
        let (_files, proxies) = start(&origin, full).await?;
        for proxy in proxies.iter().filter(|proxy| road != Road::Opened || proxy.opens) {
            memory::memory(&plan, &origin, proxy, road).await?;
        }
    }
    Ok(())
}

/// Fresh ones. The broker is the first.
async fn start(origin: &Origin, all: bool) -> AnyResult<(tempfile::TempDir, Vec<Proxy>)> {
    let files = tempfile::tempdir()?;
    // Others run as nobody.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(files.path(), open)?;
    let mut proxies = vec![proxy::broker(files.path(), origin).await?];
    if all {
        proxies.push(proxy::tinyproxy(files.path()).await?);
        proxies.push(proxy::squid(files.path()).await?);
    }
    Ok((files, proxies))
}

/// All at once, by each in turns that begin with another one each round.
async fn downloads(plan: &Plan, origin: &Origin, proxies: &[Proxy], road: Road) -> AnyResult<()> {
    println!(
        "\n{} parallel downloads of {} KiB, {}",
        plan.downloads,
        plan.bytes >> 10,
        road.words()
    );
    let mut speeds: Vec<Vec<f64>> = vec![Vec::new(); proxies.len() + 1];
    for round in 0..plan.rounds {
        for turn in 0..=proxies.len() {
            let who = (turn + round) % (proxies.len() + 1);
            let proxy = who.checked_sub(1).map(|at| &proxies[at]);
            let done = load::parallel(plan.downloads, plan.bytes, origin, proxy, road).await?;
            let mebibytes = (done.bytes >> 10) as f64 / 1024.0 / done.took.as_secs_f64();
            println!(
                "  round {round}, {}: {mebibytes:.0} MiB/s, first byte p50 {:.0} ms p99 {:.0} ms, {} failed",
                proxy.map_or("direct", |proxy| proxy.name),
                ms(at(&done.first, 50)),
                ms(at(&done.first, 99)),
                done.failed,
            );
            speeds[who].push(mebibytes);
        }
    }
    let ours = speeds.get(1).cloned().unwrap_or_default();
    for (proxy, theirs) in proxies.iter().zip(&speeds[1..]).skip(1) {
        let mut ratios: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a / b).collect();
        ratios.sort_by(f64::total_cmp);
        let middle = ratios[ratios.len() / 2];
        println!(
            "  broker / {}: {middle:.2} ({:.2} to {:.2})",
            proxy.name,
            ratios[0],
            ratios[ratios.len() - 1]
        );
    }
    Ok(())
}

/// One after the other, each over a connection of its own, by everybody in turns.
async fn latency(plan: &Plan, origin: &Origin, proxies: &[Proxy], road: Road) -> AnyResult<()> {
    println!("\nOne small request with its connection, {}", road.words());
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); proxies.len() + 1];
    for _ in 0..plan.requests {
        for (who, times) in times.iter_mut().enumerate() {
            let proxy = who.checked_sub(1).map(|at| &proxies[at]);
            times.push(load::one(64, origin, proxy, road).await?.took);
        }
    }
    times.iter_mut().for_each(|times| times.sort());
    let [p50, p99] = [50, 99].map(|q| at(&times[0], q));
    println!("  direct: p50 {:.2} ms, p99 {:.2} ms", ms(p50), ms(p99));
    for (proxy, times) in proxies.iter().zip(&times[1..]) {
        println!(
            "  {}: p50 +{:.2} ms, p99 +{:.2} ms",
            proxy.name,
            ms(at(times, 50)) - ms(p50),
            ms(at(times, 99)) - ms(p99)
        );
    }
    Ok(())
}

/// Of sorted times.
fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
