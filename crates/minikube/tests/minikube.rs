//! minikube over clusters that are only a table.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

use api::http::{Transport, TransportError};
use futures_util::future::LocalBoxFuture;
use machine::{Ctx, Host, Programs, Reader, Writer};
use minikube::{ClusterHost, ClusterSpec, ClusterStatus, NodeStatus};
use network::{Fabric, NetNs};
use simulation::notify::Signal;
use simulation::{Sim, SimConfig, StepLimits, Time};
use vfs::Vfs;

#[derive(Default)]
struct Table(RefCell<BTreeMap<String, ClusterStatus>>);

impl Table {
    fn change(&self, name: &str, f: impl FnOnce(&mut ClusterStatus)) {
        if let Some(cluster) = self.0.borrow_mut().get_mut(name) {
            f(cluster);
        }
    }
}

fn done<T: 'static>(value: T) -> LocalBoxFuture<'static, T> {
    Box::pin(std::future::ready(value))
}

impl ClusterHost for Table {
    fn profiles(&self) -> Vec<String> {
        self.0.borrow().keys().cloned().collect()
    }

    fn status(&self, name: &str) -> Option<ClusterStatus> {
        self.0.borrow().get(name).cloned()
    }

    fn check_kubelet(&self, name: &str, kubelet: &BTreeMap<String, String>) -> Result<(), String> {
        match kubelet.get("eviction-hard").map(String::as_str) {
            Some("nonsense") => Err(format!("{name} cannot be told nonsense")),
            _ => Ok(()),
        }
    }

    fn create(&self, spec: &ClusterSpec) -> LocalBoxFuture<'static, Result<(), String>> {
        if spec.nodes > 9 {
            return done(Err("a cluster has at most 9 nodes".into()));
        }
        let node = |i: u32| NodeStatus {
            name: if i == 0 { spec.name.clone() } else { format!("{}-m{:02}", spec.name, i + 1) },
            address: Ipv4Addr::new(192, 168, 49, 2 + i as u8),
            control_plane: i == 0,
            running: false,
        };
        self.0.borrow_mut().entry(spec.name.clone()).or_insert_with(|| ClusterStatus {
            name: spec.name.clone(),
            running: false,
            paused: false,
            server: "https://192.168.49.2:8443".into(),
            cpus: 2,
            memory_mib: 4096,
            nodes: (0..spec.nodes).map(node).collect(),
        });
        done(Ok(()))
    }

    fn start_control_plane(&self, name: &str) -> LocalBoxFuture<'static, ()> {
        self.change(name, |c| c.running = true);
        done(())
    }

    fn start_node(&self, name: &str, index: u32) -> LocalBoxFuture<'static, ()> {
        self.change(name, |c| c.nodes[index as usize].running = true);
        done(())
    }

    fn stop_node(&self, name: &str, index: u32) -> LocalBoxFuture<'static, ()> {
        self.change(name, |c| c.nodes[index as usize].running = false);
        done(())
    }

    fn add_node(&self, name: &str) -> LocalBoxFuture<'static, Result<String, String>> {
        let mut added = String::new();
        self.change(name, |c| {
            let last = c.nodes.last().expect("a node").address.octets()[3];
            added = format!("{}-m{:02}", c.name, last);
            let address = Ipv4Addr::new(192, 168, 49, last + 1);
            c.nodes.push(NodeStatus { name: added.clone(), address, control_plane: false, running: false });
        });
        done(Ok(added))
    }

    fn delete_node(&self, name: &str, index: u32) -> LocalBoxFuture<'static, ()> {
        self.change(name, |c| drop(c.nodes.remove(index as usize)));
        done(())
    }

    fn verify(&self, _: &str) -> LocalBoxFuture<'static, bool> {
        done(true)
    }

    fn stop(&self, name: &str) -> LocalBoxFuture<'static, ()> {
        self.change(name, |c| {
            c.running = false;
            c.nodes.iter_mut().for_each(|n| n.running = false);
        });
        done(())
    }

    fn pause(&self, name: &str, is_on: bool) -> LocalBoxFuture<'static, ()> {
        self.change(name, |c| c.paused = is_on);
        done(())
    }

    fn log_in(&self, name: &str, index: u32) -> Option<(Vfs, NetNs)> {
        let cluster = self.status(name)?;
        let node = cluster.nodes.get(index as usize).filter(|n| n.running)?;
        let sim = Sim::new(SimConfig { seed: 1, start: Time::from_nanos(0) });
        Some((Vfs::new(sim.clone()), Fabric::new(sim).attach(&node.name, &[node.address])))
    }

    fn delete(&self, name: &str) -> LocalBoxFuture<'static, ()> {
        self.0.borrow_mut().remove(name);
        done(())
    }
}

