//! docker, minikube's images and kubectl together, with the project's own images when they have been built: `cargo xtask images`,
//! then `cargo test -p cluster --test docker -- --ignored`.
#![allow(clippy::disallowed_methods, reason = "a test that reads what the build made")]

mod common;

use std::path::PathBuf;

use bytes::Bytes;
use cluster::{Stream, World};
use common::world;
use simulation::{Duration, ExternalError, Step, StepLimits};

/// Lets time pass until a script has ended; images come from the build.
struct Shell(World);

impl Shell {
    fn new(profile: Option<&str>) -> Shell {
        let mut shell = Shell(world(1, profile));
        shell.pass(Duration::from_secs(if profile.is_some() { 40 } else { 0 }));
        shell
    }

    fn step(&mut self, until: simulation::Time) -> bool {
        let registry = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../images/target/registry"));
        match self.0.step(until, StepLimits { polls_max: 10_000 }) {
            Step::Idle { .. } => return false,
            Step::Busy => {}
            Step::Waiting => {
                for request in self.0.external_requests() {
                    let file = registry.join(request.path.strip_prefix("images/").expect("an image"));
                    let answer = std::fs::read(file).map(Bytes::from).map_err(|_| ExternalError::NotFound);
                    self.0.external_reply(request.id, answer);
                }
            }
        }
        true
    }

    fn pass(&mut self, time: Duration) {
        let until = self.0.now() + time;
        while self.step(until) {}
        self.0.advance_to(until);
    }

    /// Runs a script on the learner's machine: what it printed, on both streams together, and its exit code.
    fn run(&mut self, script: &str) -> (String, i32) {
        self.pass(Duration::from_millis(10));
        let run = self.0.run_script(script, "");
        for _ in 0..2_000 {
            if run.exit_code().is_some() {
                break;
            }
            self.pass(Duration::from_millis(500));
        }
        let pieces = self.0.take_output().into_iter().filter(|o| matches!(o.stream, Stream::Stdout | Stream::Stderr));
        let text = String::from_utf8_lossy(&pieces.flat_map(|o| o.bytes).collect::<Vec<_>>()).into_owned();
        (text, run.exit_code().unwrap_or(-1))
    }

    /// What a script prints; it must end well.
    #[track_caller]
    fn ok(&mut self, script: &str) -> String {
        let (text, code) = self.run(script);
        assert_eq!(code, 0, "{script}\n{text}");
        text
    }
}

/// Prints what a script prints, for looking: `SCRIPT='docker ps' cargo test -p cluster --test docker explore -- --ignored --nocapture`.
#[test]
#[ignore = "needs built images"]
fn explore() {
    let mut shell = Shell::new(std::env::var("PROFILE").ok().as_deref());
    let (text, code) = shell.run(&std::env::var("SCRIPT").unwrap_or_default());
    println!("{text}\nexit {code}");
}

const APP: &str = r#"mkdir -p src && cd src
cat > Dockerfile <<'END'
FROM busybox AS build
ARG WHO=world
WORKDIR /src
RUN echo "hello $WHO" > greeting && echo made
FROM alpine
COPY --from=build /src/greeting /www/
COPY serve /bin/serve
ENV PORT=8080
EXPOSE 8080
CMD ["sh", "-c", "cat /www/greeting; sleep 1000"]
END
printf '#!/bin/sh\necho served\n' > serve; chmod +x serve
"#;

