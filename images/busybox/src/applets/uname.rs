//! uname, arch, nproc.

use crate::applet::{Io, Options, Outcome};

/// What the host calls itself. The machine is simulated and says so. Containers share their node's kernel: the release is
/// that of the node's status (crates/kubelet/src/node.rs) and of `uname` there (crates/shell/src/tools/host.rs).
const KERNEL: [(char, &str); 5] =
    [('s', "Linux"), ('n', ""), ('r', "6.6.87-kubonsai"), ('v', "#1 SMP PREEMPT_DYNAMIC Kubonsai"), ('m', "x86_64")];

/// Prints the system's names.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "amnrspvio", &[])?;
    let all = options.has('a');
    let none = !['m', 'n', 'r', 's', 'p', 'v', 'i', 'o'].iter().any(|l| options.has(*l));
    let mut words: Vec<String> = KERNEL
        .iter()
        .filter(|(letter, _)| all || options.has(*letter) || (none && *letter == 's'))
        .map(|(letter, text)| if *letter == 'n' { proc::hostname() } else { (*text).to_owned() })
        .collect();
    if options.has('p') || options.has('i') {
        words.push("unknown".to_owned());
    }
    if all || options.has('o') {
        words.push("GNU/Linux".to_owned());
    }
    writeln!(io.out, "{}", words.join(" "))?;
    Ok(0)
}

/// Prints the machine's type.
pub fn arch(io: &mut Io<'_>, _: &[String]) -> Outcome {
    writeln!(io.out, "x86_64")?;
    Ok(0)
}

/// Prints the number of processors.
pub fn nproc(io: &mut Io<'_>, _: &[String]) -> Outcome {
    writeln!(io.out, "2")?;
    Ok(0)
}
