//! Compiled charts that are kept from one run to the next.

use crate::commands::Invocation;
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{limits, release};
use bowsprit::compiled_cache::{Cached, CompiledCache};
use std::path::{Path, PathBuf};

const FLAG: &str = "compiled-cache";
const VARIABLE: &str = "BOWSPRIT_COMPILED_CACHE";

pub(crate) static FLAGS: &[Flag] = &[Flag::with(
    FLAG,
    Kind::Text,
    "DIR",
    "Keep compiled charts in DIR, off for nowhere (default compiled/ in Helm's cache folder, or BOWSPRIT_COMPILED_CACHE)",
)];

/// Loads a chart by way of the cache; `None` if there is none or the command does not use it.
///
/// # Errors
///
/// Fails where the chart can't be loaded.
pub(crate) fn load(invocation: &Invocation<'_>, path: &Path) -> Result<Option<Cached>, Failure> {
    let parsed = invocation.parsed;
    let Some(cache) = cache(invocation) else { return Ok(None) };
    let options = release::load_options(parsed);
    match cache.load(path, &options, &limits::engine(parsed)) {
        Ok(cached) => {
            cached.warnings.iter().for_each(|line| invocation.settings.log(line));
            Ok(Some(cached))
        }
        Err(error) => Err(release::load_failed(invocation, path, &error)),
    }
}

/// The cache, if there is one and the command uses it.
pub(crate) fn cache(invocation: &Invocation<'_>) -> Option<CompiledCache> {
    let parsed = invocation.parsed;
    // What is loaded twice, and changed in between, is not for the cache.
    if !invocation.has(FLAG) || parsed.is_on("dependency-update") {
        return None;
    }
    CompiledCache::of_program(folder(invocation, parsed)?)
}

fn folder(invocation: &Invocation<'_>, parsed: &Parsed) -> Option<PathBuf> {
    let given = parsed.non_empty(FLAG).map(str::to_owned);
    let given = given.or_else(|| std::env::var(VARIABLE).ok().filter(|value| !value.is_empty()));
    match given {
        Some(off) if off == "off" => None,
        Some(folder) => Some(folder.into()),
        None => {
            let home = &invocation.settings.helm_paths().cache_home;
            // Without a home there is no place that is known to be the user's.
            home.is_absolute().then(|| home.join("compiled"))
        }
    }
}
