//! Lines as minikube prints them: with a picture on a terminal, with a plain mark otherwise
//! (minikube's `pkg/minikube/style`).

use machine::Ctx;

/// The kinds of lines: picture and plain mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Happy,
    Sparkle,
    Running,
    Thumbs,
    Fire,
    Docker,
    Network,
    Verify,
    Ready,
    Stopping,
    Stopped,
    Pause,
    Unpause,
    Crushed,
    Meh,
    Shrug,
    Workaround,
    Exit,
    Celebrate,
    Sad,
    Tip,
    Success,
    Warning,
    Option,
    AddonEnable,
    AddonDisable,
}

impl Style {
    fn mark(self, tty: bool) -> &'static str {
        let (picture, plain) = match self {
            Style::Happy => ("😄  ", "* "),
            Style::Sparkle => ("✨  ", "* "),
            Style::Running => ("🏃  ", "* "),
            Style::Thumbs => ("👍  ", "* "),
            Style::Fire => ("🔥  ", "* "),
            Style::Docker => ("🐳  ", "* "),
            Style::Network => ("🔗  ", "* "),
            Style::Verify => ("🔎  ", "* "),
            Style::Ready => ("🏄  ", "* "),
            Style::Stopping => ("✋  ", "* "),
            Style::Stopped => ("🛑  ", "* "),
            Style::Pause => ("⏸️  ", "* "),
            Style::Unpause => ("⏯️  ", "* "),
            Style::Crushed => ("💀  ", "* "),
            Style::Meh => ("🙄  ", "! "),
            Style::Shrug => ("🤷  ", "* "),
            Style::Workaround => ("👉  ", "  "),
            Style::Exit => ("❌  ", "X "),
            Style::Celebrate => ("🎉  ", "* "),
            Style::Sad => ("😿  ", "* "),
            Style::Tip => ("💡  ", "* "),
            Style::Success => ("✅  ", "* "),
            Style::Warning => ("❗  ", "! "),
            Style::Option => ("    ▪ ", "  - "),
            Style::AddonEnable => ("🌟  ", "* "),
            Style::AddonDisable => ("🌑  ", "* "),
        };
        if tty { picture } else { plain }
    }
}

/// Prints a line to standard output.
pub(crate) async fn step(ctx: &Ctx, style: Style, text: impl AsRef<str>) {
    let mark = style.mark(ctx.stdout.is_tty());
    // A reader that has gone is no reason to leave a cluster half made.
    let _ = ctx.stdout.println(format!("{mark}{}", text.as_ref())).await;
}

/// Prints a line to standard error.
pub(crate) async fn error(ctx: &Ctx, style: Style, text: impl AsRef<str>) {
    let mark = style.mark(ctx.stderr.is_tty());
    ctx.err(format!("{mark}{}\n", text.as_ref())).await;
}

/// `Exiting due to REASON: message` between empty lines (minikube's `out.Error`), then advice if there is any.
pub(crate) async fn give_up(ctx: &Ctx, reason: &str, message: &str, advice: Option<&str>) {
    // The empty lines go to standard output, as minikube's do.
    let _ = ctx.stdout.println("").await;
    error(ctx, Style::Exit, format!("Exiting due to {reason}: {message}")).await;
    if let Some(advice) = advice {
        error(ctx, Style::Tip, format!("Suggestion: {advice}")).await;
    }
    let _ = ctx.stdout.println("").await;
}
