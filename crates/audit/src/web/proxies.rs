//! Which address is the client's.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

use crate::Error;

/// The proxies whose `X-Forwarded-For` is believed. Nobody else's is: a client can write there what it likes.
///
/// Read from the right, as each proxy adds whom it has got the request from, the first address that is no such
/// proxy is the client's.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
}

impl TrustedProxies {
    /// Those in these networks, as `10.0.0.0/8` or `2001:db8::/32`, or of these addresses.
    ///
    /// # Errors
    /// [`Error::Options`] for what is neither.
    pub fn new<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let parse = |text: &str| {
            let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| Error::Options { reason: "a proxy is an address, or a network" })
        };
        let networks = networks.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { networks })
    }

    fn trusts(&self, address: IpAddr) -> bool {
        // An IPv4 address on a socket for both comes as ::ffff:192.0.2.1.
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client's address, where `peer` is the other end of the connection. What cannot be read ends the
    /// search at the last proxy that is trusted.
    pub(super) fn client(&self, peer: IpAddr, head: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        for value in head.get_all("x-forwarded-for").iter().rev() {
            for part in value.to_str().unwrap_or_default().rsplit(',') {
                if !self.trusts(client) {
                    return client;
                }
                match address(part.trim()) {
                    Some(address) => client = address.to_canonical(),
                    None => return client,
                }
            }
        }
        client
    }
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(in_brackets).or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = TrustedProxies::new(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]).unwrap();
        let client = |peer: &str, values: &[&str]| {
            let mut head = HeaderMap::new();
            for value in values {
                head.append("x-forwarded-for", value.parse().unwrap());
            }
            proxies.client(peer.parse().unwrap(), &head).to_string()
        };
        assert_eq!(client("203.0.113.5", &["198.51.100.7"]), "203.0.113.5", "it says so itself");
        assert_eq!(client("10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("::ffff:10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        let forged = "1.1.1.1, 198.51.100.7, 192.0.2.1";
        assert_eq!(client("10.1.2.3", &[forged]), "198.51.100.7");
        assert_eq!(client("10.1.2.3", &["1.1.1.1", "198.51.100.7,10.9.9.9"]), "198.51.100.7");
        assert_eq!(client("2001:db8::1", &["[2001:dba::7]:4711"]), "2001:dba::7");
        assert_eq!(client("10.1.2.3", &["198.51.100.7:80"]), "198.51.100.7");
        assert_eq!(client("10.1.2.3", &["1.1.1.1, unknown, 10.4.4.4"]), "10.4.4.4");
        assert_eq!(client("10.1.2.3", &[]), "10.1.2.3");
        assert_eq!(client("10.1.2.3", &["10.7.7.7"]), "10.7.7.7", "all of them are trusted");
        assert!(TrustedProxies::new(["10.0.0.0/33"]).is_err());
    }
}
