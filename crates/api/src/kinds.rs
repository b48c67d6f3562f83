//! The table of kinds. The next kind is a row here and a test folder.

/// One kind as discovery describes it.
#[derive(Debug, Eq)]
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

impl PartialEq for Kind {
    fn eq(&self, other: &Kind) -> bool {
        let names = |k: &Kind| (k.kind, k.group, k.version, k.plural, k.singular, k.namespaced, k.schema);
        let lists = |k: &Kind| (k.short_names, k.categories, k.subresources);
        // A row of the table is itself: most questions end here.
        std::ptr::eq(self, other) || (names(self) == names(other) && lists(self) == lists(other))
    }
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
    ($(#[$list_doc:meta])* $list:ident: $($(#[$doc:meta])* $id:ident = $group:literal $version:literal $kind:literal $plural:literal $singular:literal
        short $short:tt categories $cat:tt $scope:ident sub $sub:tt schema $schema:literal;)*) => {
        $($(#[$doc])* pub static $id: Kind = Kind {
            group: $group, version: $version, kind: $kind, plural: $plural, singular: $singular,
            short_names: &$short, categories: &$cat, namespaced: kinds!(@scope $scope),
            subresources: &$sub, schema: $schema,
        };)*
        $(#[$list_doc])*
        pub static $list: &[&Kind] = &[$(&$id),*];
    };
    (@scope namespaced) => { true };
    (@scope cluster) => { false };
}

kinds! {
    /// Every kind that the API server stores, core group first, in the order of discovery.
    KINDS:
    /// ConfigMap
    CONFIG_MAPS = "" "v1" "ConfigMap" "configmaps" "configmap" short ["cm"] categories [] namespaced sub [] schema "io.k8s.api.core.v1.ConfigMap";
    /// Endpoints
    ENDPOINTS = "" "v1" "Endpoints" "endpoints" "endpoints" short ["ep"] categories [] namespaced sub [] schema "io.k8s.api.core.v1.Endpoints";
    /// Event (core/v1)
    EVENTS = "" "v1" "Event" "events" "event" short ["ev"] categories [] namespaced sub [] schema "io.k8s.api.core.v1.Event";
    /// LimitRange
    LIMIT_RANGES = "" "v1" "LimitRange" "limitranges" "limitrange" short ["limits"] categories [] namespaced sub [] schema "io.k8s.api.core.v1.LimitRange";
    /// Namespace
    NAMESPACES = "" "v1" "Namespace" "namespaces" "namespace" short ["ns"] categories [] cluster sub ["finalize", "status"] schema "io.k8s.api.core.v1.Namespace";
    /// Node
    NODES = "" "v1" "Node" "nodes" "node" short ["no"] categories [] cluster sub ["proxy", "status"] schema "io.k8s.api.core.v1.Node";
    /// PersistentVolumeClaim
    PERSISTENT_VOLUME_CLAIMS = "" "v1" "PersistentVolumeClaim" "persistentvolumeclaims" "persistentvolumeclaim" short ["pvc"] categories [] namespaced sub ["status"] schema "io.k8s.api.core.v1.PersistentVolumeClaim";
    /// PersistentVolume
    PERSISTENT_VOLUMES = "" "v1" "PersistentVolume" "persistentvolumes" "persistentvolume" short ["pv"] categories [] cluster sub ["status"] schema "io.k8s.api.core.v1.PersistentVolume";
    /// Pod
    PODS = "" "v1" "Pod" "pods" "pod" short ["po"] categories ["all"] namespaced sub ["attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize", "status"] schema "io.k8s.api.core.v1.Pod";
    /// PodTemplate
    POD_TEMPLATES = "" "v1" "PodTemplate" "podtemplates" "podtemplate" short [] categories [] namespaced sub [] schema "io.k8s.api.core.v1.PodTemplate";
    /// ReplicationController
    REPLICATION_CONTROLLERS = "" "v1" "ReplicationController" "replicationcontrollers" "replicationcontroller" short ["rc"] categories ["all"] namespaced sub ["scale", "status"] schema "io.k8s.api.core.v1.ReplicationController";
    /// ResourceQuota
    RESOURCE_QUOTAS = "" "v1" "ResourceQuota" "resourcequotas" "resourcequota" short ["quota"] categories [] namespaced sub ["status"] schema "io.k8s.api.core.v1.ResourceQuota";
    /// Secret
    SECRETS = "" "v1" "Secret" "secrets" "secret" short [] categories [] namespaced sub [] schema "io.k8s.api.core.v1.Secret";
    /// ServiceAccount
    SERVICE_ACCOUNTS = "" "v1" "ServiceAccount" "serviceaccounts" "serviceaccount" short ["sa"] categories [] namespaced sub ["token"] schema "io.k8s.api.core.v1.ServiceAccount";
    /// Service
    SERVICES = "" "v1" "Service" "services" "service" short ["svc"] categories ["all"] namespaced sub ["proxy", "status"] schema "io.k8s.api.core.v1.Service";
    /// MutatingAdmissionPolicy
    MUTATING_ADMISSION_POLICIES = "admissionregistration.k8s.io" "v1" "MutatingAdmissionPolicy" "mutatingadmissionpolicies" "mutatingadmissionpolicy" short [] categories ["api-extensions"] cluster sub [] schema "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy";
    /// MutatingAdmissionPolicyBinding
    MUTATING_ADMISSION_POLICY_BINDINGS = "admissionregistration.k8s.io" "v1" "MutatingAdmissionPolicyBinding" "mutatingadmissionpolicybindings" "mutatingadmissionpolicybinding" short [] categories ["api-extensions"] cluster sub [] schema "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding";
    /// MutatingWebhookConfiguration
    MUTATING_WEBHOOK_CONFIGURATIONS = "admissionregistration.k8s.io" "v1" "MutatingWebhookConfiguration" "mutatingwebhookconfigurations" "mutatingwebhookconfiguration" short [] categories ["api-extensions"] cluster sub [] schema "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration";
    /// ValidatingAdmissionPolicy
    VALIDATING_ADMISSION_POLICIES = "admissionregistration.k8s.io" "v1" "ValidatingAdmissionPolicy" "validatingadmissionpolicies" "validatingadmissionpolicy" short [] categories ["api-extensions"] cluster sub ["status"] schema "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy";
    /// ValidatingAdmissionPolicyBinding
    VALIDATING_ADMISSION_POLICY_BINDINGS = "admissionregistration.k8s.io" "v1" "ValidatingAdmissionPolicyBinding" "validatingadmissionpolicybindings" "validatingadmissionpolicybinding" short [] categories ["api-extensions"] cluster sub [] schema "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding";
    /// ValidatingWebhookConfiguration
    VALIDATING_WEBHOOK_CONFIGURATIONS = "admissionregistration.k8s.io" "v1" "ValidatingWebhookConfiguration" "validatingwebhookconfigurations" "validatingwebhookconfiguration" short [] categories ["api-extensions"] cluster sub [] schema "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration";
    /// CustomResourceDefinition
    CUSTOM_RESOURCE_DEFINITIONS = "apiextensions.k8s.io" "v1" "CustomResourceDefinition" "customresourcedefinitions" "customresourcedefinition" short ["crd", "crds"] categories ["api-extensions"] cluster sub ["status"] schema "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition";
    /// APIService
    API_SERVICES = "apiregistration.k8s.io" "v1" "APIService" "apiservices" "apiservice" short [] categories ["api-extensions"] cluster sub ["status"] schema "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService";
    /// ControllerRevision
    CONTROLLER_REVISIONS = "apps" "v1" "ControllerRevision" "controllerrevisions" "controllerrevision" short [] categories [] namespaced sub [] schema "io.k8s.api.apps.v1.ControllerRevision";
    /// DaemonSet
    DAEMON_SETS = "apps" "v1" "DaemonSet" "daemonsets" "daemonset" short ["ds"] categories ["all"] namespaced sub ["status"] schema "io.k8s.api.apps.v1.DaemonSet";
    /// Deployment
    DEPLOYMENTS = "apps" "v1" "Deployment" "deployments" "deployment" short ["deploy"] categories ["all"] namespaced sub ["scale", "status"] schema "io.k8s.api.apps.v1.Deployment";
    /// ReplicaSet
    REPLICA_SETS = "apps" "v1" "ReplicaSet" "replicasets" "replicaset" short ["rs"] categories ["all"] namespaced sub ["scale", "status"] schema "io.k8s.api.apps.v1.ReplicaSet";
    /// StatefulSet
    STATEFUL_SETS = "apps" "v1" "StatefulSet" "statefulsets" "statefulset" short ["sts"] categories ["all"] namespaced sub ["scale", "status"] schema "io.k8s.api.apps.v1.StatefulSet";
    /// HorizontalPodAutoscaler
    HORIZONTAL_POD_AUTOSCALERS = "autoscaling" "v2" "HorizontalPodAutoscaler" "horizontalpodautoscalers" "horizontalpodautoscaler" short ["hpa"] categories ["all"] namespaced sub ["status"] schema "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler";
    /// CertificateSigningRequest
    CERTIFICATE_SIGNING_REQUESTS = "certificates.k8s.io" "v1" "CertificateSigningRequest" "certificatesigningrequests" "certificatesigningrequest" short ["csr"] categories [] cluster sub ["approval", "status"] schema "io.k8s.api.certificates.v1.CertificateSigningRequest";
    /// CronJob
    CRON_JOBS = "batch" "v1" "CronJob" "cronjobs" "cronjob" short ["cj"] categories ["all"] namespaced sub ["status"] schema "io.k8s.api.batch.v1.CronJob";
    /// Job
    JOBS = "batch" "v1" "Job" "jobs" "job" short [] categories ["all"] namespaced sub ["status"] schema "io.k8s.api.batch.v1.Job";
    /// Lease
    LEASES = "coordination.k8s.io" "v1" "Lease" "leases" "lease" short [] categories [] namespaced sub [] schema "io.k8s.api.coordination.v1.Lease";
    /// EndpointSlice
    ENDPOINT_SLICES = "discovery.k8s.io" "v1" "EndpointSlice" "endpointslices" "endpointslice" short [] categories [] namespaced sub [] schema "io.k8s.api.discovery.v1.EndpointSlice";
    /// FlowSchema
    FLOW_SCHEMAS = "flowcontrol.apiserver.k8s.io" "v1" "FlowSchema" "flowschemas" "flowschema" short [] categories [] cluster sub ["status"] schema "io.k8s.api.flowcontrol.v1.FlowSchema";
    /// PriorityLevelConfiguration
    PRIORITY_LEVELS = "flowcontrol.apiserver.k8s.io" "v1" "PriorityLevelConfiguration" "prioritylevelconfigurations" "prioritylevelconfiguration" short [] categories [] cluster sub ["status"] schema "io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration";
    /// IngressClass
    INGRESS_CLASSES = "networking.k8s.io" "v1" "IngressClass" "ingressclasses" "ingressclass" short [] categories [] cluster sub [] schema "io.k8s.api.networking.v1.IngressClass";
    /// Ingress
    INGRESSES = "networking.k8s.io" "v1" "Ingress" "ingresses" "ingress" short ["ing"] categories [] namespaced sub ["status"] schema "io.k8s.api.networking.v1.Ingress";
    /// IPAddress
    IP_ADDRESSES = "networking.k8s.io" "v1" "IPAddress" "ipaddresses" "ipaddress" short ["ip"] categories [] cluster sub [] schema "io.k8s.api.networking.v1.IPAddress";
    /// NetworkPolicy
    NETWORK_POLICIES = "networking.k8s.io" "v1" "NetworkPolicy" "networkpolicies" "networkpolicy" short ["netpol"] categories [] namespaced sub [] schema "io.k8s.api.networking.v1.NetworkPolicy";
    /// ServiceCIDR
    SERVICE_CIDRS = "networking.k8s.io" "v1" "ServiceCIDR" "servicecidrs" "servicecidr" short [] categories [] cluster sub ["status"] schema "io.k8s.api.networking.v1.ServiceCIDR";
    /// RuntimeClass
    RUNTIME_CLASSES = "node.k8s.io" "v1" "RuntimeClass" "runtimeclasses" "runtimeclass" short [] categories [] cluster sub [] schema "io.k8s.api.node.v1.RuntimeClass";
    /// PodDisruptionBudget
    POD_DISRUPTION_BUDGETS = "policy" "v1" "PodDisruptionBudget" "poddisruptionbudgets" "poddisruptionbudget" short ["pdb"] categories [] namespaced sub ["status"] schema "io.k8s.api.policy.v1.PodDisruptionBudget";
    /// ClusterRoleBinding
    CLUSTER_ROLE_BINDINGS = "rbac.authorization.k8s.io" "v1" "ClusterRoleBinding" "clusterrolebindings" "clusterrolebinding" short [] categories [] cluster sub [] schema "io.k8s.api.rbac.v1.ClusterRoleBinding";
    /// ClusterRole
    CLUSTER_ROLES = "rbac.authorization.k8s.io" "v1" "ClusterRole" "clusterroles" "clusterrole" short [] categories [] cluster sub [] schema "io.k8s.api.rbac.v1.ClusterRole";
    /// RoleBinding
    ROLE_BINDINGS = "rbac.authorization.k8s.io" "v1" "RoleBinding" "rolebindings" "rolebinding" short [] categories [] namespaced sub [] schema "io.k8s.api.rbac.v1.RoleBinding";
    /// Role
    ROLES = "rbac.authorization.k8s.io" "v1" "Role" "roles" "role" short [] categories [] namespaced sub [] schema "io.k8s.api.rbac.v1.Role";
    /// DeviceClass
    DEVICE_CLASSES = "resource.k8s.io" "v1" "DeviceClass" "deviceclasses" "deviceclass" short [] categories [] cluster sub [] schema "io.k8s.api.resource.v1.DeviceClass";
    /// ResourceClaim
    RESOURCE_CLAIMS = "resource.k8s.io" "v1" "ResourceClaim" "resourceclaims" "resourceclaim" short [] categories [] namespaced sub ["status"] schema "io.k8s.api.resource.v1.ResourceClaim";
    /// ResourceClaimTemplate
    RESOURCE_CLAIM_TEMPLATES = "resource.k8s.io" "v1" "ResourceClaimTemplate" "resourceclaimtemplates" "resourceclaimtemplate" short [] categories [] namespaced sub [] schema "io.k8s.api.resource.v1.ResourceClaimTemplate";
    /// ResourceSlice
    RESOURCE_SLICES = "resource.k8s.io" "v1" "ResourceSlice" "resourceslices" "resourceslice" short [] categories [] cluster sub [] schema "io.k8s.api.resource.v1.ResourceSlice";
    /// PriorityClass
    PRIORITY_CLASSES = "scheduling.k8s.io" "v1" "PriorityClass" "priorityclasses" "priorityclass" short ["pc"] categories [] cluster sub [] schema "io.k8s.api.scheduling.v1.PriorityClass";
    /// CSIDriver
    CSI_DRIVERS = "storage.k8s.io" "v1" "CSIDriver" "csidrivers" "csidriver" short [] categories [] cluster sub [] schema "io.k8s.api.storage.v1.CSIDriver";
    /// CSINode
    CSI_NODES = "storage.k8s.io" "v1" "CSINode" "csinodes" "csinode" short [] categories [] cluster sub [] schema "io.k8s.api.storage.v1.CSINode";
    /// CSIStorageCapacity
    CSI_STORAGE_CAPACITIES = "storage.k8s.io" "v1" "CSIStorageCapacity" "csistoragecapacities" "csistoragecapacity" short [] categories [] namespaced sub [] schema "io.k8s.api.storage.v1.CSIStorageCapacity";
    /// StorageClass
    STORAGE_CLASSES = "storage.k8s.io" "v1" "StorageClass" "storageclasses" "storageclass" short ["sc"] categories [] cluster sub [] schema "io.k8s.api.storage.v1.StorageClass";
    /// VolumeAttachment
    VOLUME_ATTACHMENTS = "storage.k8s.io" "v1" "VolumeAttachment" "volumeattachments" "volumeattachment" short [] categories [] cluster sub ["status"] schema "io.k8s.api.storage.v1.VolumeAttachment";
    /// VolumeAttributesClass
    VOLUME_ATTRIBUTES_CLASSES = "storage.k8s.io" "v1" "VolumeAttributesClass" "volumeattributesclasses" "volumeattributesclass" short ["vac"] categories [] cluster sub [] schema "io.k8s.api.storage.v1.VolumeAttributesClass";
}

kinds! {
    /// Versions in which stored kinds are served, too: the same objects in other words.
    VERSIONS:
    /// HorizontalPodAutoscaler of autoscaling/v1
    HORIZONTAL_POD_AUTOSCALERS_V1 = "autoscaling" "v1" "HorizontalPodAutoscaler" "horizontalpodautoscalers" "horizontalpodautoscaler" short ["hpa"] categories ["all"] namespaced sub ["status"] schema "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler";
    /// Event of events.k8s.io
    EVENTS_V1 = "events.k8s.io" "v1" "Event" "events" "event" short ["ev"] categories [] namespaced sub [] schema "io.k8s.api.events.v1.Event";
}

kinds! {
    /// Kinds of the core group that are served and never stored: what is done with them is in what they are about.
    COMPUTED:
    /// Binding
    BINDINGS = "" "v1" "Binding" "bindings" "binding" short [] categories [] namespaced sub [] schema "io.k8s.api.core.v1.Binding";
    /// ComponentStatus
    COMPONENT_STATUSES = "" "v1" "ComponentStatus" "componentstatuses" "componentstatus" short ["cs"] categories [] cluster sub [] schema "io.k8s.api.core.v1.ComponentStatus";
}

kinds! {
    /// What metrics-server answers, once there is one: kinds that are computed and never stored.
    METRICS:
    /// NodeMetrics
    NODE_METRICS = "metrics.k8s.io" "v1beta1" "NodeMetrics" "nodes" "" short [] categories [] cluster sub [] schema "io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics";
    /// PodMetrics
    POD_METRICS = "metrics.k8s.io" "v1beta1" "PodMetrics" "pods" "" short [] categories [] namespaced sub [] schema "io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics";
}

/// The row for a group, version and plural.
pub fn by_resource(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS
        .iter()
        .chain(VERSIONS)
        .chain(COMPUTED)
        .copied()
        // Most plurals differ in their length already, groups and versions do not.
        .find(|k| k.plural == plural && k.group == group && k.version == version)
}

/// The row for an `apiVersion` and `kind`.
pub fn by_kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    KINDS.iter().copied().find(|k| k.kind == kind && k.group == group && k.version == version)
}
