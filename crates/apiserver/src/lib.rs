//! The API server: http types in, http types out, over the store.
//!
//! The one way into the cluster. It knows nothing of controllers, schedulers or kubelets except as clients; the only
//! thing it calls is a node or a pod, through [`NodeProxy`].
//!
//! Way of a request: [`server`] (trace) → [`handler`] (route, negotiate) → [`registry`] (read, write, watch) with the
//! rules of the kind from [`strategy`], the plugins of [`admission`] and the words of [`validation`] → [`wire`].

mod admission;
mod aggregator;
mod allocator;
mod authentication;
mod authorization;
mod bootstrap;
mod computed;
mod custom;
mod descriptions;
mod discovery;
mod disruption;
mod failure;
mod handler;
mod health;
mod managed;
mod metrics;
mod negotiate;
mod openapi;
mod patch;
mod protobuf;
mod proxy;
mod registry;
mod request;
mod server;
mod strategy;
mod subresource;
mod table;
mod token;
mod validation;
mod value;
mod wire;

pub use server::{ApiServer, Config, MINIKUBE_STORAGE_CLASS, NoNodes, NodeProxy};
