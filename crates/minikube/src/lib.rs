//! minikube: see ARCHITECTURE.md.
