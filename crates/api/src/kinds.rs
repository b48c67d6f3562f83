//! The table of kinds. The next kind is a row here and a test folder.

/// One kind as discovery describes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// Version, e.g. `v1`.
    pub version: &'static str,
    /// Kind, e.g. `Deployment`.
    pub kind: &'static str,
    /// Resource name, e.g. `deployments`.
    pub plural: &'static str,
    /// Singular name, e.g. `deployment`.
    pub singular: &'static str,
    /// Short names, e.g. `deploy`.
    pub short_names: &'static [&'static str],
    /// Categories, e.g. `all`.
    pub categories: &'static [&'static str],
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Subresources that are served, e.g. `status`, `scale`, `log`.
    pub subresources: &'static [&'static str],
    /// Key of the definition in the schema table, e.g. `io.k8s.api.apps.v1.Deployment`.
    pub schema: &'static str,
}

impl Kind {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `deployments.apps`, or `pods` in the core group: as messages name a resource.
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `/api/v1` or `/apis/apps/v1`.
    pub fn api_root(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }

    /// The path of a collection; `namespace` is empty for all namespaces or for cluster-scoped kinds.
    pub fn collection_path(&self, namespace: &str) -> String {
        if namespace.is_empty() || !self.namespaced {
            format!("{}/{}", self.api_root(), self.plural)
        } else {
            format!("{}/namespaces/{namespace}/{}", self.api_root(), self.plural)
        }
    }

    /// The path of one object.
    pub fn object_path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.collection_path(namespace))
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $id:ident = $group:literal $version:literal $kind:literal $plural:literal $singular:literal
        short $short:tt categories $cat:tt $scope:ident sub $sub:tt schema $schema:literal;)*) => {
        $($(#[$doc])* pub static $id: Kind = Kind {
            group: $group, version: $version, kind: $kind, plural: $plural, singular: $singular,
            short_names: &$short, categories: &$cat, namespaced: kinds!(@scope $scope),
            subresources: &$sub, schema: $schema,
        };)*
        /// Every kind that the API server stores, core group first, in the order of discovery.
        pub static KINDS: &[&Kind] = &[$(&$id),*];
    };
    (@scope namespaced) => { true };
    (@scope cluster) => { false };
}

kinds! {
    /// ConfigMap
    CONFIG_MAPS = "" "v1" "ConfigMap" "configmaps" "configmap" short ["cm"] categories [] namespaced sub [] schema "io.k8s.api.core.v1.ConfigMap";
    /// Endpoints
    ENDPOINTS = "" "v1" "Endpoints" "endpoints" "endpoints" short ["ep"] categories [] namespaced sub [] schema "io.k8s.api.core.v1.Endpoints";
    /// Event (core/v1)
    EVENTS = "" "v1" "Event" "events" "event" short ["ev"] categories [] namespaced sub [] schema "io.k8s.api.core.v1.Event";
    /// Namespace
    NAMESPACES = "" "v1" "Namespace" "namespaces" "namespace" short ["ns"] categories [] cluster sub ["finalize", "status"] schema "io.k8s.api.core.v1.Namespace";
    /// Node
    NODES = "" "v1" "Node" "nodes" "node" short ["no"] categories [] cluster sub ["proxy", "status"] schema "io.k8s.api.core.v1.Node";
    /// Pod
    PODS = "" "v1" "Pod" "pods" "pod" short ["po"] categories ["all"] namespaced sub ["attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status"] schema "io.k8s.api.core.v1.Pod";
    /// Secret
    SECRETS = "" "v1" "Secret" "secrets" "secret" short [] categories [] namespaced sub [] schema "io.k8s.api.core.v1.Secret";
    /// ServiceAccount
    SERVICE_ACCOUNTS = "" "v1" "ServiceAccount" "serviceaccounts" "serviceaccount" short ["sa"] categories [] namespaced sub ["token"] schema "io.k8s.api.core.v1.ServiceAccount";
    /// Service
    SERVICES = "" "v1" "Service" "services" "service" short ["svc"] categories ["all"] namespaced sub ["proxy", "status"] schema "io.k8s.api.core.v1.Service";
    /// Deployment
    DEPLOYMENTS = "apps" "v1" "Deployment" "deployments" "deployment" short ["deploy"] categories ["all"] namespaced sub ["scale", "status"] schema "io.k8s.api.apps.v1.Deployment";
    /// ReplicaSet
    REPLICA_SETS = "apps" "v1" "ReplicaSet" "replicasets" "replicaset" short ["rs"] categories ["all"] namespaced sub ["scale", "status"] schema "io.k8s.api.apps.v1.ReplicaSet";
    /// Lease
    LEASES = "coordination.k8s.io" "v1" "Lease" "leases" "lease" short [] categories [] namespaced sub [] schema "io.k8s.api.coordination.v1.Lease";
    /// EndpointSlice
    ENDPOINT_SLICES = "discovery.k8s.io" "v1" "EndpointSlice" "endpointslices" "endpointslice" short [] categories [] namespaced sub [] schema "io.k8s.api.discovery.v1.EndpointSlice";
}

/// The row for a group, version and plural.
pub fn by_resource(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|k| k.group == group && k.version == version && k.plural == plural)
}

/// The row for an `apiVersion` and `kind`.
pub fn by_kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    KINDS.iter().copied().find(|k| k.group == group && k.version == version && k.kind == kind)
}