#[test]
#[ignore = "needs built images"]
fn a_dockerfile_becomes_an_image_that_runs() {
    let mut shell = Shell::new(None);
    let built = shell.ok(&format!("{APP}docker build -t app:v1 ."));
    for line in [
        "#0 building with \"default\" instance using docker driver\n",
        "[build 3/3] RUN echo \"hello $WHO\" > greeting && echo made\n",
        " made\n",
        "[stage-1 2/3] COPY --from=build /src/greeting /www/\n",
        "naming to docker.io/library/app:v1 done\n",
    ] {
        assert!(built.contains(line), "{line}\n{built}");
    }
    let id = shell.ok("docker images -q --no-trunc app:v1");
    let again = shell.ok("cd src; docker build -q -t app:v2 .");
    assert_eq!(id, again, "the same files give the same image");
    let cached = shell.ok("cd src; docker build -t app:v2 . 2>&1 | grep -c CACHED");
    assert_eq!(cached, "6\n", "both bases, and every step that makes a layer");
    let changed = shell.ok("cd src; echo 'echo more' >> serve; docker build -t app:v3 . 2>&1 | grep -c CACHED");
    assert_eq!(changed, "5\n", "all but the last COPY");
    assert_eq!(shell.ok("docker run --rm app:v1 serve"), "served\n");
    assert_eq!(shell.ok("docker run --rm app:v3 sh -c 'serve; echo $PORT'"), "served\nmore\n8080\n");
    assert_eq!(shell.ok("docker ps -aq"), "", "--rm leaves nothing");
    let built = shell.ok(
        "cd src; docker build --build-arg WHO=you -t app:you . 2>/dev/null; docker run --rm app:you cat /www/greeting",
    );
    assert_eq!(built, "hello you\n");
    let history = shell.ok("docker history app:v1 --no-trunc --format '{{.CreatedBy}}' | head -4");
    assert_eq!(
        history,
        "CMD [\"sh\" \"-c\" \"cat /www/greeting; sleep 1000\"]\nEXPOSE [8080/tcp]\nENV PORT=8080\nCOPY serve /bin/serve # buildkit\n"
    );
}

#[test]
#[ignore = "needs built images"]
fn builds_fail_in_buildkits_words() {
    let mut shell = Shell::new(None);
    shell.ok("printf 'FROM alpine\\nRUN echo before; exit 3\\n' > Dockerfile");
    let (text, code) = shell.run("docker build .");
    assert_eq!(code, 1);
    let end = text.split_once("------\n").expect("a summary").1;
    let end: String = end.lines().filter(|line| !line.ends_with(" before")).map(|line| format!("{line}\n")).collect();
    assert_eq!(
        end,
        " > [2/2] RUN echo before; exit 3:\n------\nDockerfile:2\n--------------------\n   1 |     FROM alpine\n   2 | >>> RUN echo before; exit 3\n   3 |     \n--------------------\nERROR: failed to build: failed to solve: process \"/bin/sh -c echo before; exit 3\" did not complete successfully: exit code: 3\n"
    );
    for (file, expected) in [
        (
            "FROM nope:1",
            "nope:1: failed to resolve source metadata for docker.io/library/nope:1: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
        ),
        (
            "FROM alpine:0.1",
            "alpine:0.1: failed to resolve source metadata for docker.io/library/alpine:0.1: docker.io/library/alpine:0.1: not found",
        ),
        ("FROM alpine\nFOO", "dockerfile parse error on line 2: unknown instruction: FOO (did you mean FROM?)"),
        ("FROM alpine\nRUN nosuch", "process \"/bin/sh -c nosuch\" did not complete successfully: exit code: 127"),
    ] {
        let (text, code) = shell.run(&format!("printf '{file}\\n' > Dockerfile; docker build ."));
        assert_eq!(code, 1);
        assert!(text.ends_with(&format!("\nERROR: failed to build: failed to solve: {expected}\n")), "{text}");
    }
    let (text, _) = shell.run("printf 'FROM alpine\\nCOPY nothing /\\n' > Dockerfile; docker build .");
    assert!(
        text.contains(
            "ERROR: failed to build: failed to solve: failed to compute cache key: failed to calculate checksum of ref "
        ),
        "{text}"
    );
    assert!(text.ends_with(": \"/nothing\": not found\n"), "{text}");
    let (text, _) = shell.run("rm Dockerfile; docker build .");
    assert!(text.ends_with("ERROR: failed to build: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory\n"), "{text}");
}