struct NoApi;
impl Host for NoApi {
    fn api(&self, _: &str) -> Result<Rc<dyn Transport>, TransportError> {
        Err(TransportError::Refused)
    }
}

struct Machine(Ctx);

impl Machine {
    fn new() -> Machine {
        let sim = Sim::new(SimConfig { seed: 1, start: Time::from_unix_seconds(1_795_230_501) });
        let fs = Vfs::new(sim.clone());
        fs.mkdir_all("/home/learner").expect("a new tree");
        let mut programs = Programs::new();
        minikube::install(&mut programs, Rc::new(Table::default()));
        Machine(Ctx {
            net: Fabric::new(sim.clone()).attach("learner", &[Ipv4Addr::new(192, 168, 49, 1)]),
            sim,
            fs,
            cwd: "/home/learner".into(),
            env: BTreeMap::from([("HOME".to_owned(), "/home/learner".to_owned())]),
            stdin: Reader::empty(),
            stdout: Writer::null(),
            stderr: Writer::null(),
            tty: None,
            interrupt: Signal::new(),
            host: Rc::new(NoApi),
            programs: Rc::new(programs),
        })
    }

    fn run(&self, line: &str) -> (String, String, i32) {
        let (out, err) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
        let ctx = Ctx {
            stdout: Writer::into_buffer(Rc::clone(&out)),
            stderr: Writer::into_buffer(Rc::clone(&err)),
            ..self.0.clone()
        };
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let program = ctx.programs.find("minikube").expect("installed");
        let code = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&code);
        self.0.sim.spawn(async move {
            let value = program.run(ctx, words).await;
            *slot.borrow_mut() = Some(value);
        });
        self.0.sim.step(self.0.sim.now() + std::time::Duration::from_secs(60), StepLimits::default());
        let text = |b: Rc<RefCell<Vec<u8>>>| String::from_utf8_lossy(&b.borrow()).into_owned();
        (text(out), text(err), code.take().expect("it ended"))
    }

    #[track_caller]
    fn check(&self, line: &str, stdout: &str, stderr: &str, code: i32) {
        assert_eq!(self.run(line), (stdout.to_owned(), stderr.to_owned(), code), "{line}");
    }
}

const NOT_FOUND: &str = "* Profile \"minikube\" not found. Run \"minikube profile list\" to view all profiles.\n  To start a cluster, run: \"minikube start\"\n";

#[test]
fn without_a_cluster() {
    let m = Machine::new();
    for line in ["minikube status", "minikube ip", "minikube stop", "minikube service x"] {
        m.check(line, NOT_FOUND, "", 85);
    }
    m.check(
        "minikube profile list",
        "\n\n",
        "X Exiting due to MK_USAGE_NO_PROFILE: No minikube profile was found.\n* Suggestion: You can create one using 'minikube start'.\n",
        14,
    );
    m.check(
        "minikube delete",
        "* Removed all traces of the \"minikube\" cluster.\n",
        "! \"minikube\" profile does not exist, trying anyways.\n",
        0,
    );
    m.check("minikube version --short", "v1.38.0\n", "", 0);
}

