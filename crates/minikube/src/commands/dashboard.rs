//! `minikube dashboard`: the inspector beside the terminal stands for the dashboard.

use futures_util::future::LocalBoxFuture;
use machine::Show;

use crate::command::{Command, Flag};
use crate::commands::info::not_running;
use crate::out::Style;
use crate::program::Call;

pub(crate) static COMMAND: Command = Command {
    name: "dashboard",
    aliases: &[],
    usage: "",
    help: "Look into the cluster, in the inspector beside the terminal",
    flags: &[Flag { name: "url", short: None, default: None, help: "Print an address instead of opening it" }],
    run,
};

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
        if !status.running {
            return not_running(&call).await;
        }
        if call.parsed.is_on("url") {
            call.error(Style::Exit, simulation::stub!("minikube dashboard", "--url: it has no address")).await;
            return 1;
        }
        let Some(desktop) = call.ctx.host.desktop() else {
            call.error(Style::Exit, simulation::stub!("minikube dashboard", "a dashboard where there is no page"))
                .await;
            return 1;
        };
        call.step(Style::Celebrate, "Opening the inspector beside the terminal: here it is the dashboard ...").await;
        desktop.show(Show::Dashboard);
        0
    })
}
