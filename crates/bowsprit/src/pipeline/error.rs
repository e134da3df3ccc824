//! Why a chart is not rendered.

use super::name::ReleaseNameError;
use bowsprit_chart::{InvalidApiVersion, LogLine, MissingDependencies, NotInstallable};
use bowsprit_diag::{Diagnostic, Label, Source, Span};
use bowsprit_render::compat::StepErrors;
use bowsprit_render::values::ValuesError;
use bowsprit_render::{Compat, Error as RenderError, ErrorKind as RenderErrorKind};
use std::fmt;

/// Which check failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The chart is a library.
    NotInstallable(NotInstallable),
    /// Charts that the chart needs are not there.
    MissingDependencies(MissingDependencies),
    /// The chart is of a version whose dependencies can't be read yet.
    DependencyType,
    /// The chart is of a version that can't be used yet.
    ApiVersion(InvalidApiVersion),
    /// The release can't have this name.
    ReleaseName(ReleaseNameError),
    /// A label's name belongs to Helm.
    SystemLabels,
    /// The render failed.
    Render(RenderError),
    /// A post-renderer failed.
    PostRender(String),
}

/// A release that could not be made. `{}` is Helm's text, as it stands after `Error: `; `{:#}` adds what
/// is known of the places that it is about.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    log: Vec<LogLine>,
    compat: Compat,
}

impl Error {
    #[cold]
    pub(super) fn new(kind: ErrorKind, log: Vec<LogLine>, compat: Compat) -> Error {
        Error(Box::new(Inner { kind, log, compat }))
    }

    /// What failed.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// All that Helm logs before it fails.
    pub fn log(&self) -> &[LogLine] {
        &self.0.log
    }

    /// The error with the places that it is about. Its message is the error's text.
    pub fn diagnostic(&self) -> Diagnostic {
        match self.kind() {
            ErrorKind::Render(error) => error.diagnostic(),
            _ => Diagnostic::error(self.to_string()),
        }
    }

    /// The values that are wrong, if that is what failed.
    pub fn values(&self) -> Option<&ValuesError> {
        match self.kind() {
            ErrorKind::Render(error) => match error.kind() {
                RenderErrorKind::Values(error) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a release existed already, so that Helm's command line adds its hint about `--debug`,
    /// and with `--debug` prints what there is: see [`print_broken`](super::print_broken).
    pub fn has_release(&self) -> bool {
        match self.kind() {
            ErrorKind::Render(error) => error.has_release(),
            ErrorKind::PostRender(_) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.0.compat.rules();
        match self.kind() {
            ErrorKind::NotInstallable(error) => error.fmt(f),
            ErrorKind::MissingDependencies(error) => {
                write!(f, "{}: {error}", rules.missing_dependencies)
            }
            ErrorKind::DependencyType => {
                write!(f, "{}: unsupported chart dependency type", rules.missing_dependencies)
            }
            ErrorKind::ApiVersion(error) => error.fmt(f),
            ErrorKind::ReleaseName(error) if rules.step_errors == StepErrors::Bare => error.fmt(f),
            ErrorKind::ReleaseName(error) => write!(f, "release name check failed: {error}"),
            ErrorKind::SystemLabels => write!(
                f,
                "user supplied labels contains system reserved label name. System labels: [{}]",
                super::SYSTEM_LABELS.join(" ")
            ),
            ErrorKind::Render(error) => error.fmt(f),
            ErrorKind::PostRender(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.kind() {
            ErrorKind::NotInstallable(error) => Some(error),
            ErrorKind::MissingDependencies(error) => Some(error),
            ErrorKind::ApiVersion(error) => Some(error),
            ErrorKind::ReleaseName(error) => Some(error),
            ErrorKind::SystemLabels | ErrorKind::DependencyType | ErrorKind::PostRender(_) => None,
            ErrorKind::Render(error) => Some(error),
        }
    }
}

/// Why a chart could not be loaded, with the place in its file that can't be decoded. `name` is what
/// stands before the file's name.
pub fn load_diagnostic(error: &bowsprit_loader::Error, name: &str) -> Diagnostic {
    let found = Diagnostic::error(error.to_string());
    let Some(file) = error.broken_file() else { return found };
    let Some(line) = file.line else { return found };
    let source = Source::new(format!("{name}/{}", file.path), file.text);
    let span: Span = source.trimmed_line(line);
    found.with_label(Label::primary(&source, span, file.problem).with_context(1))
}
