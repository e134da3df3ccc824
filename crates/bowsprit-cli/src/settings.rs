//! What holds for all commands: global flags over the environment.

use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::kubeconfig;
use crate::streams;
use bowsprit::Compat;
use bowsprit::chart::{Level, LogLine};
use bowsprit::diag::Style;
use bowsprit::loader::HelmPaths;
use bowsprit::plugin::{self, PostRenderer};
use bowsprit::render::CompatError;
use bowsprit::value::strconv;
use std::path::PathBuf;

/// Flags that every command has.
pub(crate) static FLAGS: &[Flag] = &[
    Flag::with("namespace", Kind::Text, "NAMESPACE", "Namespace of the release").short('n'),
    Flag::switch("debug", "Print more, and what is rendered even if it is no YAML"),
    Flag::with("kubeconfig", Kind::Text, "FILE", "The kubeconfig file"),
    Flag::with("kube-context", Kind::Text, "NAME", "The kubeconfig's context"),
    Flag::with(
        "error-format",
        Kind::Text,
        "FORMAT",
        "rich: errors with source lines, the default on terminals; plain: Helm's text",
    ),
    Flag::with("color", Kind::Text, "WHEN", "Colours in errors: never, auto or always"),
    Flag::with("colour", Kind::Text, "WHEN", "As --color").hidden(),
    Flag::with("kube-token", Kind::Text, "TOKEN", "").hidden(),
    Flag::with("kube-as-user", Kind::Text, "USER", "").hidden(),
    Flag::with("kube-as-group", Kind::Texts, "GROUP", "").hidden(),
    Flag::with("kube-apiserver", Kind::Text, "ADDRESS", "").hidden(),
    Flag::with("kube-ca-file", Kind::Text, "FILE", "").hidden(),
    Flag::with("kube-tls-server-name", Kind::Text, "NAME", "").hidden(),
    Flag::switch("kube-insecure-skip-tls-verify", "").hidden(),
    Flag::with("registry-config", Kind::Text, "FILE", "The file with credentials for registries"),
    Flag::with("repository-config", Kind::Text, "FILE", "The file with the chart repositories"),
    Flag::with("repository-cache", Kind::Text, "DIR", "The folder with their indexes"),
    Flag::with("content-cache", Kind::Text, "DIR", "The folder with downloaded charts"),
    Flag::with("burst-limit", Kind::Int64, "N", "").hidden(),
    Flag::with("qps", Kind::Float32, "N", "").hidden(),
    // Those of klog, which Helm hides too.
    Flag::with("v", Kind::Level, "N", "").short('v').hidden(),
    Flag::with("vmodule", Kind::Text, "PATTERN", "").hidden(),
    Flag::with("log-backtrace-at", Kind::Text, "PLACE", "").hidden(),
    Flag::with("log-dir", Kind::Text, "DIR", "").hidden(),
    Flag::with("log-file", Kind::Text, "FILE", "").hidden(),
    Flag::with("log-file-max-size", Kind::Uint64, "MB", "").hidden(),
    Flag::with("stderrthreshold", Kind::Text, "N", "").hidden(),
    Flag::with("alsologtostderrthreshold", Kind::Text, "N", "").hidden(),
    Flag::switch("add-dir-header", "").hidden(),
    Flag::switch("alsologtostderr", "").hidden(),
    Flag::switch("legacy-stderr-threshold-behavior", "").hidden(),
    Flag::switch("logtostderr", "").hidden(),
    Flag::switch("one-output", "").hidden(),
    Flag::switch("skip-headers", "").hidden(),
    Flag::switch("skip-log-headers", "").hidden(),
];

/// The settings that matter here.
#[derive(Debug)]
pub(crate) struct Settings {
    namespace: String,
    kubeconfig: String,
    context: String,
    color: String,
    helm_paths: HelmPaths,
    /// Whether `--debug` holds.
    pub(crate) debug: bool,
    /// Whether debug lines are logged. Helm decides that before it has read all flags.
    log_debug: bool,
    /// The release of Helm that log lines are to look like.
    compat: Compat,
    error_format: String,
    wrong_compat: Option<CompatError>,
}

fn env(name: &str) -> String {
    std::env::var_os(name).map_or(String::new(), |v| v.to_string_lossy().into_owned())
}

impl Settings {
    /// The settings of the environment.
    pub(crate) fn from_env() -> Settings {
        Settings {
            namespace: env("HELM_NAMESPACE"),
            kubeconfig: String::new(),
            context: env("HELM_KUBECONTEXT"),
            color: color_from_env(),
            helm_paths: HelmPaths::from_env(|name| std::env::var(name).ok()),
            debug: strconv::parse_bool(env("HELM_DEBUG").as_bytes()).unwrap_or(false),
            log_debug: false,
            compat: Compat::default(),
            error_format: String::new(),
            wrong_compat: None,
        }
    }

    /// Puts flags over what there is.
    pub(crate) fn apply(&mut self, parsed: &Parsed) {
        for (flag, value) in parsed.sets() {
            match flag {
                "namespace" => value.clone_into(&mut self.namespace),
                "kubeconfig" => value.clone_into(&mut self.kubeconfig),
                "kube-context" | "context" => value.clone_into(&mut self.context),
                "color" | "colour" => value.clone_into(&mut self.color),
                "error-format" => value.clone_into(&mut self.error_format),
                "debug" => self.debug = value == "true",
                "helm-compat" => match value.parse() {
                    Ok(compat) => self.compat = compat,
                    Err(error) => self.wrong_compat = Some(error),
                },
                "registry-config" => self.helm_paths.registry_config = value.into(),
                "repository-config" => self.helm_paths.repository_config = value.into(),
                "repository-cache" => self.helm_paths.repository_cache = value.into(),
                "content-cache" => self.helm_paths.content_cache = value.into(),
                _ => {}
            }
        }
    }

