//! Images: policies, back-off and what is said about it (`pkg/kubelet/images`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use api::Object;
use client::EventRecorder;
use json::Value;
use simulation::notify::Signal;
use simulation::{Duration, Sim, TraceKind};

use crate::backoff::BackOff;
use crate::cri::{ImageInfo, Login, Runtime};
use crate::keyring::Keyring;
use crate::spec;

/// Why a container is waiting: a reason and a message, as in its status.
pub(crate) type Failure = (String, String);

/// An image that a pod needs.
pub(crate) struct Wanted<'a> {
    pub(crate) image: &'a str,
    pub(crate) policy: &'a str,
    /// Which container runs it; none if the pod mounts it as a volume.
    pub(crate) container: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// That of a container.
    pub(crate) fn of(container: &'a Value) -> Wanted<'a> {
        Wanted {
            image: spec::text(container, "image"),
            policy: spec::text(container, "imagePullPolicy"),
            container: Some(spec::name(container)),
        }
    }
}

/// Makes sure that images are there.
pub(crate) struct Images {
    pub(crate) sim: Sim,
    pub(crate) node: String,
    pub(crate) runtime: Rc<dyn Runtime>,
    pub(crate) recorder: EventRecorder,
    pub(crate) keyring: Keyring,
    pub(crate) back_off: BackOff,
    pub(crate) last_error: RefCell<BTreeMap<String, String>>,
    /// Images that this kubelet pulled, by reference: none if anybody may, else the logins that did. A pod that has none of them
    /// is not let at the image, though the node has it (`KubeletEnsureSecretPulledImages`).
    pub(crate) pulled_with: RefCell<BTreeMap<String, Option<Vec<Login>>>>,
    /// Called when the node has a new image.
    pub(crate) changed: Rc<dyn Fn()>,
}

fn fail(reason: &str, message: impl Into<String>) -> Failure {
    (reason.to_owned(), message.into())
}

impl Images {
    /// The image, pulled if its policy says so. Gives up when `cancelled` is raised.
    pub(crate) async fn ensure(
        &self,
        pod: &Object,
        wanted: &Wanted<'_>,
        cancelled: &Signal,
    ) -> Result<ImageInfo, Failure> {
        let image = wanted.image;
        let path = wanted.container.map(|name| spec::field_path(pod, name));
        let event = |kind: &str, reason: &str, message: &str| match &path {
            Some(path) => self.recorder.event_on_field(pod, path, kind, reason, message),
            None => self.recorder.event(pod, kind, reason, message),
        };
        if let Err(error) = check_reference(image) {
            let message = format!("Failed to apply default image tag \"{image}\": {error}");
            event("Warning", "InspectFailed", &message);
            return Err(fail("InvalidImageName", message));
        }
        if self.may_use(pod, image).await {
            if let Some(settled) = self.without_pull(image, wanted.policy, &event) {
                return settled;
            }
        } else if wanted.policy == "Never" {
            return Err(never(image, &event));
        }
        let key = format!("{}_{image}", pod.uid());
        if self.back_off.since_update(&key, self.sim.now()).is_some() {
            let mut message = format!("Back-off pulling image \"{image}\"");
            event("Normal", "BackOff", &message);
            if let Some(error) = self.last_error.borrow().get(&key) {
                message = format!("{message}: {error}");
            }
            return Err(fail("ImagePullBackOff", message));
        }
        self.last_error.borrow_mut().remove(&key);
        event("Normal", "Pulling", &format!("Pulling image \"{image}\""));
        self.trace(pod, wanted.container.unwrap_or_default(), "pulling");
        let logins = self.keyring.of(pod, image, &self.recorder).await;
        let started = self.sim.now();
        let mut pull = std::pin::pin!(self.pull(image, &logins));
        let mut stop = cancelled.wait();
        let pulled = std::future::poll_fn(|cx| {
            use std::future::Future as _;
            use std::task::Poll;
            if let Poll::Ready(result) = pull.as_mut().poll(cx) {
                return Poll::Ready(Some(result));
            }
            std::pin::Pin::new(&mut stop).poll(cx).map(|()| None)
        });
        match pulled.await {
            None => Err(fail("ContainerCreating", "")),
            Some(Ok((info, login))) => {
                self.remember(&info, login);
                let took = go_millis(self.sim.now().saturating_since(started));
                let message = format!(
                    "Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {} bytes.",
                    info.size_bytes
                );
                event("Normal", "Pulled", &message);
                (self.changed)();
                Ok(info)
            }
            Some(Err(error)) => {
                event("Warning", "Failed", &format!("Failed to pull image \"{image}\": {error}"));
                self.back_off.next(&key, self.sim.now(), self.sim.now());
                self.last_error.borrow_mut().insert(key, format!("ErrImagePull: {error}"));
                Err(fail("ErrImagePull", error))
            }
        }
    }

    /// Whether the pod may use the image if the node has it.
    async fn may_use(&self, pod: &Object, image: &str) -> bool {
        let Some(info) = self.runtime.image_status(image) else { return true };
        let known = self.pulled_with.borrow().get(&info.reference).cloned().flatten();
        let Some(known) = known else { return true };
        let own = self.keyring.of(pod, image, &self.recorder).await;
        own.iter().any(|login| known.contains(login))
    }

