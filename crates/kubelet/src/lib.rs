//! kubelet: see ARCHITECTURE.md.
