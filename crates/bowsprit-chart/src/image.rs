//! Charts as bytes, for caches.
//!
//! An image has what every render of a chart needs: metadata, decoded values, and the texts of templates
//! and schemas, each of which is a part by itself that is read when it is first looked at. What few ask for,
//! such as custom resource definitions and READMEs, is not in it; when somebody looks at such a file, the
//! chart is loaded as if there were no image.

use crate::dependency::{Dependency, Lock};
use crate::metadata::{Maintainer, Metadata};
use crate::{Bytes, Chart, File};
use bowsprit_value::codec::{Damage, Decoder, Encoder};
use bowsprit_value::{Map, MapType, Str};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Loads the chart that an image was made of once more.
type Reload = Box<dyn Fn() -> Option<Chart> + Send + Sync>;

/// Where the parts of an image lie.
pub trait Parts: Send + Sync {
    /// The part of a number, which has so many bytes; `None` if it can't be had any more.
    fn read(&self, number: usize, len: usize) -> Option<Vec<u8>>;
}

impl Parts for Vec<Bytes> {
    fn read(&self, number: usize, _: usize) -> Option<Vec<u8>> {
        self.get(number).map(|part| part.to_vec())
    }
}

/// What has not been read of an image, and the contents of a chart's files that its image has not.
pub struct Rest {
    parts: Box<dyn Parts>,
    damage: Damage,
    reload: Reload,
    /// How long each of these contents is.
    lens: OnceLock<Vec<usize>>,
    loaded: OnceLock<Option<Vec<Bytes>>>,
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("lens", &self.lens).finish_non_exhaustive()
    }
}

impl Rest {
    /// `reload` loads the chart that the image was made of.
    pub fn new(
        parts: impl Parts + 'static,
        reload: impl Fn() -> Option<Chart> + Send + Sync + 'static,
    ) -> Rest {
        Rest {
            parts: Box::new(parts),
            damage: Damage::default(),
            reload: Box::new(reload),
            lens: OnceLock::new(),
            loaded: OnceLock::new(),
        }
    }

    /// False once somebody looked at a part or a file that is not there any more: it was empty then, and
    /// what was made of it is wrong.
    pub fn is_intact(&self) -> bool {
        !self.damage.is_noted() && !matches!(self.loaded.get(), Some(None))
    }

    /// Learns of parts that are not what was written.
    pub fn damage(&self) -> &Damage {
        &self.damage
    }

    /// A part that is not read yet.
    pub fn unread(self: &Arc<Rest>, number: usize, len: usize) -> Bytes {
        Bytes::part(self, number, len)
    }

    /// Reads a part; without bytes if it is not there any more.
    pub fn part(&self, number: usize, len: usize) -> Vec<u8> {
        let part = self.parts.read(number, len).filter(|part| part.len() == len);
        part.unwrap_or_else(|| {
            self.damage.note();
            Vec::new()
        })
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.loaded.get().is_some()
    }

    /// Loads the contents, if they are not there yet.
    pub fn load(&self) {
        self.loaded();
    }

    fn loaded(&self) -> Option<&Vec<Bytes>> {
        let loaded = self.loaded.get_or_init(|| {
            let contents = contents((self.reload)()?);
            let lens: Vec<usize> = contents.iter().map(Bytes::len).collect();
            (Some(&lens) == self.lens.get()).then_some(contents)
        });
        loaded.as_ref()
    }

    pub(crate) fn get(&self, number: usize) -> &[u8] {
        let content = self.loaded().and_then(|contents| contents.get(number));
        content.map(Bytes::as_bytes).unwrap_or_default()
    }
}

/// The contents that are in no image, in the order in which images count them.
fn contents(chart: Chart) -> Vec<Bytes> {
    let mut contents = Vec::new();
    let mut pending = vec![Arc::new(chart)];
    while let Some(chart) = pending.pop() {
        contents.extend(chart.files.iter().map(|file| file.data.clone()));
        contents.extend(chart.values_source.clone());
        pending.extend(chart.dependencies.iter().rev().cloned());
    }
    contents
}

/// The texts that charts have, each once, by where they lie.
#[derive(Debug, Default)]
pub struct Texts {
    numbers: HashMap<(usize, usize), usize>,
    all: Vec<Bytes>,
}

impl Texts {
    /// The number of a text.
    pub fn number(&mut self, text: &Bytes) -> usize {
        let next = self.all.len();
        let number = *self.numbers.entry(text.id()).or_insert(next);
        if number == next {
            self.all.push(text.clone());
        }
        number
    }

    /// All of them.
    pub fn all(&self) -> &[Bytes] {
        &self.all
    }
}

/// Values that charts have, each once.
#[derive(Default)]
struct Values {
    numbers: HashMap<(usize, usize), usize>,
    encoder: Encoder,
}

