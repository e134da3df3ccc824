//! Compiled charts as bytes, so that another process need neither decode nor compile them.
//!
//! An image begins with a mark and the fingerprint of the functions that templates were compiled against;
//! then come the lengths of its texts, the charts, the compiled templates, and the texts themselves. It is
//! read by the build of this crate that wrote it; who keeps images must see to that.

use crate::compiled::CompiledChart;
use crate::engine::Engine;
use bowsprit_chart::image::{Rest, Texts, decode, encode};
use bowsprit_chart::{Bytes, Chart};
use bowsprit_template::{Source, Unit};
use bowsprit_value::codec::{Decoder, Encoder};
use std::collections::HashSet;
use std::sync::Arc;

const MARK: &[u8] = b"bowsprit chart 1\n";

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
    /// let restored = engine.restore(image.into(), move || Some(chart.clone())).expect("an image");
    /// assert_eq!(restored.render_files(&request, &host)?.output, first);
    /// assert!(restored.is_intact());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn image(&self) -> Option<Vec<u8>> {
        let mut texts = Texts::default();
        let mut body = Encoder::default();
        encode(self.chart(), &mut texts, &mut body);
        let mut units = Encoder::default();
        let mut seen = HashSet::new();
        for (text, unit) in self.compiled() {
            let number = texts.number(text);
            if seen.insert(number) {
                units.size(number);
                unit.encode(&mut units);
            }
        }
        body.size(seen.len());
        body.raw(&units.finish()?);

        let mut image = Encoder::default();
        image.raw(MARK);
        image.raw(&self.engine().functions.fingerprint().to_le_bytes());
        image.size(texts.all().len());
        texts.all().iter().for_each(|text| image.size(text.len()));
        image.raw(&body.finish()?);
        texts.all().iter().for_each(|text| image.raw(text));
        image.finish()
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
    /// The chart that an image was made of. Files that the image has not are taken from the chart that
    /// `reload` loads when somebody looks at one; see [`CompiledChart::is_intact`].
    ///
    /// `None` for bytes that are no image, and for an image that was made with other functions.
    pub fn restore(
        &self,
        image: Bytes,
        reload: impl Fn() -> Option<Chart> + Send + Sync + 'static,
    ) -> Option<CompiledChart> {
        let mut decoder = Decoder::new(&image);
        let (mark, fingerprint) = (decoder.raw(MARK.len())?, decoder.raw(8)?);
        if mark != MARK || fingerprint != self.functions.fingerprint().to_le_bytes() {
            return None;
        }
        let count = decoder.count()?;
        let lens = (0..count).map(|_| decoder.size()).collect::<Option<Vec<_>>>()?;
        let texts = texts(&image, &lens)?;
        let rest = Arc::new(Rest::new(reload));
        let chart = decode(&mut decoder, &texts, &rest)?;
        let shared = Source::new(image.clone());
        let mut units = Vec::new();
        for _ in 0..decoder.count()? {
            let text = texts.get(decoder.size()?)?;
            let source = Source::new(text.clone());
            let unit = Unit::decode(&mut decoder, (&shared, 0), source, &self.functions)?;
            units.push((text.clone(), Arc::new(unit)));
        }
        Some(CompiledChart::with(self.clone(), Arc::new(chart), units, Some(rest)))
    }
}

/// The texts, which are the last thing in an image.
fn texts(image: &Bytes, lens: &[usize]) -> Option<Vec<Bytes>> {
    let all = lens.iter().try_fold(0_usize, |all, len| all.checked_add(*len))?;
    let mut start = image.len().checked_sub(all)?;
    let mut texts = Vec::with_capacity(lens.len());
    for len in lens {
        texts.push(image.slice(start..start + len));
        start += len;
    }
    Some(texts)
}
