//! Published ports: what docker-proxy does, a listener on the machine that passes connections on to a container.

use std::net::{Ipv4Addr, SocketAddrV4};

use network::{NetError, NetNs, TcpStream};
use simulation::{Sim, Task};

/// The first port that is given to those who do not name one (`net.ipv4.ip_local_port_range`).
const EPHEMERAL_FIRST: u16 = 32_768;

/// A port of the machine and the port of the container behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    /// The address of the machine; 0.0.0.0 for all.
    pub(crate) address: Ipv4Addr,
    /// The machine's port; 0 for any.
    pub(crate) host: u16,
    /// The container's port.
    pub(crate) container: u16,
}

impl Publish {
    /// Reads `[ADDRESS:][HOST:]CONTAINER[/tcp]`.
    ///
    /// # Errors
    /// The sentence with which the command line refuses it.
    pub(crate) fn parse(text: &str) -> Result<Publish, String> {
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        if protocol == "udp" {
            return Err(simulation::stub!("docker", "publishing of UDP ports").to_owned());
        }
        if protocol != "tcp" {
            return Err(format!("invalid proto: {protocol}"));
        }
        let parts: Vec<&str> = ports.split(':').collect();
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
        let (address, host, container) = match parts[..] {
            [container] => ("", "", container),
            [host, container] => ("", host, container),
            [address, host, container] => (address, host, container),
            _ => return Err(format!("invalid publish opts format (should be name=value but got '{text}')")),
        };
        let Some(inside) = port(container) else {
            return Err(match container {
                "" => format!("no port specified: {text}<empty>"),
                _ => format!("invalid containerPort: {container}"),
            });
        };
        let outside = if host.is_empty() { Some(0) } else { port(host) };
        let outside = outside.ok_or_else(|| format!("invalid hostPort: {host}"))?;
        let address = match address {
            "" => Ipv4Addr::UNSPECIFIED,
            "localhost" => Ipv4Addr::LOCALHOST,
            text => text.parse().map_err(|_| format!("invalid IP address: {text}"))?,
        };
        Ok(Publish { address, host: outside, container: inside })
    }
}

/// A port that is passed on for as long as this lives.
pub(crate) struct Proxy(Task<()>);

impl Drop for Proxy {
    fn drop(&mut self) {
        if !self.0.is_finished() {
            self.0.abort();
        }
    }
}

/// Begins to pass connections on; the machine's port that was taken. `name`: the container, for the words of an error.
/// `is_containers`: whether it is another container that has the port, if it is taken.
///
/// # Errors
/// Docker's words for a port that cannot be had.
pub(super) fn start(
    sim: &Sim,
    machine: &NetNs,
    container: &NetNs,
    publish: Publish,
    name: &str,
    id: &str,
    is_containers: bool,
) -> Result<(u16, Proxy), String> {
    let candidates = if publish.host == 0 { EPHEMERAL_FIRST..=60_999 } else { publish.host..=publish.host };
    for port in candidates {
        match machine.listen(SocketAddrV4::new(publish.address, port)) {
            Ok(listener) => {
                let (sim, inside) = (sim.clone(), container.clone());
                let to = container.addresses().first().copied().unwrap_or(Ipv4Addr::LOCALHOST);
                let to = SocketAddrV4::new(to, publish.container);
                let tasks = sim.clone();
                let task = sim.spawn(async move {
                    while let Ok(near) = listener.accept().await {
                        let inside = inside.clone();
                        let again = tasks.clone();
                        tasks.spawn(async move { carry(&again, near, &inside, to).await });
                    }
                });
                return Ok((port, Proxy(task)));
            }
            Err(NetError::AddrInUse) if publish.host == 0 => {}
            Err(NetError::AddrInUse) if is_containers => {
                let at = format!("{}:{port}", publish.address);
                return Err(refused(name, id, &format!("Bind for {at} failed: port is already allocated")));
            }
            Err(why) => {
                let inside = container.addresses().first().copied().unwrap_or(Ipv4Addr::LOCALHOST);
                return Err(refusal(publish, inside, why, name, id));
            }
        }
    }
    Err(refused(name, id, "all ports are allocated"))
}

fn refusal(publish: Publish, inside: Ipv4Addr, why: NetError, name: &str, id: &str) -> String {
    let at = format!("{}:{}", publish.address, publish.host);
    let detail = match why {
        NetError::AddrInUse => {
            format!("failed to bind host port for {at}:{inside}:{}/tcp: address already in use", publish.container)
        }
        NetError::AddrNotAvailable => format!("cannot assign requested address: {at}"),
        other => other.to_string(),
    };
    refused(name, id, &detail)
}

fn refused(name: &str, id: &str, detail: &str) -> String {
    format!(
        "failed to set up container networking: driver failed programming external connectivity on endpoint {name} ({id}): {detail}"
    )
}

/// Both ways, until both have ended. A container that does not listen resets the connection, as through docker-proxy.
async fn carry(sim: &Sim, near: TcpStream, inside: &NetNs, to: SocketAddrV4) {
    // From inside, so that it takes no way that the machine has not.
    let Ok(far) = inside.connect(to).await else {
        near.abort();
        return;
    };
    let back = sim.spawn(copy(far.clone(), near.clone()));
    copy(near.clone(), far.clone()).await;
    let _ = back.await; // it cannot be aborted: nobody has it
    near.close();
    far.close();
}

async fn copy(from: TcpStream, to: TcpStream) {
    while let Ok(bytes) = from.read().await {
        if bytes.is_empty() || to.write_all(&bytes).await.is_err() {
            break;
        }
    }
    to.shutdown_write();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_as_the_command_line_reads_them() {
        let read = |text: &str| Publish::parse(text).map(|p| (p.address.to_string(), p.host, p.container));
        assert_eq!(read("8080:80"), Ok(("0.0.0.0".into(), 8080, 80)));
        assert_eq!(read("127.0.0.1:8080:80/tcp"), Ok(("127.0.0.1".into(), 8080, 80)));
        assert_eq!(read("80"), Ok(("0.0.0.0".into(), 0, 80)));
        assert_eq!(read("80:http"), Err("invalid containerPort: http".into()));
        assert_eq!(read("x:80"), Err("invalid hostPort: x".into()));
        assert_eq!(read("80/xyz"), Err("invalid proto: xyz".into()));
    }
}