/// Writes a chart and its subcharts; their texts are added to `texts`.
pub fn encode(chart: &Chart, texts: &mut Texts, encoder: &mut Encoder) {
    let mut values = Values::default();
    let mut charts = Encoder::default();
    let mut pending = vec![chart];
    while let Some(chart) = pending.pop() {
        encode_chart(chart, texts, &mut values, &mut charts);
        pending.extend(chart.dependencies.iter().rev().map(Arc::as_ref));
    }
    encoder.size(values.numbers.len());
    match (values.encoder.finish(), charts.finish()) {
        (Some(values), Some(charts)) => {
            encoder.raw(&values);
            encoder.raw(&charts);
        }
        _ => encoder.refuse(),
    }
}

fn encode_chart(chart: &Chart, texts: &mut Texts, values: &mut Values, encoder: &mut Encoder) {
    encode_metadata(&chart.metadata, encoder);
    encode_maybe(chart.lock.as_ref(), encoder, |lock, encoder| {
        encoder.bytes(lock.generated.as_bytes());
        encoder.bytes(lock.digest.as_bytes());
        encode_dependencies(lock.dependencies.as_deref(), encoder);
    });
    encoder.size(chart.templates.len());
    for file in &chart.templates {
        encoder.bytes(file.name.as_bytes());
        encoder.size(texts.number(&file.data));
    }
    encoder.size(chart.files.len());
    for file in &chart.files {
        encoder.bytes(file.name.as_bytes());
        encoder.size(file.data.len());
    }
    encode_maybe(chart.values_source.as_ref(), encoder, |source, encoder| {
        encoder.size(source.len());
        let next = values.numbers.len();
        let number = *values.numbers.entry(source.id()).or_insert(next);
        if number == next {
            values.encoder.map(&chart.values);
        }
        encoder.size(number);
    });
    if chart.values_source.is_none() && !chart.values.is_nil() {
        encoder.refuse();
    }
    encode_maybe(chart.schema.as_ref(), encoder, |schema, encoder| {
        encoder.size(texts.number(schema));
    });
    encoder.size(chart.dependencies.len());
}

/// Reads a chart whose texts are known. `None` where there is none.
pub fn decode(decoder: &mut Decoder<'_>, texts: &[Bytes], rest: &Arc<Rest>) -> Option<Chart> {
    let count = decoder.count()?;
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        values.push(decoder.map()?);
    }
    let mut reader = Reader { texts, values, rest, lens: Vec::new() };
    let chart = reader.tree(decoder)?;
    rest.lens.set(reader.lens).ok()?;
    Some(chart)
}

struct Reader<'t> {
    texts: &'t [Bytes],
    values: Vec<Map>,
    rest: &'t Arc<Rest>,
    lens: Vec<usize>,
}

impl Reader<'_> {
    /// The charts, each before its subcharts; a chart is finished when it has as many as it says.
    fn tree(&mut self, decoder: &mut Decoder<'_>) -> Option<Chart> {
        let mut open: Vec<(Chart, usize)> = Vec::new();
        loop {
            let (mut chart, mut wanted) = self.chart(decoder)?;
            while wanted == chart.dependencies.len() {
                let Some((mut parent, count)) = open.pop() else { return Some(chart) };
                parent.dependencies.push(Arc::new(chart));
                (chart, wanted) = (parent, count);
            }
            open.push((chart, wanted));
        }
    }

    /// A chart without its subcharts, and how many there are.
    fn chart(&mut self, decoder: &mut Decoder<'_>) -> Option<(Chart, usize)> {
        let metadata = decode_metadata(decoder)?;
        let lock = decode_maybe(decoder, |d| {
            Some(Lock {
                generated: string(d)?,
                digest: string(d)?,
                dependencies: decode_dependencies(d)?,
            })
        })?;
        let count = decoder.count()?;
        let mut templates = Vec::with_capacity(count);
        for _ in 0..count {
            let name = Str::from(decoder.bytes()?);
            templates.push(File { name, data: self.texts.get(decoder.size()?)?.clone() });
        }
        let count = decoder.count()?;
        let mut files = Vec::with_capacity(count);
        for _ in 0..count {
            let name = Str::from(decoder.bytes()?);
            files.push(File { name, data: self.later(decoder.size()?) });
        }
        let (values_source, values) = if decoder.flag()? {
            let source = self.later(decoder.size()?);
            (Some(source), self.values.get(decoder.size()?)?.clone())
        } else {
            (None, Map::nil(MapType::ANY))
        };
        let schema = decode_maybe(decoder, |d| self.texts.get(d.size()?).cloned())?;
        let wanted = decoder.count()?;
        let dependencies = Vec::with_capacity(wanted);
        let chart =
            Chart { metadata, lock, templates, files, values, values_source, schema, dependencies };
        Some((chart, wanted))
    }

    fn later(&mut self, len: usize) -> Bytes {
        self.lens.push(len);
        Bytes::later(self.rest, self.lens.len() - 1, len)
    }
}

fn encode_maybe<T>(value: Option<T>, encoder: &mut Encoder, encode: impl FnOnce(T, &mut Encoder)) {
    encoder.flag(value.is_some());
    if let Some(value) = value {
        encode(value, encoder);
    }
}

