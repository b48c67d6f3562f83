//! touch.

use std::fs::OpenOptions;
use std::time::SystemTime;

use crate::applet::{Fail, Io, Options, Outcome, about};

/// Makes files, or sets their time to now.
pub fn run(_: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "camd:t:r:", &[])?;
    if options.value('d').is_some() || options.value('t').is_some() || options.value('r').is_some() {
        return Err(Fail::Message("kubonsai does not support setting another time than now (touch) yet".to_owned()));
    }
    for file in &options.operands {
        let exists = std::fs::metadata(file).is_ok();
        if options.has('c') && !exists {
            continue;
        }
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(file);
        match opened {
            Ok(opened) => opened.set_modified(SystemTime::now()).or_else(|e| if exists { Err(e) } else { Ok(()) })?,
            Err(_) if std::fs::metadata(file).is_ok_and(|m| m.is_dir()) => {}
            Err(error) => return Err(Fail::Message(about(file, &error))),
        }
    }
    Ok(0)
}