#[test]
fn start_status_stop_delete() {
    let m = Machine::new();
    let (stdout, stderr, code) = m.run("minikube start --nodes 2");
    assert_eq!((stderr.as_str(), code), ("", 0));
    assert!(stdout.starts_with("* minikube v1.38.0 on Kubonsai"), "{stdout}");
    assert!(stdout.contains("* Starting \"minikube-m02\" worker node in \"minikube\" cluster\n"), "{stdout}");
    assert!(
        stdout.ends_with(
            "* Done! kubectl is now configured to use \"minikube\" cluster and \"default\" namespace by default\n"
        ),
        "{stdout}"
    );
    m.check(
        "minikube status",
        "minikube\ntype: Control Plane\nhost: Running\nkubelet: Running\napiserver: Running\nkubeconfig: Configured\n\nminikube-m02\ntype: Worker\nhost: Running\nkubelet: Running\n\n",
        "",
        0,
    );
    m.check("minikube ip", "192.168.49.2\n", "", 0);
    m.check("minikube ip -n minikube-m02", "192.168.49.3\n", "", 0);
    m.check("minikube node list", "minikube\t192.168.49.2\nminikube-m02\t192.168.49.3\n", "", 0);
    m.check(
        "minikube profile list",
        "\
┌──────────┬──────────┬─────────┬──────────────┬─────────┬────────┬───────┬────────────────┬────────────────────┐
│ PROFILE  │  DRIVER  │ RUNTIME │      IP      │ VERSION │ STATUS │ NODES │ ACTIVE PROFILE │ ACTIVE KUBECONTEXT │
├──────────┼──────────┼─────────┼──────────────┼─────────┼────────┼───────┼────────────────┼────────────────────┤
│ minikube │ kubonsai │ wasm    │ 192.168.49.2 │ v1.36.3 │ OK     │ 2     │ *              │ *                  │
└──────────┴──────────┴─────────┴──────────────┴─────────┴────────┴───────┴────────────────┴────────────────────┘
",
        "",
        0,
    );
    m.check(
        "minikube stop",
        "* Stopping node \"minikube-m02\"  ...\n* Stopping node \"minikube\"  ...\n* 2 nodes stopped.\n",
        "",
        0,
    );
    assert_eq!(m.run("minikube status").2, 7);
    m.check(
        "minikube ip",
        "* The control-plane node minikube host is not running: state=Stopped\n  To start a cluster, run: \"minikube start\"\n",
        "",
        83,
    );
    m.check(
        "minikube delete",
        "* Deleting \"minikube\" in kubonsai ...\n* Removed all traces of the \"minikube\" cluster.\n",
        "",
        0,
    );
    m.check("minikube status", NOT_FOUND, "", 85);
}

#[test]
fn profiles_are_switched() {
    let m = Machine::new();
    m.run("minikube start");
    m.run("minikube start -p two");
    m.check("minikube profile", "minikube\n", "", 0);
    m.check("minikube profile two", "* minikube profile was successfully set to two\n", "", 0);
    m.check("minikube profile", "two\n", "", 0);
    assert!(m.run("minikube status").0.starts_with("two\ntype: Control Plane\n"));
    assert!(m.run("minikube status -p minikube").0.starts_with("minikube\ntype: Control Plane\n"));
    m.check(
        "minikube profile three",
        "",
        "* if you want to create a profile you can by this command: minikube start -p three\n",
        0,
    );
}

