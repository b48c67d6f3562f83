//! Claims that pods mount (`plugins/volumebinding`). There are no persistent volumes yet, so no claim is ever found.

use crate::framework::{Cycle, Plugin, Verdict};

pub(crate) static PLUGIN: Plugin =
    Plugin { name: "VolumeBinding", pre_filter: Some(pre_filter), filter: None, score: None, wakes: &[] };

fn pre_filter(cycle: &Cycle<'_>) -> Option<Verdict> {
    let mut claims =
        cycle.pod.list("spec.volumes").iter().filter_map(|v| v["persistentVolumeClaim"]["claimName"].as_str());
    let missing = claims.next()?;
    Some(Verdict::Unresolvable(vec![format!("persistentvolumeclaim \"{missing}\" not found")]))
}
