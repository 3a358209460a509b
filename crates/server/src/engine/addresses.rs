//! How many connections come from one address.

use std::net::IpAddr;
use std::sync::Arc;

use super::headcount::Headcount;
use crate::auth::ConnectionInfo;

/// Counts the connections of each client address, and lets no more in than the limit.
///
/// What counts as one address is what one stranger has: an address of IPv4, or a network of 64 bits of IPv6.
/// Addresses of this machine and of private networks are not counted: behind them is mostly a proxy.
#[derive(Clone, Debug)]
pub struct Addresses(Arc<Headcount>);

/// A client that has been let in, and is counted until this is dropped.
#[derive(Debug)]
pub struct Visitor {
    /// What is known of it.
    pub info: ConnectionInfo,
    counted: Option<Addresses>,
}

impl Addresses {
    /// Lets in `limit` connections of each address; 0 lets in all.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Headcount::new(limit)))
    }

    /// Lets a client in; `None` if there are as many of its address as may be.
    pub fn enter(&self, info: ConnectionInfo) -> Option<Visitor> {
        let Some(block) = Block::of(info.client.ip()).filter(|_| self.0.is_on()) else {
            return Some(Visitor { info, counted: None });
        };
        self.0.enter(block).then(|| Visitor { info, counted: Some(self.clone()) })
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        if let (Some(addresses), Some(block)) = (&self.counted, Block::of(self.info.client.ip())) {
            addresses.0.leave(block);
        }
    }
}

/// The addresses that are taken for one stranger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Block(u64);

impl Block {
    /// `None` for addresses that are not of the public Internet.
    pub(crate) fn of(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
                let inside = address.is_loopback()
                    || address.is_private()
                    || address.is_link_local()
                    || address.is_unspecified()
                    || shared;
                // No network of IPv6 begins like this.
                (!inside).then(|| Self(u64::from(u32::MAX) << 32 | u64::from(address.to_bits())))
            }
            IpAddr::V6(address) => {
                let inside = address.is_loopback()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
                    || address.is_unspecified();
                (!inside).then(|| Self((address.to_bits() >> 64) as u64))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(address: &str) -> ConnectionInfo {
        ConnectionInfo::new((address.parse::<IpAddr>().unwrap(), 9).into())
    }

    #[test]
    fn a_client_beyond_the_limit_of_its_address_waits_until_another_has_gone() {
        let addresses = Addresses::new(2);
        let first = addresses.enter(info("203.0.113.1"));
        let _second = addresses.enter(info("::ffff:203.0.113.1")).unwrap();
        assert!(addresses.enter(info("203.0.113.1")).is_none());
        assert!(addresses.enter(info("203.0.113.2")).is_some());
        drop(first);
        assert!(addresses.enter(info("203.0.113.1")).is_some());
    }

    #[test]
    fn a_network_of_64_bits_is_one_stranger() {
        let addresses = Addresses::new(1);
        let _one = addresses.enter(info("2001:db8:1:1::1")).unwrap();
        assert!(addresses.enter(info("2001:db8:1:1:ffff::2")).is_none());
        assert!(addresses.enter(info("2001:db8:1:2::1")).is_some());
    }

    #[test]
    fn who_is_inside_is_not_counted() {
        let addresses = Addresses::new(1);
        let inside = [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.0.1",
            "100.64.0.1",
            "fd00::1",
            "fe80::1",
        ];
        for address in inside {
            let both = (addresses.enter(info(address)), addresses.enter(info(address)));
            assert!(both.0.is_some() && both.1.is_some(), "{address}");
        }
        for address in ["100.128.0.1", "172.32.0.1", "8.8.8.8", "2606:4700::1"] {
            let both = (addresses.enter(info(address)), addresses.enter(info(address)));
            assert!(both.0.is_some() && both.1.is_none(), "{address}");
        }
    }

    #[test]
    fn without_a_limit_everybody_comes_in() {
        let addresses = Addresses::new(0);
        let all: Vec<_> = (0..100).map(|_| addresses.enter(info("203.0.113.1"))).collect();
        assert!(all.iter().all(Option::is_some));
    }

    #[test]
    fn to_be_counted_costs_a_visitor_one_word() {
        assert!(size_of::<Visitor>() <= size_of::<ConnectionInfo>() + 8);
    }
}
