//! nc.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use net::{TcpListener, TcpStream, Wait, wait};

use crate::applet::{Fail, Io, Options, Outcome};

fn fail(error: &std::io::Error, address: &str) -> Fail {
    Fail::Message(format!("{address}: {}", proc::Errno::from_io(error)))
}

/// Copies both ways until the other end is done.
fn talk(io: &mut Io<'_>, mut stream: TcpStream, patience: Option<Duration>) -> Result<(), Fail> {
    let mut buffer = [0u8; 4096];
    let mut input_open = true;
    loop {
        let mut what = vec![Wait::Read(stream.fd())];
        if input_open {
            what.push(Wait::Read(0));
        }
        let ready = match wait(&what, patience) {
            Ok(ready) if ready.is_empty() => return Ok(()),
            Ok(ready) => ready,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        if ready.contains(&0) {
            match stream.read(&mut buffer)? {
                0 => return Ok(()),
                count => {
                    io.out.write_all(&buffer[..count])?;
                    io.out.flush()?;
                }
            }
        }
        if ready.contains(&1) {
            match proc::file(0).read(&mut buffer)? {
                0 => {
                    input_open = false;
                    stream.shutdown_write()?;
                }
                count => stream.write_all(&buffer[..count])?,
            }
        }
    }
}

/// Connects or listens.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "lp:vzw:nukq:", &[])?;
    if options.has('u') {
        return Err(Fail::Message("kubonsai does not support UDP (nc) yet".to_owned()));
    }
    let patience = options.number('w')?.and_then(|s| u64::try_from(s).ok()).map(Duration::from_secs);
    let port = |text: &str| text.parse::<u16>().map_err(|_| Fail::Message(format!("bad port '{text}'")));
    if options.has('l') {
        let text = options.value('p').or(options.operands.last().map(String::as_str)).unwrap_or("0");
        let address = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port(text)?);
        let listener = TcpListener::bind(address).map_err(|e| fail(&e, "bind"))?;
        loop {
            talk(io, listener.accept().map_err(|e| fail(&e, "accept"))?, None)?;
            if !options.has('k') {
                return Ok(0);
            }
        }
    }
    let [host, text] = options.operands.as_slice() else {
        return Err(Fail::Message("usage: nc [-vz] HOST PORT".to_owned()));
    };
    let port = port(text)?;
    let addresses = net::resolve(host).map_err(|_| Fail::Message(format!("bad address '{host}'")))?;
    let Some(ip) = addresses.first() else { return Err(Fail::Message(format!("bad address '{host}'"))) };
    let name = format!("{host} ({ip}:{port})");
    let stream = TcpStream::connect_within(SocketAddrV4::new(*ip, port), patience).map_err(|error| {
        if proc::Errno::from_io(&error) == proc::Errno::AGAIN {
            Fail::Message("timed out".to_owned())
        } else {
            fail(&error, &name)
        }
    })?;
    if options.has('v') {
        writeln!(io.err, "{name} open")?;
    }
    if !options.has('z') {
        talk(io, stream, patience)?;
    }
    Ok(0)
}
