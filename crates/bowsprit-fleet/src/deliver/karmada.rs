//! Through Karmada: one version of each object, and overrides for clusters that get another.

use super::{Consignment, Version, ring_place, told, with_objects};
use crate::error::Error;
use crate::file::FleetFile;
use crate::plan::{Plan, ReleasePlan};
use bowsprit_manifest::Object;
use bowsprit_placement::karmada::{Clusters, Request, Variant, policies};
use bowsprit_value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn consign<'p>(
    file: &FleetFile,
    plan: &'p Plan,
    release: &'p ReleasePlan,
    versions: &[Version<'p>],
    context: &str,
) -> Result<Consignment<'p>, Error> {
    let spec = &release.spec;
    let failed = |message: String| Error::new(&format!("release {}", spec.name), message);
    if let Some(other) = versions
        .iter()
        .find(|v| v.rendered.release.options.name != versions[0].rendered.release.options.name)
    {
        let name = &other.rendered.release.options.name;
        return Err(failed(format!(
            "is called {name} on some clusters, and Karmada makes one of all"
        ))
        .hint("leave releaseName out: differences become overrides"));
    }
    // Of several that are for as many clusters, the first.
    let base = versions.iter().rev().max_by_key(|version| version.targets.len());
    let Some(base) = base else { return Err(failed("has no clusters".to_owned())) };
    let objects = base.objects()?;
    let others: Vec<(Vec<String>, Vec<Object>)> = versions
        .iter()
        .filter(|version| version.group.number != base.group.number)
        .map(|version| Ok((version.names(plan), version.objects()?)))
        .collect::<Result<_, Error>>()?;
    let variants: Vec<Variant<'_>> = others
        .iter()
        .map(|(clusters, objects)| Variant { clusters: clusters.clone(), objects })
        .collect();
    let mut targets: Vec<usize> = versions.iter().flat_map(|v| v.targets.clone()).collect();
    targets.sort_unstable();
    let clusters = Clusters::Names(super::names(plan, &targets));
    // Policies for objects without namespaces have none themselves, so the release's is in their names.
    let name = format!("{}-{}", spec.namespace, base.rendered.release.options.name);
    let request = Request::new(&name, &spec.namespace, &objects, clusters).with_variants(&variants);
    let placed = policies(&request).map_err(|e| failed(e.to_string()))?;
    let extra: Vec<Value> = placed.extra.iter().map(|object| object.value.clone()).collect();
    let manifest = base.rendered.release.manifest(false);
    let manifest = with_objects(manifest, "bowsprit/other-clusters.yaml", &extra);
    let manifest = with_objects(manifest, "bowsprit/karmada.yaml", &placed.documents);
    let why = match versions.len() {
        0 | 1 => String::new(),
        n => format!("{n} versions: that of most clusters, and overrides for the others"),
    };
    Ok(Consignment {
        release: spec.name.clone(),
        context: context.to_owned(),
        ring: ring_place(file, plan, &targets),
        targets,
        group: base.group,
        rendered: Arc::clone(&base.rendered),
        manifest: manifest.into(),
        properties: BTreeMap::new(),
        policies: told(&placed.documents),
        why,
        warnings: placed.warnings.iter().map(ToString::to_string).collect(),
    })
}