#[test]
#[ignore = "needs built images"]
fn containers_have_names_ports_logs_and_lives() {
    let mut shell = Shell::new(None);
    let id = shell.ok("docker run -d --name web -p 8080:80 nginx 2>/dev/null");
    assert_eq!(id.trim().len(), 64);
    assert!(shell.ok("sleep 1; curl -s localhost:8080").contains("<h1>Welcome to nginx!</h1>"));
    assert!(shell.ok("docker logs web").contains("GET / HTTP/1.1"));
    assert_eq!(shell.ok("docker exec web hostname"), format!("{}\n", &id[..12]));
    assert_eq!(shell.ok("docker exec web sh -c 'echo changed > /usr/share/nginx/html/index.html'"), "");
    let (text, code) = shell.run("docker run -d --name other -p 8080:80 nginx");
    assert!(text.contains("Bind for 0.0.0.0:8080 failed: port is already allocated") && code == 125, "{text}");
    assert_eq!(shell.ok("docker stop web; docker start web; sleep 1; curl -s localhost:8080"), "web\nweb\nchanged\n");
    assert_eq!(shell.ok("docker inspect -f '{{.State.Status}} {{.Config.Image}}' web"), "running nginx\n");
    let (text, code) = shell.run("docker rm web");
    assert_eq!(
        (text.as_str(), code),
        (
            "Error response from daemon: cannot remove container \"web\": container is running: stop the container before removing or force remove\n",
            1
        )
    );
    assert_eq!(shell.ok("docker rm -f web other; docker ps -a | wc -l"), "web\nother\n1\n");
    let (text, code) = shell.run("curl -s localhost:8080");
    assert_eq!((text.as_str(), code), ("", 7), "nobody listens any more");
    let (text, code) = shell.run("docker run --rm alpine sh -c 'echo out; echo err >&2; exit 5' 2>/dev/null");
    assert_eq!((text.as_str(), code), ("out\n", 5));
    let (text, code) = shell.run("echo piped | docker run -i --rm alpine cat");
    assert_eq!((text.as_str(), code), ("piped\n", 0));
    let (text, code) = shell.run("docker run alpine nosuch");
    assert!(text.contains("exec: \"nosuch\": executable file not found in $PATH: unknown") && code == 127, "{text}");
}

