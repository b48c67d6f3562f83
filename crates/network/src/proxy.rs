//! kube-proxy: Services and EndpointSlices become rules.
