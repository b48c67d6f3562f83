//! `--resolve HOST:PORT:ADDRESS[,ADDRESS...]`: addresses that take the place of what a name server says.

use std::net::Ipv4Addr;

use super::Failure;

/// curl's number for an entry that cannot be read (`CURLE_SETOPT_OPTION_SYNTAX`).
const EXIT_SYNTAX: i32 = 49;

/// The addresses given for a host and port, if there are any; of several entries the last one counts.
pub(super) fn find(entries: &[String], host: &str, port: u16) -> Result<Option<Vec<Ipv4Addr>>, Failure> {
    let mut found = None;
    for entry in entries {
        let unread = || Failure(EXIT_SYNTAX, format!("Couldn't parse CURLOPT_RESOLVE entry '{entry}'"));
        let mut parts = entry.trim_start_matches('+').splitn(3, ':');
        let (Some(name), Some(number)) = (parts.next(), parts.next()) else { return Err(unread()) };
        let number: u16 = number.parse().map_err(|_| unread())?;
        // With a dash before it an entry takes another one away.
        if let Some(name) = name.strip_prefix('-') {
            found = found.filter(|_| !(name.eq_ignore_ascii_case(host) && number == port));
            continue;
        }
        let addresses = parts.next().ok_or_else(unread)?;
        let addresses: Result<Vec<Ipv4Addr>, _> = addresses.split(',').map(str::parse).collect();
        let addresses = addresses.map_err(|_| unread())?;
        if (name == "*" || name.eq_ignore_ascii_case(host)) && number == port {
            found = Some(addresses);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(entries: &[&str]) -> Result<Option<String>, Failure> {
        let entries: Vec<String> = entries.iter().map(|e| (*e).to_owned()).collect();
        let found = find(&entries, "hello-world.example", 80)?;
        Ok(found.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")))
    }

    #[test]
    fn entries_are_for_a_host_and_a_port() {
        let one = "hello-world.example:80:192.168.49.2";
        assert_eq!(found(&[one]), Ok(Some("192.168.49.2".into())));
        assert_eq!(found(&["HELLO-world.example:80:10.0.0.1,10.0.0.2"]), Ok(Some("10.0.0.1 10.0.0.2".into())));
        assert_eq!(found(&["hello-world.example:443:192.168.49.2"]), Ok(None));
        assert_eq!(found(&["*:80:10.0.0.1", one]), Ok(Some("192.168.49.2".into())));
        assert_eq!(found(&[one, "-hello-world.example:80"]), Ok(None));
        assert_eq!(found(&[]), Ok(None));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for entry in ["hello-world.example", "a:b:1.2.3.4", "a:80", "a:80:nowhere"] {
            let failure = Failure(49, format!("Couldn't parse CURLOPT_RESOLVE entry '{entry}'"));
            assert_eq!(found(&[entry]), Err(failure));
        }
    }
}