#[test]
#[ignore = "needs built images"]
fn programs_that_are_none_give_exec_format_error() {
    let mut shell = Shell::new(None);
    shell.ok("printf 'echo no interpreter\\n' > script; printf '\\177ELF\\002\\001' > binary; chmod +x script binary
printf 'FROM alpine\\nCOPY script binary /\\nCMD [\"/script\"]\\n' > Dockerfile; docker build -q -t bad .");
    for name in ["script", "binary"] {
        let (text, code) = shell.run(&format!("docker run --rm bad /{name}"));
        assert!(text.starts_with(&format!("exec /{name}: exec format error")) && code == 255, "{text} {code}");
    }
}

#[test]
#[ignore = "needs built images"]
fn images_reach_the_cluster() {
    let mut shell = Shell::new(Some("minikube"));
    shell.ok(&format!("{APP}docker build -q -t app:v1 . && docker build -q -t app ."));
    assert!(!shell.ok("minikube image ls").contains("app"), "the learner's machine is another one");
    shell.ok("kubectl create deployment before --image=app:v1; sleep 20");
    let reason = "-o jsonpath='{.items[0].status.containerStatuses[0].state.waiting.reason}'";
    let before = shell.ok(&format!("kubectl get pods -l app=before {reason}"));
    assert!(["ErrImagePull", "ImagePullBackOff"].contains(&before.as_str()), "{before}");
    shell.ok("minikube image load app:v1 && minikube image load app");
    assert!(shell.ok("minikube image ls").contains("docker.io/library/app:v1\ndocker.io/library/app:latest\n"));
    shell.ok("kubectl create deployment there --image=app:v1; kubectl rollout status deployment/there");
    assert_eq!(shell.ok("kubectl logs deployment/there"), "hello world\n");
    let id = shell.ok("kubectl get pods -l app=there -o jsonpath='{.items[0].status.containerStatuses[0].imageID}'");
    assert_eq!(
        format!("{id}\n"),
        shell.ok("docker images -q --no-trunc app:v1").replace("sha256:", "docker://sha256:")
    );
    // Always is the policy of :latest: the registry is asked, and does not know it.
    shell.ok("kubectl create deployment latest --image=app; sleep 20");
    let latest = shell.ok(&format!("kubectl get pods -l app=latest {reason}"));
    assert!(["ErrImagePull", "ImagePullBackOff"].contains(&latest.as_str()), "{latest}");
    shell.ok("kubectl run never --image=nothere:v1 --image-pull-policy=Never; printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: invalid}\nspec: {containers: [{name: c, image: \"Wrong//Name\"}]}\n' | kubectl apply -f -; sleep 10");
    let of = |name: &str| {
        format!("kubectl get pod {name} -o jsonpath='{{.status.containerStatuses[0].state.waiting.reason}}'")
    };
    assert_eq!(shell.ok(&of("never")), "ErrImageNeverPull");
    assert_eq!(shell.ok(&of("invalid")), "InvalidImageName");
    shell.ok("minikube image tag app:v1 app:v9 && minikube image rm app:v1");
    let left = shell.ok("minikube image ls");
    assert!(left.contains("app:v9") && !left.contains("app:v1\n"), "{left}");
    shell.ok(
        "minikube image save app:v9 saved.tar && docker load -i saved.tar && docker image inspect app:v9 > /dev/null",
    );
    let json = shell.ok("minikube image ls --format json");
    assert!(json.contains("\"repoTags\":[\"docker.io/library/app:latest\",\"docker.io/library/app:v9\"]"), "{json}");
    assert!(shell.ok("minikube image ls --format table").contains("│ docker.io/library/app "));
    let (text, code) = shell.run("minikube image load nothere:v1");
    assert!(text.contains("Exiting due to GUEST_IMAGE_LOAD: Failed to load image:") && code == 80, "{text}");
}

#[test]
#[ignore = "needs built images"]
fn the_clusters_engine_builds_for_the_cluster() {
    let mut shell = Shell::new(Some("minikube"));
    let env = shell.ok("minikube docker-env");
    assert!(
        env.starts_with("export DOCKER_TLS_VERIFY=\"1\"\nexport DOCKER_HOST=\"tcp://192.168.49.2:2376\"\n"),
        "{env}"
    );
    assert!(env.ends_with("# eval $(minikube -p minikube docker-env)\n"), "{env}");
    shell.ok(&format!("eval $(minikube docker-env); {APP}docker build -q -t inside:v1 ."));
    assert!(!shell.ok("docker images").contains("inside"), "another engine");
    shell.ok("kubectl create deployment inside --image=inside:v1; kubectl rollout status deployment/inside");
    let names = shell.ok("eval $(minikube docker-env); docker ps --format '{{.Names}}'");
    assert!(names.contains("k8s_inside_inside-") && names.contains("k8s_POD_inside-"), "{names}");
    assert!(shell.ok("minikube ssh -- docker images").contains("inside"));
    shell.ok("cd src; minikube image build -t built:v2 . 2>/dev/null");
    assert!(shell.ok("minikube image ls").contains("docker.io/library/built:v2"));
}

#[test]
#[ignore = "needs built images"]
fn what_is_pushed_can_be_pulled_by_the_cluster() {
    let mut shell = Shell::new(Some("minikube"));
    shell.ok(&format!("{APP}docker build -q -t me/app:v1 ."));
    let (text, code) = shell.run("docker push me/app:v1");
    assert!(text.ends_with("denied: requested access to the resource is denied\n") && code == 1, "{text}");
    shell.ok("echo secret | docker login -u me --password-stdin");
    let pushed = shell.ok("docker push me/app:v1");
    assert!(pushed.starts_with("The push refers to repository [docker.io/me/app]\n"), "{pushed}");
    let digest = pushed.split_once("v1: digest: ").expect("a digest").1.split(' ').next().expect("a word").to_owned();
    assert!(shell.ok("docker push me/app:v1").contains(": Layer already exists\n"));
    shell.ok("kubectl create deployment mine --image=me/app:v1; kubectl rollout status deployment/mine");
    let id = shell.ok("kubectl get pods -l app=mine -o jsonpath='{.items[0].status.containerStatuses[0].imageID}'");
    assert_eq!(id, format!("docker-pullable://me/app@{digest}"));
    let (text, code) = shell.run("docker tag me/app:v1 you/app:v1; docker push you/app:v1");
    assert!(text.ends_with("denied: requested access to the resource is denied\n") && code == 1, "{text}");
}

#[test]
#[ignore = "needs built images"]
fn files_and_names_outlive_every_start() {
    let mut shell = Shell::new(None);
    shell.ok("docker run -d --name web -p 8080:80 alpine sh -c 'echo run >> /log; sleep 1000'");
    let id = shell.ok("docker ps -q --no-trunc");
    for _ in 0..3 {
        shell.ok("docker stop -t 0 web; docker start web; docker restart -t 0 web");
    }
    assert_eq!(shell.ok("docker exec web cat /log | wc -l").trim(), "7");
    assert_eq!(shell.ok("docker ps -q --no-trunc"), id);
    assert_eq!(
        shell.ok("docker ps --format '{{.Image}} {{.Names}} {{.Ports}}'"),
        "alpine web 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp\n"
    );
    assert_eq!(shell.ok("docker images -q | wc -l").trim(), "1", "nothing was made for it");
    // Its image is in use, also when its tag is taken away by force.
    let (text, code) = shell.run("docker rmi alpine");
    assert!(text.contains("(must force) - container ") && code == 1, "{text}");
    let text = shell.ok("docker rmi -f alpine");
    assert!(text.starts_with("Untagged: alpine:latest\n") && !text.contains("Deleted"), "{text}");
    shell.ok("docker restart -t 0 web");
    assert_eq!(shell.ok("docker exec web cat /log | wc -l").trim(), "8");
    shell.ok("docker commit web kept; docker rm -f web");
    assert_eq!(shell.ok("docker run --rm kept cat /log | wc -l").trim(), "8");
    // A second port of the same number; what failed has none.
    shell.ok("docker run -d --name one -p 8080:80 kept sleep 1000");
    let (text, _) = shell.run("docker run -d --name two -p 8081:80 -p 8080:80 kept sleep 1000");
    assert!(text.contains("Bind for 0.0.0.0:8080 failed: port is already allocated"), "{text}");
    assert_eq!(shell.ok("docker ps -a --format '{{.Names}} {{.State}}' | sort"), "one running\ntwo created\n");
    shell.ok("docker rm -f one; docker start two");
    assert_eq!(shell.ok("docker port two"), "80/tcp -> 0.0.0.0:8081\n80/tcp -> 0.0.0.0:8080\n");
}

#[test]
#[ignore = "needs built images"]
fn what_runs_is_attached_to_and_not_started_again() {
    let mut shell = Shell::new(None);
    shell.ok("docker run -d --name web alpine sh -c 'sleep 20; echo end; exit 4'");
    let (text, code) = shell.run("docker start -a web");
    assert_eq!((text.as_str(), code), ("end\n", 4));
    shell.ok("docker run --name both alpine sh -c 'echo out; echo err >&2; echo more'");
    assert_eq!(shell.ok("docker logs both 2> /dev/null"), "out\nmore\n");
    assert_eq!(shell.ok("docker logs both 2>&1 > /dev/null"), "err\n");
    assert_eq!(shell.ok("docker run --rm -u nobody alpine id -u").trim(), "65534");
    // The first start goes on when the second is asked for.
    shell.ok("docker start web > /dev/null & docker start web; wait; docker ps --format '{{.Names}}'");
    assert_eq!(shell.ok("docker logs web; docker ps -q | wc -l").trim(), "1");
}

#[test]
#[ignore = "needs built images"]
fn what_builds_run_is_nobodys_and_pods_are_the_clusters() {
    let mut shell = Shell::new(None);
    shell.ok("printf 'FROM alpine\\nRUN sleep 30; echo done > /done\\n' > Dockerfile");
    let text =
        shell.ok("docker build -q -t x . > id & sleep 15; docker ps -aq | wc -l; wait; docker run --rm x cat /done");
    assert_eq!(text.split_whitespace().collect::<Vec<_>>(), ["0", "done"]);
}
