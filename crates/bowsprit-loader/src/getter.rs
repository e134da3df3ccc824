//! Files at URLs, as Helm's getters bring values.

use crate::error::{Error, ErrorKind};
use crate::io::PathError;
use crate::repo::{self, Repository};
use crate::sources::{ChartQuery, Sources};

/// As much as a file may have.
const FILE_LIMIT: u64 = 64 << 20;

impl Sources {
    /// What is at a URL of `http`, `https` or `oci`, where it is a chart's archive that is meant. Nobody
    /// is given credentials but those in the URL itself.
    ///
    /// # Errors
    ///
    /// Where it can't be had whole, with Helm's words, and above 64 MiB.
    pub async fn read_url(&self, url: &str) -> Result<Vec<u8>, Error> {
        if crate::reference::scheme(url) == "oci" {
            let located = self.locate(url, &ChartQuery::default()).await?;
            let read = std::fs::read(&located.path);
            return Ok(read.map_err(|error| PathError::new("open", &located.path, error))?);
        }
        let mut call =
            repo::call(&Repository::new("", url), url, "the URL").map_err(ErrorKind::Repository)?;
        call.limit = FILE_LIMIT;
        let read = self.client().bytes(&call).await;
        Ok(read.map_err(|error| ErrorKind::Repository(error.into()))?)
    }
}