fn decode_maybe<T>(
    decoder: &mut Decoder<'_>,
    decode: impl FnOnce(&mut Decoder<'_>) -> Option<T>,
) -> Option<Option<T>> {
    Some(if decoder.flag()? { Some(decode(decoder)?) } else { None })
}

fn string(decoder: &mut Decoder<'_>) -> Option<String> {
    decoder.text().map(str::to_owned)
}

fn encode_list<T>(list: Option<&[T]>, encoder: &mut Encoder, one: impl Fn(&T, &mut Encoder)) {
    encode_maybe(list, encoder, |list, encoder| {
        encoder.size(list.len());
        list.iter().for_each(|item| one(item, encoder));
    });
}

fn decode_list<T>(
    decoder: &mut Decoder<'_>,
    one: impl Fn(&mut Decoder<'_>) -> Option<T>,
) -> Option<Option<Vec<T>>> {
    decode_maybe(decoder, |decoder| (0..decoder.count()?).map(|_| one(decoder)).collect())
}

fn encode_strings(list: Option<&Vec<String>>, encoder: &mut Encoder) {
    let list = list.map(Vec::as_slice);
    encode_list(list, encoder, |text, encoder| encoder.bytes(text.as_bytes()));
}

fn encode_metadata(metadata: &Metadata, encoder: &mut Encoder) {
    let Metadata {
        name,
        home,
        sources,
        version,
        description,
        keywords,
        maintainers,
        icon,
        api_version,
        condition,
        tags,
        app_version,
        deprecated,
        annotations,
        kube_version,
        dependencies,
        ty,
    } = metadata;
    for text in [name, home, version, description, icon, api_version, condition, tags] {
        encoder.bytes(text.as_bytes());
    }
    for text in [app_version, kube_version, ty] {
        encoder.bytes(text.as_bytes());
    }
    encode_strings(sources.as_ref(), encoder);
    encode_strings(keywords.as_ref(), encoder);
    encode_list(maintainers.as_deref(), encoder, |maintainer, encoder| {
        encode_maybe(maintainer.as_ref(), encoder, |Maintainer { name, email, url }, encoder| {
            [name, email, url].iter().for_each(|text| encoder.bytes(text.as_bytes()));
        });
    });
    encoder.flag(*deprecated);
    encode_maybe(annotations.as_ref(), encoder, |annotations, encoder| {
        encoder.size(annotations.len());
        for text in annotations.iter().flat_map(|(key, value)| [key, value]) {
            encoder.bytes(text.as_bytes());
        }
    });
    encode_dependencies(dependencies.as_deref(), encoder);
}

fn decode_metadata(decoder: &mut Decoder<'_>) -> Option<Metadata> {
    let mut next = || string(decoder);
    let mut metadata = Metadata {
        name: next()?,
        home: next()?,
        version: next()?,
        description: next()?,
        icon: next()?,
        api_version: next()?,
        condition: next()?,
        tags: next()?,
        app_version: next()?,
        kube_version: next()?,
        ty: next()?,
        ..Metadata::default()
    };
    metadata.sources = decode_list(decoder, string)?;
    metadata.keywords = decode_list(decoder, string)?;
    metadata.maintainers = decode_list(decoder, |d| {
        decode_maybe(d, |d| {
            Some(Maintainer { name: string(d)?, email: string(d)?, url: string(d)? })
        })
    })?;
    metadata.deprecated = decoder.flag()?;
    metadata.annotations = decode_maybe(decoder, |d| {
        let count = d.count()?;
        (0..count).map(|_| Some((string(d)?, string(d)?))).collect::<Option<BTreeMap<_, _>>>()
    })?;
    metadata.dependencies = decode_dependencies(decoder)?;
    Some(metadata)
}

fn encode_dependencies(dependencies: Option<&[Option<Dependency>]>, encoder: &mut Encoder) {
    encode_list(dependencies, encoder, |dependency, encoder| {
        encode_maybe(dependency.as_ref(), encoder, |dependency, encoder| {
            let Dependency {
                name,
                version,
                repository,
                condition,
                tags,
                enabled,
                import_values,
                alias,
            } = dependency;
            for text in [name, version, repository, condition, alias] {
                encoder.bytes(text.as_bytes());
            }
            encode_strings(tags.as_ref(), encoder);
            encoder.flag(*enabled);
            encode_list(import_values.as_deref(), encoder, |value, encoder| encoder.value(value));
        });
    });
}

fn decode_dependencies(decoder: &mut Decoder<'_>) -> Option<Option<Vec<Option<Dependency>>>> {
    decode_list(decoder, |d| {
        decode_maybe(d, |d| {
            Some(Dependency {
                name: string(d)?,
                version: string(d)?,
                repository: string(d)?,
                condition: string(d)?,
                alias: string(d)?,
                tags: decode_list(d, string)?,
                enabled: d.flag()?,
                import_values: decode_list(d, |d| d.value())?,
            })
        })
    })
}
