//! The worker that holds the cluster.

fn main() {
    web::worker::start();
}