    /// Pulls with one login after the other, or with none if there is none; says with which.
    async fn pull(&self, image: &str, logins: &[Login]) -> Result<(ImageInfo, Option<Login>), String> {
        if logins.is_empty() {
            return self.runtime.pull(image, &[]).await.map(|info| (info, None));
        }
        let mut errors: Vec<String> = Vec::new();
        for login in logins {
            match self.runtime.pull(image, std::slice::from_ref(login)).await {
                Ok(info) => return Ok((info, Some(login.clone()))),
                Err(error) if errors.contains(&error) => {}
                Err(error) => errors.push(error),
            }
        }
        Err(if let [only] = &errors[..] { only.clone() } else { format!("[{}]", errors.join(", ")) })
    }

    fn remember(&self, info: &ImageInfo, login: Option<Login>) {
        let mut all = self.pulled_with.borrow_mut();
        match login {
            None => {
                all.insert(info.reference.clone(), None);
            }
            Some(login) => {
                let known = all.entry(info.reference.clone()).or_insert_with(|| Some(Vec::new()));
                if let Some(logins) = known
                    && !logins.contains(&login)
                {
                    logins.push(login);
                }
            }
        }
    }

    /// What a policy decides without pulling.
    fn without_pull(
        &self,
        image: &str,
        policy: &str,
        event: &dyn Fn(&str, &str, &str),
    ) -> Option<Result<ImageInfo, Failure>> {
        match (policy, self.runtime.image_status(image)) {
            ("IfNotPresent" | "Never", Some(info)) => {
                let message =
                    format!("Container image \"{image}\" already present on machine and can be accessed by the pod");
                event("Normal", "Pulled", &message);
                Some(Ok(info))
            }
            ("Never", None) => Some(Err(never(image, event))),
            _ => None,
        }
    }

    /// Forgets what is remembered of a pod.
    pub(crate) fn forget(&self, uid: &str) {
        let prefix = format!("{uid}_");
        self.back_off.forget(&prefix);
        self.last_error.borrow_mut().retain(|key, _| !key.starts_with(&prefix));
    }

    fn trace(&self, pod: &Object, container: &str, what: &str) {
        self.sim.trace(TraceKind::Container {
            node: self.node.clone(),
            namespace: pod.namespace().to_owned(),
            pod: pod.name().to_owned(),
            container: container.to_owned(),
            what: what.to_owned(),
        });
    }
}

fn never(image: &str, event: &dyn Fn(&str, &str, &str)) -> Failure {
    let message = format!("Container image \"{image}\" is not present with pull policy of Never");
    event("Warning", "ErrImageNeverPull", &message);
    fail("ErrImageNeverPull", message)
}

/// A duration to the millisecond as Go prints it: `700ms`, `1.2s`, `1m5s`.
pub(crate) fn go_millis(duration: Duration) -> String {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 1_000_000);
    api::duration::format_go(millis * 1_000_000)
}

/// Docker's rules for image references, as far as a pod's author meets them (`distribution/reference`).
fn check_reference(image: &str) -> Result<(), String> {
    let bad = || Err(format!("couldn't parse image name \"{image}\": invalid reference format"));
    let (rest, digest) = image.split_once('@').map_or((image, None), |(r, d)| (r, Some(d)));
    if let Some(digest) = digest {
        let hex = digest.strip_prefix("sha256:").unwrap_or("");
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return bad();
        }
    }
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    let tag_ok = tag.is_none_or(|t| {
        let first = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        t.len() <= 128 && t.bytes().next().is_some_and(first) && t.bytes().all(|b| first(b) || b == b'.' || b == b'-')
    });
    let (domain, path) = match name.split_once('/') {
        Some((d, p)) if d.contains(['.', ':']) || d == "localhost" || d.bytes().any(|b| b.is_ascii_uppercase()) => {
            (Some(d), p)
        }
        _ => (None, name),
    };
    let domain_ok = domain.is_none_or(|d| d.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b)));
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let part_ok = |part: &str| {
        part.bytes().next().is_some_and(lower)
            && part.bytes().next_back().is_some_and(lower)
            && part.bytes().all(|b| lower(b) || b"._-".contains(&b))
    };
    if path.bytes().any(|b| b.is_ascii_uppercase()) && tag_ok && domain_ok {
        return Err(format!(
            "couldn't parse image name \"{image}\": invalid reference format: repository name ({path}) must be lowercase"
        ));
    }
    if tag_ok && domain_ok && path.split('/').all(part_ok) { Ok(()) } else { bad() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        for good in ["nginx", "nginx:1.25", "gcr.io/google-samples/kubernetes-bootcamp:v1", "localhost:5000/a/b_c:x-Y"]
        {
            assert_eq!(check_reference(good), Ok(()), "{good}");
        }
        for bad in ["", "nginx:", "a//b", "nginx:-x", "nginx@sha256:12", "-a", "a b"] {
            assert!(check_reference(bad).is_err(), "{bad}");
        }
        assert_eq!(
            check_reference("Nginx"),
            Err("couldn't parse image name \"Nginx\": invalid reference format: repository name (Nginx) must be lowercase"
                .into())
        );
        assert_eq!(go_millis(Duration::from_micros(700_900)), "700ms");
        assert_eq!(go_millis(Duration::from_millis(1_250)), "1.25s");
    }
}
