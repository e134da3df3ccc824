//! What a fleet needs of the outside.

use bowsprit_render::{Capabilities, CompiledChart, Release, RenderRequest};

use crate::file::ReleaseSpec;

/// Files, charts and renders. The facade implements it with the disk, the loader and the label pass.
pub trait World: Sync {
    /// A file of the fleet; none where there is no such file.
    ///
    /// # Errors
    ///
    /// Fails where the file is there and can't be read.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String>;

    /// A file of the fleet that `sops` decrypts; none where there is no such file.
    ///
    /// # Errors
    ///
    /// Fails where `sops` is not there or refuses.
    fn decrypt(&self, path: &str) -> Result<Option<Vec<u8>>, String>;

    /// The chart of a release, compiled. Called once for each chart and version.
    ///
    /// # Errors
    ///
    /// Fails where the chart can't be had or read.
    fn chart(&self, spec: &ReleaseSpec, version: Option<&str>) -> Result<CompiledChart, String>;

    /// What a recorded snapshot of a cluster says that it offers.
    ///
    /// # Errors
    ///
    /// Fails where the snapshot can't be read.
    fn snapshot(&self, path: &str) -> Result<Capabilities, String>;

    /// Renders and labels a release; `lookup` finds the objects of the snapshot, if there is one.
    ///
    /// # Errors
    ///
    /// Fails where the chart does, with Helm's words.
    fn render(
        &self,
        spec: &ReleaseSpec,
        chart: &CompiledChart,
        request: &RenderRequest,
        snapshot: Option<&str>,
    ) -> Result<Rendered, String>;
}

/// A rendered and labelled release.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The release.
    pub release: Release,
    /// All its objects as text: custom resource definitions, manifests, hooks.
    pub text: Vec<u8>,
    /// What Helm warns of.
    pub warnings: Vec<String>,
}