    /// Fixes what is decided before the command's own flags are read.
    ///
    /// # Errors
    ///
    /// Fails where the colour mode is none.
    pub(crate) fn start_logging(&mut self) -> Result<(), Failure> {
        self.log_debug = self.debug;
        if matches!(self.color.as_str(), "never" | "auto" | "always") {
            return Ok(());
        }
        let mode = strconv::quote(self.color.as_bytes());
        let mode = String::from_utf8_lossy(&mode);
        let error = format!("invalid color mode {mode}: must be one of: never, auto, always");
        Err(Failure::Log(LogLine {
            level: Level::Warn,
            message: "command failed".to_owned(),
            attrs: vec![("error", error)],
        }))
    }

    /// Checks what no flag's type checks.
    ///
    /// # Errors
    ///
    /// Fails where the format of errors is none.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if let Some(error) = &self.wrong_compat {
            return Err(Failure::Error(format!("--helm-compat: {error}")));
        }
        match self.error_format.as_str() {
            "" | "rich" | "plain" => Ok(()),
            other => {
                Err(Failure::Error(format!("--error-format: {other:?} is none of rich and plain")))
            }
        }
    }

    /// The release of Helm whose texts are printed.
    pub(crate) fn compat(&self) -> Compat {
        self.compat
    }

    /// How errors are printed: none where Helm's text alone is wanted.
    pub(crate) fn error_style(&self) -> Option<Style> {
        let watched = streams::is_watched();
        let rich = match self.error_format.as_str() {
            "rich" => true,
            "plain" => false,
            _ => watched,
        };
        let color = match self.color.as_str() {
            "always" => true,
            "never" => false,
            _ => watched,
        };
        rich.then(|| Style::default().color(color))
    }

    /// Where Helm keeps its files.
    pub(crate) fn helm_paths(&self) -> HelmPaths {
        self.helm_paths.clone()
    }

    /// Prints a line of the log, if it is to be seen.
    pub(crate) fn log(&self, line: &LogLine) {
        if line.level == Level::Debug && !self.log_debug {
            return;
        }
        if let Some(text) = self.compat.log_text(line) {
            streams::say(&text);
        }
    }

    /// Logs with `--debug`.
    pub(crate) fn log_debug(&self, message: &str, attrs: Vec<(&'static str, String)>) {
        self.log(&LogLine { level: Level::Debug, message: message.to_owned(), attrs });
    }

    /// The kubeconfig file that a flag names; empty without one.
    pub(crate) fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// The context that a flag or the environment names; empty without one.
    pub(crate) fn context(&self) -> &str {
        &self.context
    }

    /// The namespace: a flag's, the environment's, the kubeconfig's, or `default`.
    pub(crate) fn namespace(&self) -> String {
        let kubeconfig = || kubeconfig::namespace(&self.kubeconfig, &self.context);
        if !self.namespace.is_empty() {
            return self.namespace.clone();
        }
        kubeconfig().unwrap_or_else(|| "default".to_owned())
    }
}

fn color_from_env() -> String {
    if !env("NO_COLOR").is_empty() {
        return "never".to_owned();
    }
    match env("HELM_COLOR").to_lowercase() {
        mode if matches!(mode.as_str(), "never" | "always") => mode,
        _ => "auto".to_owned(),
    }
}

/// Where Helm keeps releases plays no role here, but it does not start with a driver that it does not
/// know.
///
/// # Errors
///
/// Fails for such a driver.
pub(crate) fn check_driver(compat: Compat) -> Result<(), Failure> {
    let driver = env("HELM_DRIVER");
    match driver.as_str() {
        "" | "secret" | "secrets" | "configmap" | "configmaps" | "memory" | "sql" => Ok(()),
        _ => {
            let driver = strconv::quote(driver.as_bytes());
            let line = LogLine {
                level: Level::Info,
                message: format!("unknown driver {}", String::from_utf8_lossy(&driver)),
                attrs: Vec::new(),
            };
            Err(Failure::Bare(compat.log_text(&line).unwrap_or_default()))
        }
    }
}

/// Looks for a post-renderer plugin, as `--post-renderer` does.
///
/// # Errors
///
/// Fails where there is none that can be run.
pub(crate) fn find_post_renderer(name: &str) -> Result<(), String> {
    match name {
        "" => Ok(()),
        name => post_renderer(name).map(drop),
    }
}

/// The post-renderer of a name.
///
/// # Errors
///
/// As [`find_post_renderer`].
pub(crate) fn post_renderer(name: &str) -> Result<PostRenderer, String> {
    plugin::find_post_renderer(plugins_dir().as_deref(), name)
}

/// Helm's folder for data: plugins and starters.
pub(crate) fn data_home() -> PathBuf {
    let dir = |name: &str| std::env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let under = |name: &str, below: &str| dir(name).map(|dir| dir.join(below));
    dir("HELM_DATA_HOME")
        .or_else(|| under("XDG_DATA_HOME", "helm"))
        .or_else(|| under("HOME", ".local/share/helm"))
        .unwrap_or_default()
}

fn plugins_dir() -> Option<PathBuf> {
    let dir = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let under = |name: &str, below: &str| dir(name).map(|dir| dir.join(below));
    dir("HELM_PLUGINS")
        .or_else(|| under("HELM_DATA_HOME", "plugins"))
        .or_else(|| under("XDG_DATA_HOME", "helm/plugins"))
        .or_else(|| under("HOME", ".local/share/helm/plugins"))
}
