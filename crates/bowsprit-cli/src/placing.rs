//! The flags that say to which clusters a release goes, and the policies that come of them.

use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::settings::Settings;
use bowsprit::chart::{Level, LogLine};
use bowsprit::label::Options as LabelOptions;
use bowsprit::manifest::{Identity, LabelSelector, Labels, Object};
use bowsprit::place::{Delivery, release_labels};
use bowsprit::placement::karmada::{self, Clusters, ConflictResolution, Replicas, Variant};
use bowsprit::placement::kubestellar::{self, BindingPolicy, binding_policy};
use bowsprit::placement::{Kinds, to_yaml};
use bowsprit::value::Value;

/// For policies of both.
pub(crate) static FLAGS: &[Flag] = &[
    Flag::with("policy-name", Kind::Text, "NAME", "Name of the policies (default the release's)"),
    Flag::with(
        "select",
        Kind::Text,
        "KEY=VALUE",
        "Select objects by these labels: a=b,c=d (KubeStellar: default instance and, if all have it, managed-by; Karmada: default by name)",
    ),
];

pub(crate) static KUBESTELLAR_CLUSTERS: &[Flag] = &[Flag::with(
    "clusters",
    Kind::Texts,
    "SELECTOR",
    "Labels of clusters: environment=staging,region=eu; repeatable, any one must match",
)];

pub(crate) static KARMADA_CLUSTERS: &[Flag] = &[Flag::with(
    "clusters",
    Kind::Texts,
    "CLUSTERS",
    "Names of clusters, repeatable, or labels of clusters: environment=staging,region=eu",
)];

pub(crate) static ANY_CLUSTERS: &[Flag] = &[Flag::with(
    "clusters",
    Kind::Texts,
    "CLUSTERS",
    "Labels of clusters: environment=staging,region=eu; repeatable. For Karmada names too",
)];

pub(crate) static KUBESTELLAR: &[Flag] = &[
    Flag::switch("list-resources", "List the resources instead of selecting all kinds"),
    Flag::with(
        "status-collector",
        Kind::Texts,
        "NAME",
        "A StatusCollector that reports on the objects; repeatable",
    ),
];

pub(crate) static KARMADA: &[Flag] = &[
    Flag::with("replicas", Kind::Text, "HOW", "duplicated (default) or divided among clusters"),
    Flag::with(
        "conflict-resolution",
        Kind::Text,
        "HOW",
        "What happens to objects that clusters have already: abort (default) or overwrite",
    ),
    Flag::switch("no-propagate-deps", "Do not bring along what pods refer to"),
    OVERRIDE,
];

pub(crate) const OVERRIDE: Flag = Flag::with(
    "override",
    Kind::Texts,
    "CLUSTER=FILE",
    "Values of one cluster, on top of the files of -f; repeatable",
);

/// Of a release, what policies need to know.
pub(crate) struct Placed<'p> {
    pub(crate) name: &'p str,
    pub(crate) namespace: &'p str,
    pub(crate) labels: &'p LabelOptions,
    pub(crate) base: &'p Delivery,
    /// What is known of kinds beside what the release defines.
    pub(crate) kinds: Kinds,
}

/// The BindingPolicy that the flags ask for.
///
/// # Errors
///
/// Fails where a flag's value is wrong, and where the policy would not deliver every object.
pub(crate) fn kubestellar(
    parsed: &Parsed,
    settings: &Settings,
    placed: &Placed<'_>,
) -> Result<BindingPolicy, Failure> {
    let clusters: Result<Vec<LabelSelector>, Failure> = parsed
        .all("clusters")
        .iter()
        .map(|text| text.parse().map_err(|e| Failure::Error(format!("--clusters: {e}"))))
        .collect();
    let workloads = placed.base.workloads();
    let select = match selected(parsed)? {
        Some(labels) => labels,
        None => release_labels(&placed.labels.labels, placed.base),
    };
    let name = parsed.non_empty("policy-name").unwrap_or(placed.name);
    let mut request =
        kubestellar::Request::new(name, placed.namespace, &workloads, clusters?, select);
    request.kinds = placed.kinds.clone().with_definitions(placed.base.objects());
    request.list_resources = parsed.is_on("list-resources");
    request.status_collectors = parsed.all("status-collector");
    let done = binding_policy(&request).map_err(|error| match error {
        kubestellar::Error::NoClusters => missing_clusters(),
        kubestellar::Error::Unselected { .. } => Failure::Error(format!(
            "{error}\nLabels that these objects have already were kept; --on-conflict overwrite replaces \
             them, --select selects by others"
        )),
        other => Failure::of(other),
    })?;
    done.warnings.iter().for_each(|warning| warn(settings, warning.to_string()));
    Ok(done.policy)
}

