//! Compiled charts as bytes, so that another process need neither decode nor compile them.
//!
//! An image has a head and parts. The head begins with a mark and the fingerprint of the functions that
//! templates were compiled against; then come whether the schemas accepted the chart's own values, the
//! lengths of the parts, the charts, and the names of all definitions. A part has a text, or what one was
//! compiled to, with what of the text runs print, or what errors need of that. Parts are read when they are
//! needed: of most charts, a render needs few. An image is read by the build of this crate that wrote it;
//! who keeps images must see to that.

use crate::compiled::CompiledChart;
use crate::engine::Engine;
use bowsprit_chart::image::{Parts, Rest, Texts, decode, encode};
use bowsprit_chart::{Bytes, Chart};
use bowsprit_template::{Kept, Source, Unit};
use bowsprit_value::codec::{Decoder, Encoder};
use std::collections::HashSet;
use std::sync::Arc;

const MARK: &[u8] = b"bowsprit chart 5\n";

/// A compiled chart as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What is needed to begin.
    pub head: Vec<u8>,
    /// What is read when it is needed.
    pub parts: Vec<Bytes>,
}

impl CompiledChart {
    /// The chart with all of its templates that have been compiled, as bytes for [`Engine::restore`].
    /// `None` if something of it has no such form.
    ///
    /// ```
    /// use bowsprit_render::{Engine, RenderRequest};
    /// use bowsprit_chart::{Chart, File, Limits};
    /// use bowsprit_value::Hermetic;
    /// use std::sync::Arc;
    ///
    /// let files = vec![
    ///     File::new("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
    ///     File::new("templates/a.yaml", "name: {{ .Release.Name }}\n"),
    /// ];
    /// let chart = Chart::from_files(files, &Limits::default())?.output;
    /// let engine = Engine::new();
    /// let compiled = engine.compile(Arc::new(chart.clone()));
    /// let request = RenderRequest::new("demo", "default");
    /// let host = Hermetic::default();
    /// let first = compiled.render_files(&request, &host)?.output;
    ///
    /// let image = compiled.image().expect("files are decoded to what can be written");
    /// let again = move || Some(chart.clone());
    /// let restored = engine.restore(&image.head, image.parts, again).expect("an image");
    /// assert_eq!(restored.render_files(&request, &host)?.output, first);
    /// assert!(restored.is_intact());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn image(&self) -> Option<Image> {
        let mut texts = Texts::default();
        let mut body = Encoder::default();
        encode(self.chart(), &mut texts, &mut body);
        let mut units = Encoder::default();
        let (mut seen, mut more) = (HashSet::new(), Vec::new());
        for (text, unit) in self.compiled() {
            let number = texts.number(text);
            if seen.insert(number) {
                units.size(number);
                let (run, sites) = unit.encode(&mut units, &self.places(unit));
                more.extend([run.finish()?.into(), sites.finish()?.into()]);
            }
        }
        body.size(seen.len());
        body.raw(&units.finish()?);

        let mut head = Encoder::default();
        head.raw(MARK);
        head.raw(&self.engine().functions.fingerprint().to_le_bytes());
        head.flag(self.accepts_defaults());
        head.size(texts.all().len());
        let mut parts = texts.all().to_vec();
        parts.extend(more);
        head.size(parts.len());
        parts.iter().for_each(|part: &Bytes| head.size(part.len()));
        head.raw(&body.finish()?);
        let head = head.finish()?;
        // What was read to write it may have been damaged.
        self.is_intact().then_some(Image { head, parts })
    }

    /// How many of its templates have been compiled; more than its image has if renders needed others.
    pub fn compiled_templates(&self) -> usize {
        self.compiled().count()
    }

    /// Loads what its image has not, if it came from one, so that [`CompiledChart::is_intact`] is true for
    /// good or false.
    pub fn complete(&self) {
        if let Some(rest) = self.rest() {
            rest.load();
        }
    }

    /// False if something was asked of a chart from an image that the image has not, and the chart was
    /// not there any more. What was rendered is wrong then.
    pub fn is_intact(&self) -> bool {
        self.rest().is_none_or(|rest| rest.is_intact())
    }
}

impl Engine {
    /// The chart that an image was made of. Parts of the image are read when they are needed, and files that
    /// it has not are taken from the chart that `reload` loads when somebody looks at one; see
    /// [`CompiledChart::is_intact`].
    ///
    /// `None` for bytes that are no image, and for an image that was made with other functions.
    pub fn restore(
        &self,
        head: &[u8],
        parts: impl Parts + 'static,
        reload: impl Fn() -> Option<Chart> + Send + Sync + 'static,
    ) -> Option<CompiledChart> {
        let mut decoder = Decoder::new(head);
        let (mark, fingerprint) = (decoder.raw(MARK.len())?, decoder.raw(8)?);
        if mark != MARK || fingerprint != self.functions.fingerprint().to_le_bytes() {
            return None;
        }
        let accepts_defaults = decoder.flag()?;
        let rest = Arc::new(Rest::new(parts, reload));
        let (texts, count) = (decoder.size()?, decoder.count()?);
        let lens = (0..count).map(|_| decoder.size()).collect::<Option<Vec<_>>>()?;
        let (texts, more) = lens.split_at_checked(texts)?;
        let texts = texts.iter().enumerate().map(|(number, len)| rest.unread(number, *len));
        let texts: Vec<Bytes> = texts.collect();
        let chart = decode(&mut decoder, &texts, &rest)?;
        let (more, _) = more.as_chunks();
        let mut units = Vec::with_capacity(more.len());
        for (place, &[run, sites]) in more.iter().enumerate().take(decoder.count()?) {
            let its_text = decoder.size()?;
            let text = texts.get(its_text)?;
            let number = texts.len() + 2 * place;
            let kept = Kept {
                text: Box::new({
                    let (rest, len) = (Arc::clone(&rest), text.len());
                    move || Source::new(rest.unread(its_text, len))
                }),
                run: Box::new({
                    let rest = Arc::clone(&rest);
                    move || rest.part(number, run)
                }),
                sites: Source::new(rest.unread(number + 1, sites)),
                functions: Arc::clone(&self.functions),
                damage: rest.damage().clone(),
            };
            let unit = Unit::decode(&mut decoder, kept, Source::new(text.clone()))?;
            units.push((text.clone(), Arc::new(unit)));
        }
        let chart = CompiledChart::with(self.clone(), Arc::new(chart), units, Some(rest));
        if accepts_defaults {
            chart.accept_defaults();
        }
        Some(chart)
    }
}
