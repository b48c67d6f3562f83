//! Manifests with mistakes that beginners make, and what a recorded v1.36.3 server says of them.

use api::http::{Body, header};

use crate::harness::{Harness, value};

/// Creates the object of a manifest as `kubectl apply` does when it does not exist; gives the refusal.
fn create(h: &Harness, manifest: &str) -> String {
    let object = api::yaml::parse_document(manifest).expect("the mistakes are not in the YAML");
    let api_version = object["apiVersion"].as_str().unwrap();
    let kind = api::kinds::by_kind(api_version, object["kind"].as_str().unwrap()).expect("a kind in the table");
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
    let path =
        format!("{}?fieldManager=kubectl-client-side-apply&fieldValidation=Strict", kind.collection_path(namespace));
    let headers = [(header::CONTENT_TYPE.as_str(), "application/json")];
    let response = h.send(Harness::request("POST", &path, Body::Bytes(object.to_string().into()), &headers));
    let code = response.status().as_u16();
    let status = value(response);
    format!("{code} {}: {}", status["reason"].as_str().unwrap_or("-"), status["message"].as_str().unwrap_or("-"))
}

#[test]
fn refusals_as_recorded() {
    let mut failed = Vec::new();
    for (name, manifest, expected) in CASES {
        let said = create(&Harness::new(), manifest);
        if KNOWN.contains(name) {
            assert_ne!(said, *expected, "{name} passes: take it off the list");
        } else if said != *expected {
            failed.push(format!("{name}\n  expected {expected}\n  said     {said}"));
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), CASES.len(), failed.join("\n"));
}

/// They show a Go struct, whose fields are in the order of their declaration; ours are sorted.
const KNOWN: &[&str] = &["badstrategy", "dupports", "privesc"];

