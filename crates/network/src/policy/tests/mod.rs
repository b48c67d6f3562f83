//! Policies on a model cluster, as upstream's tests have it (`test/e2e/network/netpol/model.go`), and on sockets.

mod enforced;
mod judged;
