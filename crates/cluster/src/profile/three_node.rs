//! `minikube start --nodes 3`.

use super::{Profile, minikube};

/// The profile.
pub(super) static PROFILE: Profile = Profile { name: "three-node", nodes: 3, ..minikube::BASE };
