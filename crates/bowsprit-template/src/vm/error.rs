//! From a cause to the chain of links around it.

use super::{Entry, Run};
use crate::compile::program::{NO_SITE, ParseError, Site, SiteKind};
use crate::error::{Cause, ExecError, Link};
use crate::parse::text::{node_text, template_text};
use crate::set::Template;
use bowsprit_value::{FuncError, Str, strconv};

pub(super) fn quoted(text: &[u8]) -> String {
    String::from_utf8_lossy(&strconv::quote(text)).into_owned()
}

#[cold]
pub(super) fn no_template(name: &[u8], set: &str) -> Cause {
    let name = quoted(name);
    Cause::Function(FuncError::new(format!(
        "template: no template {name} associated with template \"{set}\""
    )))
}

/// A text that `tpl` could not parse: the function's error, in Helm's words.
#[cold]
pub(super) fn tpl_parse(text: &Str, error: &ParseError) -> Cause {
    let quoted = quoted(text.as_bytes());
    Cause::Function(FuncError::new(format!("cannot parse template {quoted}: {error}")))
}

/// Notes that a function failed, for the link that says "error calling".
#[cold]
pub(super) fn called(run: &mut Run<'_>, name: &'static str, error: FuncError) -> Cause {
    run.calling = Some(name);
    Cause::Function(error)
}

impl Run<'_> {
    /// Makes the chain of a failed run and leaves it empty.
    #[cold]
    pub(super) fn unwind(&mut self, cause: Cause) -> ExecError {
        let mut links = Vec::new();
        let mut calling = self.calling.take();
        let mut link = true;
        while let Some(frame) = self.pop_frame() {
            if link {
                let site = if calling.is_some() { frame.call } else { frame.at };
                links.push(executing(&frame.template, site, calling));
            }
            (link, calling) = match frame.entry {
                Entry::Root | Entry::Template => (false, None),
                Entry::Include { .. } => (true, Some("include")),
                Entry::Tpl { text } => {
                    let quoted = quoted(text.as_bytes());
                    links.push(Link::Tpl { quoted, parsing: false });
                    (true, Some("tpl"))
                }
            };
        }
        self.reset();
        links.reverse();
        ExecError::new(links, cause)
    }
}

fn executing(template: &Template, site: u32, calling: Option<&str>) -> Link {
    let unit = &template.unit;
    let unknown = Site { kind: SiteKind::Node, pos: 0, start: 0, end: 0 };
    let known = if site == NO_SITE { None } else { unit.sites.get(site as usize) };
    let site = known.copied().unwrap_or(unknown);
    let (line, column) = unit.line_column(site.pos as usize);
    let source = unit.source.get(site.start as usize..site.end as usize).unwrap_or_default();
    let context = match site.kind {
        SiteKind::Node => node_text(source),
        SiteKind::Template => template_text(source),
    };
    Link::Executing {
        location: format!("{}:{line}:{column}", template.file),
        offset: site.pos as usize,
        template: template.name.to_string(),
        context,
        calling: calling.map(str::to_owned),
    }
}
