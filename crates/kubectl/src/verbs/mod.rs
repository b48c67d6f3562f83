//! The commands, one file each.

pub mod apply;
pub mod cluster_info;
pub mod config;
pub mod create;
pub mod delete;
pub mod events;
pub mod exec;
pub mod explain;
pub mod expose;
pub mod get;
pub mod label;
pub mod logs;
pub mod nodes;
pub mod partly;
pub mod patch;
pub mod port_forward;
pub mod proxy;
pub mod refused;
pub mod replace;
pub mod rollout;
pub mod run;
pub mod scale;
pub mod set;
pub mod taint;
pub mod version;
pub mod wait;
