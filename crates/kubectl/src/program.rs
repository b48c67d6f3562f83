//! kubectl as a program: from words to an exit code.

use std::rc::Rc;

use crate::failure::{Failure, Outcome};
use crate::flags::parse::{self, Parsed};
use crate::flags::{Action, Args, Command, HelpTo, help};
use crate::session::Session;
use crate::tree;

/// Runs kubectl; `words` are the arguments without the program's name. The value is the exit code.
pub async fn run(session: Rc<Session>, words: &[String]) -> i32 {
    let outcome = dispatch(&session, words).await;
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            let (text, code) = failure.render();
            session.err(text).await;
            code
        }
    }
}

async fn dispatch(session: &Rc<Session>, words: &[String]) -> Outcome {
    match parse::parse(&tree::ROOT, words)? {
        Parsed::Help(command, path) => session.out(help_of(command, &path)).await,
        Parsed::Run(command, args) => match command.action {
            Action::Run(run) => run(Rc::clone(session), args).await,
            Action::Refuse(sentence) => Err(Failure::message(sentence)),
            Action::Group(to) => group(session, command, &args, to).await,
        },
    }
}

/// The help text of a command.
pub fn help_of(command: &'static Command, path: &str) -> String {
    if std::ptr::eq(command, &tree::ROOT) {
        return help::root(command.long, tree::GROUPS);
    }
    help::command(command, path)
}

/// A parent that was called by itself: its help and failure, or a complaint about what follows.
async fn group(session: &Session, command: &'static Command, args: &Args, to: HelpTo) -> Outcome {
    if let Some(word) = args.words.first() {
        return Err(args.usage(format!("unknown command \"{word}\"")));
    }
    if std::ptr::eq(command, &tree::ROOT) {
        return session.out(help_of(command, &args.path)).await;
    }
    let text = help_of(command, &args.path);
    match to {
        HelpTo::Out => session.out(text).await?,
        HelpTo::Err => session.err(text).await,
    }
    Err(Failure::Exit(1))
}
