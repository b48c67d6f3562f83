//! The controllers and the scheduler together with the API server, held to recordings of Kubernetes v1.36.3.

mod convergence;
mod custom;
mod facts;
mod life;
mod record;
mod rollouts;
mod settled;
mod wakes;
mod world;