/// Name, manifest, refusal.
const CASES: &[(&str, &str, &str)] = &[
    (
        "unknown",
        r##"apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
  labels:
    app: nginx
spec:
  replica: 3
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
"##,
        r##"400 BadRequest: Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica""##,
    ),
    (
        "unknown2",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    imagee: nginx:1.14.2
    comand: [x]
    ports:
    - containerPort: 80
"##,
        r##"400 BadRequest: Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].comand", unknown field "spec.containers[0].imagee""##,
    ),
    (
        "badtype",
        r##"apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
  labels:
    app: nginx
spec:
  replicas: "three"
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
"##,
        r##"400 BadRequest: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"##,
    ),
    (
        "badtype2",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: "80"
"##,
        r##"400 BadRequest: Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"##,
    ),
    (
        "badport",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80000
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.containers[0].ports[0].containerPort: Invalid value: 80000: must be between 1 and 65535, inclusive"##,
    ),
    (
        "noselector",
        r##"apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
  labels:
    app: nginx
spec:
  replicas: 3
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
"##,
        r##"422 Invalid: Deployment.apps "nginx-deployment" is invalid: [spec.selector: Required value, spec.template.metadata.labels: Invalid value: {"app":"nginx"}: `selector` does not match template `labels`]"##,
    ),
    (
        "mismatch",
        r##"apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
  labels:
    app: nginx
spec:
  replicas: 3
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: other
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
"##,
        r##"422 Invalid: Deployment.apps "nginx-deployment" is invalid: spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`"##,
    ),
    (
        "nocontainers",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: x
spec: {}
"##,
        r##"422 Invalid: Pod "x" is invalid: spec.containers: Required value"##,
    ),
    (
        "noimage",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: x
spec:
  containers:
  - name: c
"##,
        r##"422 Invalid: Pod "x" is invalid: spec.containers[0].image: Required value"##,
    ),
    (
        "badname",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: Nginx_Pod
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
"##,
        r##"422 Invalid: Pod "Nginx_Pod" is invalid: metadata.name: Invalid value: "Nginx_Pod": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"##,
    ),
    (
        "longname",
        r##"apiVersion: v1
kind: Service
metadata:
  name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
spec:
  selector:
    app: nginx
  ports:
  - protocol: TCP
    port: 80
    targetPort: 80
"##,
        r##"422 Invalid: Service "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is invalid: metadata.name: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": must be no more than 63 characters"##,
    ),
    (
        "badlabel",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    "-bad": "x y"
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
"##,
        r##"422 Invalid: Pod "nginx" is invalid: [metadata.labels: Invalid value: "-bad": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), metadata.labels: Invalid value: "x y": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')]"##,
    ),
    (
        "badns",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  namespace: nowhere
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
"##,
        r##"404 NotFound: namespaces "nowhere" not found"##,
    ),
    (
        "dupname",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
  - name: nginx
    image: redis
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.containers[1].name: Duplicate value: "nginx""##,
    ),
    (
        "badrestart",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
  restartPolicy: Sometimes
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never""##,
    ),
    (
        "badpull",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    imagePullPolicy: Maybe
    ports:
    - containerPort: 80
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.containers[0].imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never""##,
    ),
    (
        "badres",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    resources: {limits: {cpu: abc}}
    ports:
    - containerPort: 80
"##,
        r##"400 BadRequest: Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"##,
    ),
    (
        "reqlim",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    resources: {limits: {cpu: 100m}, requests: {cpu: 200m}}
    ports:
    - containerPort: 80
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.containers[0].resources.requests: Invalid value: "200m": must be less than or equal to cpu limit of 100m"##,
    ),
    (
        "badvol",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    volumeMounts: [{name: nope, mountPath: /x}]
    ports:
    - containerPort: 80
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "nope""##,
    ),
    (
        "twovol",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
  volumes:
  - {name: v, emptyDir: {}, hostPath: {path: /x}}
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"##,
    ),
    (
        "badprobe",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    livenessProbe: {periodSeconds: 5}
    ports:
    - containerPort: 80
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.containers[0].livenessProbe: Required value: must specify a handler type"##,
    ),
    (
        "twoprobe",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    livenessProbe: {httpGet: {path: /, port: 80}, exec: {command: [a]}}
    ports:
    - containerPort: 80
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type"##,
    ),
    (
        "negrep",
        r##"apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
  labels:
    app: nginx
spec:
  replicas: -1
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
"##,
        r##"422 Invalid: Deployment.apps "nginx-deployment" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"##,
    ),
    (
        "badstrategy",
        r##"apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
  labels:
    app: nginx
spec:
  replicas: 3
  strategy: {type: Foo}
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
"##,
        r##"422 Invalid: Deployment.apps "nginx-deployment" is invalid: spec.strategy: Unsupported value: {"Type":"Foo","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate""##,
    ),
    (
        "badstrategy2",
        r##"apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
  labels:
    app: nginx
spec:
  replicas: 3
  strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
"##,
        r##"422 Invalid: Deployment.apps "nginx-deployment" is invalid: spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"##,
    ),
    (
        "badsurge",
        r##"apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
  labels:
    app: nginx
spec:
  replicas: 3
  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
"##,
        r##"422 Invalid: Deployment.apps "nginx-deployment" is invalid: spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"##,
    ),
    (
        "deprestart",
        r##"apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
  labels:
    app: nginx
spec:
  replicas: 3
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
      restartPolicy: Never
"##,
        r##"422 Invalid: Deployment.apps "nginx-deployment" is invalid: spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always""##,
    ),
    (
        "nopodspec",
        r##"apiVersion: apps/v1
kind: Deployment
metadata: {name: x}
spec: {}
"##,
        r##"422 Invalid: Deployment.apps "x" is invalid: [spec.selector: Required value, spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`, spec.template.spec.containers: Required value]"##,
    ),
    (
        "badsvc",
        r##"apiVersion: v1
kind: Service
metadata:
  name: my-service
spec:
  selector:
    app: nginx
  ports:
  - protocol: TCP
    port: 0
    targetPort: 80
"##,
        r##"422 Invalid: Service "my-service" is invalid: spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"##,
    ),
    (
        "badsvctype",
        r##"apiVersion: v1
kind: Service
metadata:
  name: my-service
spec:
  selector:
    app: nginx
  ports:
  - protocol: TCP
    port: 80
    targetPort: 80
  type: Wrong
"##,
        r##"422 Invalid: Service "my-service" is invalid: spec.type: Unsupported value: "Wrong": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort""##,
    ),
    (
        "noports",
        r##"apiVersion: v1
kind: Service
metadata: {name: x}
spec: {selector: {a: b}}
"##,
        r##"422 Invalid: Service "x" is invalid: spec.ports: Required value"##,
    ),
    (
        "dupports",
        r##"apiVersion: v1
kind: Service
metadata:
  name: my-service
spec:
  selector:
    app: nginx
  ports:
  - protocol: TCP
    port: 80
    targetPort: 80
  - {port: 80}
"##,
        r##"422 Invalid: Service "my-service" is invalid: [spec.ports[0].name: Required value, spec.ports[1].name: Required value, spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}]"##,
    ),
    (
        "badsecret",
        r##"apiVersion: v1
kind: Secret
metadata: {name: x}
data: {a: "not base64!"}
"##,
        r##"400 BadRequest: Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3"##,
    ),
    (
        "badcm",
        r##"apiVersion: v1
kind: ConfigMap
metadata: {name: x}
data: {a: 1, b: true}
"##,
        r##"400 BadRequest: ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string"##,
    ),
    (
        "init-dup",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
  initContainers: [{name: nginx, image: b}]
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.initContainers[0].name: Duplicate value: "nginx""##,
    ),
    (
        "affinity-bad",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Foo}]}]}}}
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: "Foo": not a valid selector operator"##,
    ),
    (
        "tol-bad",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
  tolerations: [{operator: Exists, value: x}]
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.tolerations[0].operator: Invalid value: "x": value must be empty when `operator` is 'Exists'"##,
    ),
    (
        "sa-missing",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
  serviceAccountName: ghost
"##,
        r##"403 Forbidden: pods "nginx" is forbidden: error looking up service account default/ghost: serviceaccount "ghost" not found"##,
    ),
    (
        "pc-missing",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
  priorityClassName: ghost
"##,
        r##"403 Forbidden: pods "nginx" is forbidden: no PriorityClass with name ghost was found"##,
    ),
    (
        "privesc",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    securityContext: {privileged: true, allowPrivilegeEscalation: false}
    ports:
    - containerPort: 80
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.containers[0].securityContext: Invalid value: {"Capabilities":null,"Privileged":true,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true"##,
    ),
    (
        "envbad",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    env: [{name: "A=B", value: x}]
    ports:
    - containerPort: 80
"##,
        r##"422 Invalid: Pod "nginx" is invalid: spec.containers[0].env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '='"##,
    ),
    (
        "envtwo",
        r##"apiVersion: v1
kind: Pod
metadata:
  name: nginx
  labels:
    env: test
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: spec.foo}}}]
    ports:
    - containerPort: 80
"##,
        r##"422 Invalid: Pod "nginx" is invalid: [spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo, spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty]"##,
    ),
];
