//! From a cause to the chain of links around it.

use super::{Entry, Frame, Run};
use crate::compile::program::{NO_SITE, ParseError, Site, SiteKind};
use crate::error::{Cause, ExecError, Link, MAX_PLACES, Place, Trace};
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
        let mut places = Places::default();
        let mut calling = self.calling.take();
        let unevaluated = self.unevaluated.take();
        let mut link = true;
        while let Some(frame) = self.pop_frame() {
            let site = if calling.is_some() { frame.call } else { frame.at };
            if link {
                links.push(executing(&frame.template, site, calling));
            }
            places.add(&frame, site);
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
        self.included.fill(0);
        let operand = match (&cause, links.first(), unevaluated) {
            (Cause::Evaluator(_), Some(Link::Executing { context, .. }), Some(fields)) => {
                Some(without_fields(context, fields))
            }
            _ => None,
        };
        links.reverse();
        let Places { first, last, omitted } = places;
        let places = first.into_iter().chain(last).collect();
        ExecError::new(links, cause).with_trace(Trace { places, omitted, operand })
    }
}

/// The first places, and the last.
#[derive(Default)]
struct Places {
    first: Vec<Place>,
    last: std::collections::VecDeque<Place>,
    omitted: usize,
}

impl Places {
    fn add(&mut self, frame: &Frame<'_>, site: u32) {
        let template = &frame.template;
        let site = known_site(template, site);
        let called_by = match frame.entry {
            Entry::Root => None,
            Entry::Template => Some("template"),
            Entry::Include { .. } => Some("include"),
            Entry::Tpl { .. } => Some("tpl"),
        };
        let place = Place {
            file: template.file.to_string(),
            template: template.name.to_string(),
            source: template.unit.shared_source(),
            start: site.start as usize,
            end: site.end as usize,
            called_by,
        };
        if self.first.len() < MAX_PLACES / 2 {
            self.first.push(place);
            return;
        }
        self.last.push_back(place);
        if self.last.len() > MAX_PLACES / 2 {
            self.last.pop_front();
            self.omitted += 1;
        }
    }
}

/// The text of a field path without its last names; dot where nothing is left.
fn without_fields(context: &str, fields: usize) -> String {
    match context.rsplitn(fields + 1, '.').nth(fields) {
        Some("") | None => ".".to_owned(),
        Some(rest) => rest.to_owned(),
    }
}

fn known_site(template: &Template, site: u32) -> Site {
    let unknown = Site { kind: SiteKind::Node, pos: 0, start: 0, end: 0 };
    let known = if site == NO_SITE { None } else { template.unit.site(site) };
    known.unwrap_or(unknown)
}

fn executing(template: &Template, site: u32, calling: Option<&str>) -> Link {
    let unit = &template.unit;
    let site = known_site(template, site);
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
