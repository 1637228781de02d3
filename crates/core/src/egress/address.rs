//! Addresses that nothing in a box may reach, whatever name led there: everything that is not on the
//! public internet. From the IANA special-purpose address registries (RFC 6890 and its successors)
//! and the addresses at which clouds keep their metadata.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address block: the first address, and how many leading bits count.
pub type Block4 = (Ipv4Addr, u32);
type Block6 = (Ipv6Addr, u32);

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u32) -> Block4 {
    (Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(a: u16, b: u16, c: u16, bits: u32) -> Block6 {
    (Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

const NOT_PUBLIC_4: &[Block4] = &[
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    // Azure's host, from inside a machine of its.
    v4(168, 63, 129, 16, 32),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 31, 196, 0, 24),
    v4(192, 52, 193, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(192, 175, 48, 0, 24),
    STAND_INS,
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// The only block that is handed out for the public internet.
const PUBLIC_6: Block6 = v6(0x2000, 0, 0, 3);

/// What in it is not: protocol assignments with Teredo, documentation, 6to4 (which embeds any IPv4
/// address), AS112, documentation again.
const NOT_PUBLIC_6: &[Block6] = &[
    v6(0x2001, 0, 0, 23),
    v6(0x2001, 0x0db8, 0, 32),
    v6(0x2002, 0, 0, 16),
    v6(0x2620, 0x004f, 0x8000, 48),
    v6(0x3fff, 0, 0, 20),
];

fn within4(ip: Ipv4Addr, (first, bits): Block4) -> bool {
    (ip.to_bits() ^ first.to_bits()).leading_zeros() >= bits
}

fn within6(ip: Ipv6Addr, (first, bits): Block6) -> bool {
    (ip.to_bits() ^ first.to_bits()).leading_zeros() >= bits
}

/// Whether an address is on the public internet. IPv4 in IPv6 clothes counts as what it stands for
/// if it is the mapped form, and as not public in any other (compatible, translated, 6to4, Teredo).
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !NOT_PUBLIC_4.iter().any(|block| within4(ip, *block)),
        IpAddr::V6(ip) => {
            within6(ip, PUBLIC_6) && !NOT_PUBLIC_6.iter().any(|block| within6(ip, *block))
        }
    }
}

/// Addresses that stand for names inside a box (RFC 2544: for benchmarks, and nowhere on the public
/// internet). What one stands for is known to the broker alone, for that box alone; see decision 0018.
pub const STAND_INS: Block4 = v4(198, 18, 0, 0, 15);

/// Whether an address is one that stands for names.
pub fn is_stand_in(ip: Ipv4Addr) -> bool {
    within4(ip, STAND_INS)
}

/// Addresses and ports that an operator opens although they are not public: a package mirror in the
/// own network. Never a person's, and never a box's, to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    first: IpAddr,
    bits: u32,
    port: Option<u16>,
}

/// This is no block of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no address or block with an optional port, like 10.1.0.0/16, 10.1.2.3:443 or [fd00::1]:443"
)]
pub struct BadBlock(pub String);

impl Opened {
    /// Reads `10.1.0.0/16`, `10.1.2.3`, `10.1.0.0/16:443`, `fd00::/8` or `[fd00::/8]:443`.
    pub fn parse(text: &str) -> Result<Self, BadBlock> {
        let bad = || BadBlock(text.chars().take(80).collect());
        let (block, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (block, rest) = rest.split_once(']').ok_or_else(bad)?;
                let port = match rest.strip_prefix(':') {
                    Some(port) => Some(port),
                    None if rest.is_empty() => None,
                    None => return Err(bad()),
                };
                (block, port)
            }
            None if text.matches(':').count() == 1 => {
                let (block, port) = text.split_once(':').ok_or_else(bad)?;
                (block, Some(port))
            }
            None => (text, None),
        };
        let (first, bits) = match block.split_once('/') {
            Some((first, bits)) => (first, Some(bits.parse::<u32>().map_err(|_| bad())?)),
            None => (block, None),
        };
        let first: IpAddr = first.parse().map_err(|_| bad())?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        let port = port.map(str::parse).transpose().map_err(|_| bad())?;
        if bits > most || port == Some(0) {
            return Err(bad());
        }
        Ok(Self { first, bits, port })
    }

    /// Whether this address and port are in it.
    pub fn holds(&self, ip: IpAddr, port: u16) -> bool {
        let inside = match (ip.to_canonical(), self.first) {
            (IpAddr::V4(ip), IpAddr::V4(first)) => within4(ip, (first, self.bits)),
            (IpAddr::V6(ip), IpAddr::V6(first)) => within6(ip, (first, self.bits)),
            _ => false,
        };
        inside && self.port.is_none_or(|only| only == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for ip in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "168.63.129.15",
            "2606:4700::1111",
            "2a00::1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.7",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn what_stands_for_a_name_is_nowhere_on_the_internet() {
        for (ip, stands) in [
            ("198.17.255.255", false),
            ("198.18.0.0", true),
            ("198.19.255.255", true),
            ("198.20.0.0", false),
        ] {
            let ip: Ipv4Addr = ip.parse().unwrap();
            assert_eq!((is_stand_in(ip), is_public(ip.into())), (stands, !stands), "{ip}");
        }
    }

    #[test]
    fn an_operator_opens_blocks_and_ports() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let block = Opened::parse("10.1.0.0/16:443").unwrap();
        assert!(block.holds(ip("10.1.2.3"), 443) && block.holds(ip("::ffff:10.1.2.3"), 443));
        assert!(!block.holds(ip("10.1.2.3"), 80) && !block.holds(ip("10.2.0.1"), 443));
        assert!(Opened::parse("127.0.0.1").unwrap().holds(ip("127.0.0.1"), 9));
        let six = Opened::parse("[fd00::/8]:443").unwrap();
        assert!(six.holds(ip("fd12::1"), 443) && !six.holds(ip("fe80::1"), 443));
        assert!(Opened::parse("fd00::/8").unwrap().holds(ip("fd12::1"), 1));
        assert!(Opened::parse("0.0.0.0/0").unwrap().holds(ip("127.0.0.1"), 1));
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0.1:",
            "10.0.0.1:0",
            "10.0.0",
            "x",
            "[::1",
            "[::1]x",
            "::/129",
        ] {
            assert!(Opened::parse(bad).is_err(), "{bad}");
        }
    }
}