#[test]
fn errors_of_use() {
    let m = Machine::new();
    m.check(
        "minikube statsu",
        "",
        "Error: unknown command \"statsu\" for \"minikube\"\n\nDid you mean this?\n\tstatus\n\nRun 'minikube --help' for usage.\n",
        14,
    );
    m.check("minikube start --nope", "", "Error: unknown flag: --nope\nSee 'minikube start --help' for usage.\n", 14);
    let (_, stderr, code) = m.run("minikube start --nodes 10");
    assert_eq!((stderr.as_str(), code), ("X Exiting due to GUEST_PROVISION: a cluster has at most 9 nodes\n", 80));
    let (stdout, stderr, code) = m.run("minikube start --extra-config=kubelet.eviction-hard=nonsense");
    let refusal =
        "X Exiting due to MK_USAGE: --extra-config=kubelet.eviction-hard=nonsense: minikube cannot be told nonsense\n";
    assert_eq!((stderr.as_str(), code), (refusal, 14));
    assert!(!stdout.contains("Creating"), "before anything is made: {stdout}");
    let (_, stderr, code) = m.run("minikube start --kubernetes-version=v1.20.0");
    assert!(
        stderr.starts_with("X Exiting due to MK_USAGE: --kubernetes-version=v1.20.0: kubonsai does not support"),
        "{stderr}"
    );
    assert_eq!(code, 14);
    assert_eq!(m.run("minikube start -p a").2, 14);
    assert_eq!(m.run("minikube tunnel").2, 1);
    assert_eq!(m.run("minikube pause").2, 85);
    m.run("minikube start");
    assert!(m.run("minikube pause -A").1.contains("namespaces other than those of the control plane"));
    assert!(m.run("minikube ssh -n nope").1.contains("Could not find node nope"));
    assert!(m.run("minikube dashboard").1.contains("a dashboard where there is no page"));
    assert!(m.run("minikube addons list").0.contains("│ metrics-server       │ minikube │ disabled │ Kubernetes"));
    assert!(
        m.run("minikube addons enable ambassador")
            .1
            .contains("switching add-ons other than ingress and metrics-server on or off")
    );
    assert_eq!(m.run("minikube addons enable nope").2, 10);
}

#[test]
fn a_paused_cluster_says_so() {
    let m = Machine::new();
    m.run("minikube start");
    let namespaces = "kube-system, kubernetes-dashboard, istio-operator";
    m.check(
        "minikube pause",
        &format!("* Pausing node minikube ... \n* Paused 6 containers in: {namespaces}\n"),
        "",
        0,
    );
    m.check(
        "minikube status",
        "minikube\ntype: Control Plane\nhost: Running\nkubelet: Stopped\napiserver: Paused\nkubeconfig: Configured\n\n",
        "",
        2,
    );
    assert!(m.run("minikube unpause").0.contains("* Unpausing node minikube ... \n"));
    assert_eq!(m.run("minikube status").2, 0);
}

#[test]
fn nodes_come_and_go() {
    let m = Machine::new();
    m.run("minikube start -n 2");
    m.check(
        "minikube node add",
        "* Adding node m03 to cluster minikube as [worker]\n* Starting \"minikube-m03\" worker node in \"minikube\" cluster\n* Creating kubonsai machine (CPUs=2, Memory=4096MB) ...\n* Preparing Kubernetes v1.36.3 ...\n* Verifying Kubernetes components...\n* Successfully added m03 to minikube!\n",
        "",
        0,
    );
    m.check(
        "minikube node delete m02",
        "* Deleting node minikube-m02 from cluster minikube\n* Stopping node \"minikube-m02\"  ...\n* Deleting \"minikube-m02\" in kubonsai ...\n* Node m02 was successfully deleted.\n",
        "",
        0,
    );
    m.check("minikube node list", "minikube\t192.168.49.2\nminikube-m03\t192.168.49.4\n", "", 0);
    m.check(
        "minikube node stop minikube-m03",
        "* Stopping node \"minikube-m03\"  ...\n* Successfully stopped node minikube-m03\n",
        "",
        0,
    );
    m.check(
        "minikube node start m03",
        "* Starting \"minikube-m03\" worker node in \"minikube\" cluster\n* Successfully started node minikube-m03!\n",
        "",
        0,
    );
    m.check("minikube node start m03", "* minikube-m03 is already running\n", "", 0);
    assert_eq!(m.run("minikube node stop m09").2, 85);
    assert_eq!(m.run("minikube node delete minikube").2, 14);
}

#[test]
fn the_kubeconfig_is_where_the_environment_says() {
    let mut m = Machine::new();
    m.0.env.insert("KUBECONFIG".into(), "/home/learner/other".into());
    m.run("minikube start");
    assert!(m.0.fs.read_to_string("/home/learner/other").expect("written").contains("current-context: minikube"));
    assert!(!m.0.fs.exists("/home/learner/.kube/config"));
}
