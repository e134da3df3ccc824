//! Why a HelmRelease is not installed.

use std::fmt;

/// A failure as Flux shows it: the reason and the message of the `Ready` condition.
///
/// `Display` prints both, with a colon between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The condition's reason.
    pub reason: Reason,
    /// The condition's message.
    pub message: String,
}

/// The reasons that a condition can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The HelmRelease contradicts itself; Flux does not try again.
    InvalidSpec,
    /// The object that the chart comes from is not there.
    ArtifactFailed,
    /// The chart can't be had.
    SourceNotReady,
    /// The values can't be put together.
    ValuesError,
    /// The chart is not the one that its source says it is.
    ChartMutateError,
    /// Helm failed.
    InstallFailed,
    /// Helm failed.
    UpgradeFailed,
    /// A Kustomization can't be built.
    BuildFailed,
    /// Something that a HelmRelease depends on is not there.
    DependencyNotReady,
    /// An expression of `dependsOn` can't be evaluated, whatever happens.
    InvalidCelExpression,
}

impl Reason {
    /// Flux's word.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::InvalidSpec => "InvalidSpec",
            Reason::ArtifactFailed => "ArtifactFailed",
            Reason::SourceNotReady => "SourceNotReady",
            Reason::ValuesError => "ValuesError",
            Reason::ChartMutateError => "ChartMutateError",
            Reason::InstallFailed => "InstallFailed",
            Reason::UpgradeFailed => "UpgradeFailed",
            Reason::BuildFailed => "BuildFailed",
            Reason::DependencyNotReady => "DependencyNotReady",
            Reason::InvalidCelExpression => "InvalidCELExpression",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Failure {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Failure {
        Failure { reason, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

impl std::error::Error for Failure {}