/// The documents of Karmada that the flags ask for, those of objects that only some clusters get first.
///
/// # Errors
///
/// Fails where a flag's value is wrong, and where the release can't be placed so.
pub(crate) fn karmada(
    parsed: &Parsed,
    settings: &Settings,
    placed: &Placed<'_>,
    variants: &[(Vec<String>, Delivery)],
) -> Result<(Vec<Value>, Vec<Value>), Failure> {
    let clusters = karmada_clusters(&parsed.all("clusters"))?;
    let all = |delivery: &Delivery| delivery.objects().cloned().collect::<Vec<Object>>();
    let base = all(placed.base);
    let objects: Vec<Vec<Object>> = variants.iter().map(|(_, delivery)| all(delivery)).collect();
    let variants: Vec<Variant<'_>> = variants
        .iter()
        .zip(&objects)
        .map(|((clusters, _), objects)| Variant { clusters: clusters.clone(), objects })
        .collect();
    let name = parsed.non_empty("policy-name").unwrap_or(placed.name);
    let mut request = karmada::Request::new(name, placed.namespace, &base, clusters);
    request.kinds = placed.kinds.clone().with_definitions(&base);
    request = request.with_variants(&variants);
    request.select = selected(parsed)?;
    request.propagate_deps = !parsed.is_on("no-propagate-deps");
    request.replicas = match parsed.text("replicas") {
        None | Some("duplicated") => Replicas::Duplicated,
        Some("divided") => Replicas::Divided,
        Some(text) => return Err(wrong("replicas", text, "duplicated or divided")),
    };
    request.conflict_resolution = match parsed.text("conflict-resolution") {
        None | Some("abort") => ConflictResolution::Abort,
        Some("overwrite") => ConflictResolution::Overwrite,
        Some(text) => return Err(wrong("conflict-resolution", text, "abort or overwrite")),
    };
    let done = karmada::policies(&request).map_err(Failure::of)?;
    done.warnings.iter().for_each(|warning| warn(settings, warning.to_string()));
    Ok((done.extra.into_iter().map(|object| object.value).collect(), done.documents))
}

fn wrong(flag: &str, text: &str, words: &str) -> Failure {
    Failure::Error(format!("--{flag} {text:?}: must be {words}"))
}

fn missing_clusters() -> Failure {
    Failure::Error("say which clusters with --clusters: environment=staging".to_owned())
}

fn karmada_clusters(texts: &[String]) -> Result<Clusters, Failure> {
    if let [text] = texts
        && text.contains(['=', '!'])
    {
        let selector: Result<LabelSelector, _> = text.parse();
        let selector = selector.map_err(|error| Failure::Error(format!("--clusters: {error}")))?;
        return Ok(Clusters::Labels(selector));
    }
    let names: Vec<String> = texts
        .iter()
        .flat_map(|text| text.split(','))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    if let Some(name) = names.iter().find(|name| name.contains('=')) {
        return Err(Failure::Error(format!(
            "--clusters {name:?}: Karmada takes names of clusters, or one set of labels"
        )));
    }
    if names.is_empty() {
        return Err(Failure::Error(
            "say which clusters with --clusters: member1,member2 or environment=staging".to_owned(),
        ));
    }
    Ok(Clusters::Names(names))
}

/// The labels that `--select` gives, which must be plain values.
fn selected(parsed: &Parsed) -> Result<Option<Labels>, Failure> {
    let Some(text) = parsed.non_empty("select") else { return Ok(None) };
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    let pairs: Option<Labels> = text.split(',').map(pair).collect();
    pairs.map(Some).ok_or_else(|| wrong("select", text, "of the form KEY=VALUE,KEY=VALUE"))
}

/// The files of `--override`, cluster by cluster.
///
/// # Errors
///
/// Fails where one is of another form.
pub(crate) fn overrides(parsed: &Parsed) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let mut clusters: Vec<(String, Vec<String>)> = Vec::new();
    for text in parsed.all("override") {
        let Some((cluster, file)) =
            text.split_once('=').filter(|(c, f)| !c.is_empty() && !f.is_empty())
        else {
            return Err(wrong("override", &text, "of the form CLUSTER=FILE"));
        };
        match clusters.iter_mut().find(|(name, _)| name == cluster) {
            Some((_, files)) => files.push(file.to_owned()),
            None => clusters.push((cluster.to_owned(), vec![file.to_owned()])),
        }
    }
    if !clusters.is_empty() && parsed.all("values").iter().any(|name| name.trim() == "-") {
        let text = "--override renders several times and can't go with values from standard input";
        return Err(Failure::Error(text.to_owned()));
    }
    Ok(clusters)
}

/// Fails where a policy selects more than the release.
///
/// # Errors
///
/// Names what else it selects.
pub(crate) fn nothing_else(selector: &str, others: &[Identity]) -> Result<(), Failure> {
    if others.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = others.iter().map(|object| format!("\n  {object}")).collect();
    Err(Failure::Error(format!(
        "objects that are not of the release are matched by {selector} and would be delivered too:{}\n\
         Give the release a label of its own, as with --instance NAME-NAMESPACE, or select by another one \
         with --select",
        lines.concat()
    )))
}

/// Documents as a text, each behind a separator.
pub(crate) fn text(documents: &[Value]) -> String {
    documents.iter().map(|document| format!("---\n{}", to_yaml(document))).collect()
}

pub(crate) fn warn(settings: &Settings, message: String) {
    settings.log(&LogLine { level: Level::Warn, message, attrs: Vec::new() });
}
