//! `coredns`, the DNS server of a cluster, see [`dns`]. The other programs of the system pods are `standin`.

mod dns;
mod question;

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().collect();
    for signal in [proc::SIGTERM, proc::SIGINT] {
        let _ = proc::on_signal(signal, proc::Disposition::Catch);
    }
    std::process::exit(dns::run(&args));
}
