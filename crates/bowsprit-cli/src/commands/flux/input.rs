//! The files that Flux's objects are read from, and how their releases are rendered.

use crate::commands::Invocation;
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::interrupts::{self, Pending};
use crate::{limits, network, release, streams};
use bowsprit::flux::{
    self, HelmRelease, Inventory, Mirrors, Network, ObjectRef, Options, Outcome, Reason, Rendering,
    karmada,
};
use bowsprit::loader::PathError;
use bowsprit::value::{Host, Str};
use bowsprit::{Capabilities, KubeVersion};
use std::io::Read;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) static FLAGS: &[Flag] = &[
    Flag::with(
        "mirror",
        Kind::Texts,
        "URL=DIR",
        "Folder that stands for a source's URL, or *=DIR for all; repeatable",
    ),
    Flag::switch("offline", "Take charts from the folders of --mirror alone"),
    Flag::with(
        "helm-release",
        Kind::Texts,
        "[NAMESPACE/]NAME",
        "Only these HelmReleases; repeatable (default all)",
    ),
    Flag::with(
        "cluster",
        Kind::Text,
        "NAME",
        "The Karmada member cluster, for which policies among the objects are applied",
    ),
    Flag::with("kube-version", Kind::Text, "VERSION", "The version of Kubernetes that charts see"),
    Flag::with(
        "api-versions",
        Kind::List,
        "VERSIONS",
        "More API versions that charts see; repeatable",
    )
    .short('a'),
    Flag::with("revision", Kind::Uint64, "N", "The release's revision; above 1 it is an upgrade"),
    Flag::with(
        "previous-values",
        Kind::Text,
        "FILE",
        "Values of the revision before, for upgrade.preserveValues",
    ),
    Flag::switch("enable-dns", "Let getHostByName ask the name service"),
    Flag::with(
        "seed",
        Kind::Uint64,
        "N",
        "Make the render repeatable: randomness from N, the clock at SOURCE_DATE_EPOCH or 1970, UTC",
    ),
];

/// Reads files and folders.
pub(super) fn inventory(
    invocation: &Invocation<'_>,
    names: &[String],
) -> Result<Inventory, Failure> {
    let mut inventory = Inventory::new(invocation.settings.namespace());
    for name in names {
        if name == "-" {
            let mut text = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut text);
            read.map_err(|error| Failure::Error(format!("read standard input: {error}")))?;
            inventory.read("standard input", &text).map_err(Failure::of)?;
            continue;
        }
        for path in files(Path::new(name))? {
            let text = std::fs::read(&path)
                .map_err(|error| Failure::of(PathError::new("open", &path, error)))?;
            inventory.read(&path.display().to_string(), &text).map_err(Failure::of)?;
        }
    }
    inventory.warnings().iter().for_each(|warning| streams::say(&format!("WARNING: {warning}")));
    Ok(inventory)
}

