//! The page itself.

fn main() {
    web::app::start();
}
