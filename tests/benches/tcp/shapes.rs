//! Connections and pipelining: Ripples beside an echo that sends as many bytes.

use crate::helper::Helper;
use crate::options::Options;
use crate::place::{self, Place, filled, point};
use std::net::SocketAddr;
use tests::client::ask_tcp;
use tests::interrupt::is_interrupted;
use tests::tcp_load::echo::Echo;
use tests::tcp_load::questions::{Expects, SIZE, plain};
use tests::wire::point::Point;
use tests::wire::servers::named;
use tests::wire::stage::Cpus;
use tests::wire::worlds::World;

/// The name of the part.
pub(crate) const PART: &str = "shapes";
/// Names of the two in the output.
pub(crate) const OURS: &str = "ripples";
pub(crate) const ECHO: &str = "echo";
/// Where the echo listens.
const ECHO_PORT: u16 = 5300;

/// Goes through all shapes, in each first the one and then the other; the next round begins with
/// the other.
pub(crate) fn measure(
    options: &Options,
    cpus: Cpus,
    world: &World,
    round: u64,
    then: &mut impl FnMut(Point),
) {
    let server = named("ripples-socket");
    let outcome = place::with(server, options, options.fifo, cpus, world, |place| {
        let echo = Echo {
            listen: SocketAddr::new(place.address.ip(), ECHO_PORT),
            ..lens(place)
        };
        let helper = Helper::echo(&place.loopback().on(cpus.server), echo)?;
        let mut roles = [
            (
                OURS,
                place.address,
                Expects::Answers,
                place.processes.clone(),
            ),
            (ECHO, echo.listen, Expects::Echo, vec![helper.id()]),
        ];
        if round.is_multiple_of(2) {
            roles.reverse();
        }
        for &shape in &options.shapes {
            for (role, address, expects, processes) in &roles {
                if is_interrupted() {
                    return Ok(());
                }
                let said = place.load(*address, shape, *expects, options.window, processes);
                let point = point(PART, role, "own")
                    .with("connections", shape.connections)
                    .with("pipelined", shape.pipelined)
                    .with("query_len", echo.query_len)
                    .with("reply_len", echo.reply_len);
                filled(point, said).into_iter().for_each(&mut *then);
            }
        }
        Ok(())
    });
    if let Err(why) | Ok(Err(why)) = outcome
        && !is_interrupted()
    {
        then(point(PART, OURS, "own").with("error", why));
    }
}

/// An echo for queries and replies of such lengths.
fn lens(place: &Place<'_>) -> Echo {
    let query = plain(&SIZE.host(0).0);
    let namespace = &place.stage.veth.server.namespace;
    let reply = namespace.run(|| ask_tcp(place.address, &query));
    Echo {
        listen: place.address,
        query_len: query.len(),
        reply_len: reply.len(),
    }
}
