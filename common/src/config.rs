//! What is ours: the endpoints whose datagrams the kernel program redirects.

use core::fmt;
use core::net::SocketAddr;

use crate::endpoint::{Address, Ipv4, Ipv6, Port};

/// Endpoints of each address family that a [`FilterConfig`] has room for.
pub const ENDPOINTS_MAX: usize = 16;

/// The endpoints that are ours, as the kernel program reads them from the `CONFIG` map.
///
/// An endpoint matches as a bound socket would: by address and port, or by port alone where its
/// address is unspecified (`0.0.0.0`, `::`). On a router an unspecified address also takes
/// datagrams that are only to be forwarded: list the host's addresses there.
///
/// While userspace writes a new configuration, a frame may be judged by parts of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FilterConfig {
    ipv6: Endpoints<Ipv6>,
    ipv4: Endpoints<Ipv4>,
}

impl FilterConfig {
    /// A filter to which nothing is ours.
    pub const EMPTY: Self = Self {
        ipv6: Endpoints::EMPTY,
        ipv4: Endpoints::EMPTY,
    };

    /// Builds the filter for the given endpoints; equal ones take one place.
    ///
    /// # Errors
    ///
    /// [`TooManyEndpoints`] beyond [`ENDPOINTS_MAX`] of one address family.
    pub fn new(endpoints: &[SocketAddr]) -> Result<Self, TooManyEndpoints> {
        let mut config = Self::EMPTY;
        for &endpoint in endpoints {
            let port = Port::from(endpoint.port().to_be_bytes());
            match endpoint {
                SocketAddr::V4(v4) => config.ipv4.insert(v4.ip().octets().into(), port),
                SocketAddr::V6(v6) => config.ipv6.insert(v6.ip().octets().into(), port),
            }
            .ok_or(TooManyEndpoints { endpoint })?;
        }
        Ok(config)
    }

    /// The IPv4 endpoints.
    #[inline(always)]
    pub(crate) fn ipv4(&self) -> &Endpoints<Ipv4> {
        &self.ipv4
    }

    /// The IPv6 endpoints.
    #[inline(always)]
    pub(crate) fn ipv6(&self) -> &Endpoints<Ipv6> {
        &self.ipv6
    }
}

/// There are more endpoints of one address family than the filter has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyEndpoints {
    /// The first endpoint that found no room.
    pub endpoint: SocketAddr,
}

impl fmt::Display for TooManyEndpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint } = self;
        let unspecified = if endpoint.is_ipv4() {
            "0.0.0.0"
        } else {
            "[::]"
        };
        write!(
            f,
            "no room for {endpoint}: the XDP filter holds {ENDPOINTS_MAX} endpoints of each \
             address family; listen on {unspecified}:{} instead",
            endpoint.port()
        )
    }
}

impl core::error::Error for TooManyEndpoints {}

/// The endpoints of one address family: `count` addresses, and their ports at the same places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Endpoints<A> {
    addresses: [A; ENDPOINTS_MAX],
    ports: [Port; ENDPOINTS_MAX],
    /// As wide as the widest address, so that no byte is padding.
    count: u64,
}

impl<A: Address> Endpoints<A> {
    /// No endpoint.
    const EMPTY: Self = Self {
        addresses: [A::UNSPECIFIED; ENDPOINTS_MAX],
        ports: [Port::UNSPECIFIED; ENDPOINTS_MAX],
        count: 0,
    };

    /// Adds an endpoint, unless it is there; `None` where there is no room.
    fn insert(&mut self, address: A, port: Port) -> Option<()> {
        if self.iter().any(|endpoint| endpoint == (address, port)) {
            return Some(());
        }
        let place = usize::try_from(self.count).ok()?;
        *self.addresses.get_mut(place)? = address;
        *self.ports.get_mut(place)? = port;
        self.count += 1;
        Some(())
    }

    /// The endpoints, in the order in which they were added.
    #[inline(always)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (A, Port)> {
        // `zip` where `take` would do: the verifier has half as much to walk through.
        let endpoints = self.addresses.iter().zip(&self.ports);
        (0..self.count)
            .zip(endpoints)
            .map(|(_, (&address, &port))| (address, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;
    use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    #[test]
    fn layout_is_the_same_for_kernel_and_userspace() {
        assert_eq!(offset_of!(FilterConfig, ipv6.addresses), 0);
        assert_eq!(offset_of!(FilterConfig, ipv6.ports), 256);
        assert_eq!(offset_of!(FilterConfig, ipv6.count), 288);
        assert_eq!(offset_of!(FilterConfig, ipv4.addresses), 296);
        assert_eq!(offset_of!(FilterConfig, ipv4.ports), 360);
        assert_eq!(offset_of!(FilterConfig, ipv4.count), 392);
        assert_eq!(size_of::<FilterConfig>(), 400);
    }

    #[test]
    fn no_byte_is_padding() {
        let family = |address| ENDPOINTS_MAX * (address + size_of::<Port>()) + size_of::<u64>();
        assert_eq!(size_of::<FilterConfig>(), family(4) + family(16));
    }

    #[test]
    fn equal_endpoints_take_one_place() {
        let config = FilterConfig::new(&[v4(1), v4(2), v4(1), v6(1), v6(1)]).unwrap();
        assert_eq!(config.ipv4.count, 2);
        assert_eq!(config.ipv6.count, 1);
    }

    #[test]
    fn endpoints_that_find_no_room_are_named() {
        let mut endpoints = [v4(1); ENDPOINTS_MAX + 1];
        for (port, endpoint) in (1..).zip(&mut endpoints) {
            endpoint.set_port(port);
        }
        assert!(FilterConfig::new(&endpoints[..ENDPOINTS_MAX]).is_ok());
        let error = FilterConfig::new(&endpoints).unwrap_err();
        assert_eq!(error.endpoint, v4(17));
    }

    fn v4(port: u16) -> SocketAddr {
        (IpAddr::from(Ipv4Addr::LOCALHOST), port).into()
    }

    fn v6(port: u16) -> SocketAddr {
        (IpAddr::from(Ipv6Addr::LOCALHOST), port).into()
    }
}