/// The file, or all manifests below the folder; charts and hidden folders are passed by.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |path: &Path, error| Failure::of(PathError::new("open", path, error));
    let found = path.metadata().map_err(|error| failed(path, error))?;
    if !found.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut files, mut pending) = (Vec::new(), vec![path.to_owned()]);
    while let Some(dir) = pending.pop() {
        for entry in std::fs::read_dir(&dir).map_err(|error| failed(&dir, error))? {
            let entry = entry.map_err(|error| failed(&dir, error))?;
            let (path, name) = (entry.path(), entry.file_name());
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if path.is_dir() {
                let chart = path.join("Chart.yaml").is_file();
                pending.extend((!chart).then_some(path));
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The folders of `--mirror`.
fn mirrors(invocation: &Invocation<'_>) -> Result<Mirrors, Failure> {
    let mut mirrors = Mirrors::new();
    for mapping in invocation.parsed.all("mirror") {
        mirrors.add(&mapping).map_err(Failure::of)?;
    }
    Ok(mirrors)
}

fn capabilities(invocation: &Invocation<'_>) -> Result<Capabilities, Failure> {
    let mut capabilities = flux::capabilities();
    if let Some(version) = invocation.parsed.non_empty("kube-version") {
        let version = KubeVersion::parse(version).map_err(Failure::of)?;
        capabilities = capabilities.with_kube_version(version);
    }
    let more = invocation.parsed.all("api-versions");
    Ok(capabilities.with_api_versions(more.into_iter().map(Str::from)))
}

/// Which objects `--helm-release` names; all where it is not given.
pub(super) fn wanted(invocation: &Invocation<'_>) -> impl Fn(&ObjectRef) -> bool {
    let names = invocation.parsed.all("helm-release");
    move |key: &ObjectRef| {
        names.is_empty()
            || names.iter().any(|name| match name.split_once('/') {
                Some((namespace, name)) => key.namespace == namespace && key.name == name,
                None => key.name == *name,
            })
    }
}

/// Where charts come from, and what is left to do should the program be asked to end.
pub(super) struct Origin {
    network: Network,
    _pending: Option<Pending>,
}

impl Deref for Origin {
    type Target = Network;

    fn deref(&self) -> &Network {
        &self.network
    }
}

/// Where charts come from.
pub(super) fn charts(invocation: &Invocation<'_>) -> Result<Origin, Failure> {
    let mirrors = mirrors(invocation)?;
    if invocation.parsed.is_on("offline") {
        return Ok(Origin { network: Network::new(mirrors, None), _pending: None });
    }
    let sources = network::sources(invocation);
    let network = Network::new(mirrors, Some(sources)).watched(interrupts::watch());
    let pending = network.temporary_folder().map(|folder| {
        let folder = folder.to_owned();
        // It is not there while nothing was brought.
        interrupts::if_ended(move || drop(std::fs::remove_dir_all(folder)))
    });
    Ok(Origin { network, _pending: pending })
}

/// Renders the HelmReleases that are wanted, and the Kustomizations that bring them.
pub(super) fn render(
    invocation: &Invocation<'_>,
    inventory: Inventory,
    charts: &Network,
) -> Result<Rendering, Failure> {
    render_on(invocation, inventory, charts, &*release::host(invocation.parsed))
}

/// The same, on a host of the caller's.
pub(super) fn render_on(
    invocation: &Invocation<'_>,
    inventory: Inventory,
    charts: &Network,
    host: &dyn Host,
) -> Result<Rendering, Failure> {
    let parsed = invocation.parsed;
    let mut options = Options::default();
    options.readiness = Some(Arc::new(flux::Cel));
    options.capabilities = capabilities(invocation)?;
    options.revision = i64::try_from(parsed.number("revision").unwrap_or(1)).unwrap_or(1).max(1);
    if let Some(file) = parsed.non_empty("previous-values") {
        let path = Path::new(file);
        let text = std::fs::read(path)
            .map_err(|error| Failure::of(PathError::new("open", path, error)))?;
        let values = bowsprit::yaml::read_values(&text).map_err(Failure::of)?;
        options.previous_values = Some(values);
    }
    let inventory = match parsed.non_empty("cluster") {
        Some(cluster) => karmada::overridden(&inventory, cluster).map_err(Failure::of)?,
        None => inventory,
    };
    let wanted = wanted(invocation);
    let is_wanted = |release: &HelmRelease| {
        wanted(&ObjectRef::new("HelmRelease", &*release.namespace, &*release.name))
    };
    let engine = limits::engine(parsed);
    let mut rendering =
        flux::render_all(inventory, charts.mirrors(), charts, &engine, host, &options, &is_wanted);
    if let Some(signal) = charts.interrupted() {
        return Err(network::interrupted(signal));
    }
    for outcome in &rendering.releases {
        if let Ok(rendered) = &outcome.result {
            let warn = |text: &String| streams::say(&format!("WARNING: {}: {text}", outcome.key));
            rendered.warnings.iter().for_each(warn);
            rendered.log.iter().for_each(|line| invocation.settings.log(line));
        }
    }
    // The source of a Kustomization is mostly the very repository whose files are read.
    rendering.kustomizations.retain(|outcome| match &outcome.result {
        Err(failure) if failure.reason == Reason::ArtifactFailed => {
            streams::say(&format!("WARNING: {} is not built: {}", outcome.key, failure.message));
            false
        }
        _ => true,
    });
    Ok(rendering)
}

/// What failed, a line each.
pub(super) fn failures(rendering: &Rendering) -> Vec<String> {
    fn failed<T>(outcome: &Outcome<T>) -> Option<String> {
        let failure = outcome.result.as_ref().err()?;
        Some(format!("{}: {failure}", outcome.key))
    }
    let kustomizations = rendering.kustomizations.iter().filter_map(failed);
    kustomizations.chain(rendering.releases.iter().filter_map(failed)).collect()
}
