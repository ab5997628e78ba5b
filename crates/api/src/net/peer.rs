//! The peer whose limits a request counts against.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use actix_web::http::header::{HeaderMap, X_FORWARDED_FOR};
use ipnet::IpNet;

/// A client, identified by its address: an IPv4 address or an IPv6 /64 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PeerId(IpAddr);

impl PeerId {
    /// The peer of requests whose address is unknown.
    pub(crate) const UNKNOWN: Self = Self(IpAddr::V6(Ipv6Addr::UNSPECIFIED));

    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Self(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
            v4 @ IpAddr::V4(_) => Self(v4),
        }
    }
}

/// Proxies whose `X-Forwarded-For` header is trusted.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl FromStr for TrustedProxies {
    type Err = String;

    /// Parses comma-separated addresses and networks: `10.0.0.1, 192.168.0.0/16`.
    fn from_str(text: &str) -> Result<Self, String> {
        let network = |part: &str| {
            let part = part.trim();
            let address = || part.parse::<IpAddr>().map(IpNet::from);
            part.parse::<IpNet>()
                .or_else(|_| address())
                .map_err(|_| format!("{part:?} is not an address or a network"))
        };
        text.split(',')
            .filter(|part| !part.trim().is_empty())
            .map(network)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl TrustedProxies {
    /// Returns whether an address belongs to a trusted proxy.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Returns the client behind `address`: the last address in `X-Forwarded-For` that is not a
    /// trusted proxy.
    pub(crate) fn client(&self, address: Option<IpAddr>, headers: &HeaderMap) -> PeerId {
        let Some(address) = address else {
            return PeerId::UNKNOWN;
        };
        if !self.contains(address) {
            return PeerId::of(address);
        }
        let values = headers
            .get_all(X_FORWARDED_FOR)
            .filter_map(|value| value.to_str().ok());
        let forwarded: Vec<&str> = values
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        for text in forwarded.iter().rev() {
            match parse_forwarded(text) {
                Some(client) if self.contains(client) => {}
                Some(client) => return PeerId::of(client),
                None => break,
            }
        }
        PeerId::of(address)
    }
}

/// Parses an address with an optional port or brackets.
fn parse_forwarded(text: &str) -> Option<IpAddr> {
    let with_port = || {
        text.parse::<std::net::SocketAddr>()
            .map(|address| address.ip())
    };
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn client(trusted: &str, address: &str, forwarded: &[&str]) -> String {
        let proxies: TrustedProxies = trusted.parse().expect("valid proxies");
        let mut headers = HeaderMap::new();
        for value in forwarded {
            let name = HeaderName::from_static("x-forwarded-for");
            headers.append(name, HeaderValue::from_str(value).expect("valid value"));
        }
        proxies.client(address.parse().ok(), &headers).0.to_string()
    }

    #[test]
    fn only_trusted_proxies_name_the_client() {
        assert_eq!(client("", "9.9.9.9", &["1.1.1.1"]), "9.9.9.9");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["1.1.1.1"]), "1.1.1.1");
    }

    #[test]
    fn forged_addresses_are_ignored() {
        assert_eq!(
            client("10.0.0.0/8", "10.0.0.1", &["6.6.6.6, 1.1.1.1, 10.0.0.2"]),
            "1.1.1.1"
        );
        assert_eq!(
            client("10.0.0.0/8", "10.0.0.1", &["6.6.6.6", "1.1.1.1:4000"]),
            "1.1.1.1"
        );
        assert_eq!(
            client("10.0.0.0/8", "10.0.0.1", &["1.1.1.1, nonsense"]),
            "10.0.0.1"
        );
    }

    #[test]
    fn an_ipv6_client_is_identified_by_its_network() {
        assert_eq!(client("", "2001:db8:1:2:3:4:5:6", &[]), "2001:db8:1:2::");
        assert_eq!(client("", "::ffff:1.2.3.4", &[]), "1.2.3.4");
    }
}
