//! kubectl: a program of the learner's machine that talks to an API server and to nothing else.
//!
//! A command line is read by [`flags`] (rows of data), resolved into objects by [`targets`] with the server's own
//! discovery, carried out by a file of [`verbs`], and printed by [`printers`] or [`describe`]. Words, columns, exit codes
//! and the stream on which each thing is said are those of kubectl 1.36.3; help texts are our own.

pub mod age;
pub mod complete;
pub mod describe;
pub mod discovery;
pub mod duration;
pub mod editor;
pub mod failure;
pub mod flags;
pub mod gotemplate;
pub mod goval;
pub mod hashes;
pub mod jsonpath;
pub mod kubeconfig;
mod kustomize;
pub mod last_applied;
pub mod manifests;
pub mod place;
pub mod pods;
pub mod podspec;
pub mod printers;
pub mod program;
pub mod rest;
pub mod session;
pub mod sorting;
pub mod streams;
mod tar;
pub mod targets;
pub mod tree;
mod unified;
pub mod verbs;
pub mod waiting;
pub mod wordwrap;

pub use place::Kubectl;
