//! Where Helm keeps its files, so that both programs share them.

use std::path::{Path, PathBuf};

/// Where Helm keeps its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HelmPaths {
    /// The folder in which caches are, unless they are elsewhere.
    pub cache_home: PathBuf,
    /// `repositories.yaml`: the repositories that have been added.
    pub repository_config: PathBuf,
    /// The folder with the indexes of these repositories.
    pub repository_cache: PathBuf,
    /// The folder with downloaded charts, named by their digests.
    pub content_cache: PathBuf,
    /// Credentials for registries, in the format of Docker's `config.json`.
    pub registry_config: PathBuf,
    /// Docker's own `config.json`, where credentials are looked for next; none without a home.
    pub docker_config: Option<PathBuf>,
}

impl HelmPaths {
    /// Finds the places by the variables of an environment: `HELM_REPOSITORY_CONFIG` and its like, then
    /// `HELM_CONFIG_HOME` and `HELM_CACHE_HOME`, then those of XDG, then the system's customs.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> HelmPaths {
        let var = |name: &str| var(name).filter(|value| !value.is_empty());
        let home = var("HOME").or_else(|| var("USERPROFILE")).map(PathBuf::from);
        let below_home = |dir: &str| home.as_deref().unwrap_or(Path::new("")).join(dir);
        let base = |helm: &str, xdg: &str, default: PathBuf| {
            let own = var(helm).map(PathBuf::from);
            own.unwrap_or_else(|| var(xdg).map_or(default, PathBuf::from).join("helm"))
        };
        let (config, cache) = if cfg!(windows) {
            let dir = |name: &str| PathBuf::from(var(name).unwrap_or_default());
            (dir("APPDATA"), dir("TEMP"))
        } else if cfg!(target_os = "macos") {
            (below_home("Library/Preferences"), below_home("Library/Caches"))
        } else {
            (below_home(".config"), below_home(".cache"))
        };
        let config = base("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", config);
        let cache = base("HELM_CACHE_HOME", "XDG_CACHE_HOME", cache);
        let or = |name: &str, default: PathBuf| var(name).map_or(default, PathBuf::from);
        let docker = var("DOCKER_CONFIG").map(PathBuf::from);
        HelmPaths {
            repository_config: or("HELM_REPOSITORY_CONFIG", config.join("repositories.yaml")),
            repository_cache: or("HELM_REPOSITORY_CACHE", cache.join("repository")),
            content_cache: or("HELM_CONTENT_CACHE", cache.join("content")),
            registry_config: or("HELM_REGISTRY_CONFIG", config.join("registry/config.json")),
            docker_config: docker
                .or_else(|| home.as_ref().map(|home| home.join(".docker")))
                .map(|dir| dir.join("config.json")),
            cache_home: cache,
        }
    }

    /// The cached index of a repository.
    pub fn index_file(&self, repository: &str) -> PathBuf {
        self.repository_cache.join(cache_name(repository, "index.yaml"))
    }

    /// The cached list of a repository's charts, which shells complete from.
    pub fn charts_file(&self, repository: &str) -> PathBuf {
        self.repository_cache.join(cache_name(repository, "charts.txt"))
    }

    /// The cached archive of a digest in hexadecimal digits.
    pub fn chart_content(&self, digest: &str) -> PathBuf {
        self.content(digest, "chart")
    }

    /// The cached provenance of the archive of a digest.
    pub fn provenance_content(&self, digest: &str) -> PathBuf {
        self.content(digest, "prov")
    }

    fn content(&self, digest: &str, kind: &str) -> PathBuf {
        let folder = digest.get(..2).unwrap_or_default();
        self.content_cache.join(folder).join(format!("{digest}.{kind}"))
    }
}

fn cache_name(repository: &str, file: &str) -> String {
    if repository.is_empty() { file.to_owned() } else { format!("{repository}-{file}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(vars: &'static [(&str, &str)]) -> HelmPaths {
        HelmPaths::from_env(|name| {
            vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn variables_go_from_the_special_to_the_general() {
        let plain = paths(&[("HOME", "/h")]);
        assert_eq!(plain.repository_config, Path::new("/h/.config/helm/repositories.yaml"));
        assert_eq!(plain.repository_cache, Path::new("/h/.cache/helm/repository"));
        assert_eq!(plain.content_cache, Path::new("/h/.cache/helm/content"));
        assert_eq!(plain.docker_config.as_deref(), Some(Path::new("/h/.docker/config.json")));
        let xdg = paths(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x"), ("HELM_CACHE_HOME", "/c")]);
        assert_eq!(xdg.registry_config, Path::new("/x/helm/registry/config.json"));
        assert_eq!(xdg.repository_cache, Path::new("/c/repository"));
        assert_eq!(xdg.cache_home, Path::new("/c"));
        let own = paths(&[("HELM_REPOSITORY_CONFIG", "/r.yaml"), ("HELM_CONTENT_CACHE", "/k")]);
        assert_eq!(own.repository_config, Path::new("/r.yaml"));
        assert_eq!(own.chart_content("abcd"), Path::new("/k/ab/abcd.chart"));
        assert_eq!(own.index_file("loc").file_name().unwrap(), "loc-index.yaml");
    }
}
